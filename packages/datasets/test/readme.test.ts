import { describeReadme } from '@tessella/testing/readme'

describeReadme(import.meta.url, {
  mnist: () => import('./examples/mnist.ts'),
  columns: () => import('./examples/columns.ts'),
  tables: () => import('./examples/tables.ts'),
  idx: () => import('./examples/idx.ts'),
})
