import { describe, expect, it } from 'vitest'
import { sourceProblems } from '../sources.ts'

const declared = new Set(['@tessella/ir'])

describe('source rules', () => {
  it('accepts 400 lines and refuses 401', () => {
    expect(sourceProblems('x\n'.repeat(400), declared)).toEqual([])
    expect(sourceProblems('x\n'.repeat(401), declared)).toEqual([expect.stringContaining('401 lines')])
  })

  it.each(['TODO', 'FIXME', '@ts-nocheck', '@ts-expect-error'])('refuses %s and names its line', (word) => {
    expect(sourceProblems(`a\n// ${word} later\n`, declared)).toEqual([expect.stringMatching(`^line 2: ${word}`)])
  })

  it.each([
    `import { x } from '@tessella/tensor'`,
    `import type { X } from '@tessella/tensor'`,
    `export * from '@tessella/tensor'`,
    `const x = await import('@tessella/tensor')`,
  ])('refuses an import that package.json does not declare: %s', (line) => {
    expect(sourceProblems(`${line}\n`, declared)).toEqual([expect.stringContaining('@tessella/tensor')])
    expect(sourceProblems(`${line.replace('tensor', 'ir')}\n`, declared)).toEqual([])
  })
})
