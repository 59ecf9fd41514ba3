import { describeReadme } from '@tessella/testing/readme'

describeReadme(import.meta.url, {
  fit: () => import('./examples/fit.ts'),
  search: () => import('./examples/search.ts'),
  resume: () => import('./examples/resume.ts'),
})
