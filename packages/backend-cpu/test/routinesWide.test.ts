import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { hashOf, isInPieces, isPooledCase, isWinogradCase } from './support/wideCases.ts'

const script = fileURLToPath(new URL('./support/wideCases.ts', import.meta.url))

describe('routines for engines that merge vectors in pairs', () => {
  it('give the same bits with and without merging', () => {
    const count = 64
    // All code optimised at once: only V8's optimising compiler merges.
    const flags = ['--experimental-wasm-revectorize', '--no-liftoff', '--no-wasm-inlining']
    const args = [...flags, '--conditions=@tessella/source', script, '0', String(count)]
    const merged = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as number[]
    const seeds = Array.from({ length: count }, (_, i) => i)
    expect(merged).toEqual(seeds.map(hashOf))
    expect(seeds.filter(isPooledCase).length).toBe(count / 8)
    expect(seeds.filter(isWinogradCase).length).toBeGreaterThan(count / 4)
    expect(seeds.filter(isInPieces).length).toBe(count / 16)
  }, 30000)
})
