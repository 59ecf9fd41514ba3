import { describeReadme } from '@tessella/testing/readme'

describeReadme(import.meta.url, {
  minimise: () => import('./examples/minimise.ts'),
  transform: () => import('./examples/transform.ts'),
})
