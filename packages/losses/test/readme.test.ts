import { describeReadme } from '@tessella/testing/readme'

describeReadme(import.meta.url, {
  classes: () => import('./examples/classes.ts'),
})
