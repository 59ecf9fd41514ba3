import { spawn } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const program = fileURLToPath(new URL('../src/start.ts', import.meta.url))

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

const start = (...options: readonly string[]): Promise<Ended> => startUntil(undefined, ...options)

/** Runs `start`; presses Ctrl-C once it has written `mark`. */
function startUntil(mark: string | undefined, ...options: readonly string[]): Promise<Ended> {
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, ['--conditions=@tessella/source', program, ...options])
    let out = ''
    let err = ''
    child.stdout.on('data', (text) => {
      if (mark !== undefined && !out.includes(mark) && `${out}${text}`.includes(mark)) child.kill('SIGINT')
      out += text
    })
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

describe('start', { timeout: 60_000 }, () => {
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

  it('serves the page until Ctrl-C, code 0', async () => {
    const { code, out, err } = await startUntil('Ctrl-C here', '--browser', '--quick', '--seed', '3')
    expect(out).toMatch(/^The page is ready: http:\/\/127\.0\.0\.1:\d+\/\?quick=1&seed=3\n/)
    expect(err).toContain('Ctrl-C again ends at once')
    expect(code).toBe(0)
  })

  it('writes what there is on Ctrl-C, says how to go on, code 130', async () => {
    const out = join(root, 'interrupted')
    const ended = await startUntil('MLP', '--quick', '--model', 'mlp', '--epochs', '9999', '--out', out)
    expect(ended.err).toContain('Ctrl-C again ends at once')
    expect(ended.out).toContain('Run the same command with --resume to go on.')
    expect(ended.out).toContain(' of 9999 ')
    expect((await readdir(out)).sort()).toEqual(['checkpoint-mlp-quick.safetensors', 'report.html', 'report.json'])
    expect(ended.code).toBe(130)
  })
})
