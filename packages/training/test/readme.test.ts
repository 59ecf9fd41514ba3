import { describeReadme } from '@tessella/testing/readme'

describeReadme(import.meta.url, {
  fit: () => import('./examples/fit.ts'),
  resume: () => import('./examples/resume.ts'),
})
