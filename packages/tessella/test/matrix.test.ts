import { readFile } from 'node:fs/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { allColumns } from './support/columns.ts'
import { type Column, holes, matrixPage } from './support/matrix.ts'

describe('docs/operations.md', () => {
  let columns: readonly Column[]
  beforeAll(async () => {
    columns = await allColumns()
  })

  it('has no hole', () => expect(holes(columns)).toEqual([]))

  it('is up to date', async () => {
    const page = await readFile(new URL('../../../docs/operations.md', import.meta.url), 'utf8')
    expect(page).toBe(matrixPage(columns))
  })
})
