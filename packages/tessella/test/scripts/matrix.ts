// Writes docs/operations.md: node --conditions=@tessella/source packages/tessella/test/scripts/matrix.ts
import { writeFile } from 'node:fs/promises'
import { allColumns } from '../support/columns.ts'
import { matrixPage } from '../support/matrix.ts'

await writeFile(new URL('../../../../docs/operations.md', import.meta.url), matrixPage(await allColumns()))
