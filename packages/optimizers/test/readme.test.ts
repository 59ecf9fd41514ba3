import { describeReadme } from '@tessella/testing/readme'

describeReadme(import.meta.url, {
  minimise: () => import('./examples/minimise.ts'),
  lbfgs: () => import('./examples/lbfgs.ts'),
  transform: () => import('./examples/transform.ts'),
})
