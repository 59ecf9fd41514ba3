import { describeReadme } from '@tessella/testing/readme'

describeReadme(import.meta.url, {
  weights: () => import('./examples/weights.ts'),
  brainDamage: () => import('./examples/brainDamage.ts'),
})
