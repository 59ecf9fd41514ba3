import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const program = fileURLToPath(new URL('../src/start.ts', import.meta.url))

/** Runs `start`; its exit code and what it wrote. */
function start(...options: readonly string[]): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, ['--conditions=@tessella/source', program, ...options])
    let out = ''
    let err = ''
    child.stdout.on('data', (text) => (out += text))
    child.stderr.on('data', (text) => (err += text))
    child.on('error', failed)
    child.on('close', (code) => done({ code, out, err }))
  })
}

let root = ''
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'start-'))
})
afterAll(() => rm(root, { recursive: true }))

describe('start', () => {
  it.concurrent('explains itself', async () => {
    const { code, out, err } = await start('--help')
    expect(err).toBe('')
    expect(out).toContain('--resume')
    expect(code).toBe(0)
  })

  it.concurrent('refuses an option with the reason and its usage, code 2', async () => {
    const { code, out, err } = await start('--epochs', 'many')
    expect(out).toBe('')
    expect(err).toMatch(/^--epochs takes a whole number from 1 on, not 'many'\n\nTrains the lectures/)
    expect(code).toBe(2)
  })

  it('refuses a folder that cannot be written before it trains, code 1', async () => {
    const file = join(root, 'file')
    await writeFile(file, '')
    const { code, out, err } = await start('--out', join(file, 'out'))
    expect(out).toBe('')
    expect(err).toMatch(/^Cannot write to --out .*ENOTDIR.* Name a folder that can be written\.\n$/)
    expect(code).toBe(1)
  })
})
