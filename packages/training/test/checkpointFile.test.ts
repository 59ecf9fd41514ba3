import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type * as FileSystem from 'node:fs/promises'
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { disposeBackend, tensor, useBackend, Variable } from '@tessella/tensor'
import { reference } from '@tessella/testing'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { loadCheckpoint, readCheckpoint, saveCheckpoint, snapshot, writeFileAtomic } from '../src/index.ts'

/** What the next writes do instead of writing; taken from the mock below. */
const failing = vi.hoisted(() => ({ writeFile: undefined as undefined | (() => Promise<never>) }))
vi.mock('node:fs/promises', async (original) => {
  const fs = await original<typeof FileSystem>()
  const open: typeof fs.open = async (...args) => {
    const handle = await fs.open(...args)
    if (failing.writeFile) handle.writeFile = failing.writeFile
    return handle
  }
  return { ...fs, open }
})

let folder = ''
beforeAll(() => useBackend(reference()))
afterAll(disposeBackend)
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tessella-checkpoint-'))
})
afterEach(async () => {
  failing.writeFile = undefined
  await rm(folder, { recursive: true, force: true })
})

const holder = (value: number) => ({ w: new Variable(tensor([value, value])) })
const code = (name: string) => expect.objectContaining({ name: 'TrainingError', code: name })

describe('checkpoint files', () => {
  it('come back, with what was saved as progress; folders are made', async () => {
    const path = join(folder, 'deep/er/run.safetensors')
    await saveCheckpoint(path, holder(3), { epoch: 2 })
    const other = holder(0)
    expect(await loadCheckpoint(path, other)).toEqual({ epoch: 2 })
    expect(await other.w.value.array()).toEqual([3, 3])
    await saveCheckpoint(path, holder(4), { epoch: 3 })
    expect(await loadCheckpoint(path, other)).toEqual({ epoch: 3 })
    expect(await readdir(join(folder, 'deep/er'))).toEqual(['run.safetensors'])
  })

  it('that are not there are undefined and change nothing', async () => {
    const h = holder(1)
    expect(await loadCheckpoint(join(folder, 'none'), h)).toBeUndefined()
    expect(await readCheckpoint(join(folder, 'none/deeper'))).toBeUndefined()
    expect(await h.w.value.array()).toEqual([1, 1])
  })

  it('that are damaged, foreign or unreadable are errors and change nothing', async () => {
    const path = join(folder, 'run')
    const h = holder(1)
    await saveCheckpoint(path, holder(3))
    await truncate(path, 100)
    await expect(loadCheckpoint(path, h)).rejects.toThrow(code('bad-checkpoint'))
    await saveCheckpoint(path, { other: new Variable(tensor([1])) })
    await expect(loadCheckpoint(path, h)).rejects.toThrow(code('mismatched-checkpoint'))
    await expect(loadCheckpoint(folder, h)).rejects.toThrow(code('read-failed'))
    expect(await h.w.value.array()).toEqual([1, 1])
  })

  it('survive a full disk, and nothing is left behind', async () => {
    const path = join(folder, 'run')
    await saveCheckpoint(path, holder(3), 'old')
    failing.writeFile = () => Promise.reject(Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' }))
    await expect(saveCheckpoint(path, holder(4), 'new')).rejects.toThrow(
      /could not write .*run: ENOSPC.*What was there before is untouched/,
    )
    await expect(saveCheckpoint(path, holder(4), 'new')).rejects.toThrow(code('write-failed'))
    expect(await readdir(folder)).toEqual(['run'])
    expect((await readCheckpoint(path))?.progress).toBe('old')
  })

  it.each<[string, () => Promise<string>]>([
    [
      'a file where a folder should be',
      async () => {
        await writeFile(join(folder, 'file'), 'x')
        return join(folder, 'file/run')
      },
    ],
    [
      'a folder where the file should be',
      async () => {
        await mkdir(join(folder, 'run/full'), { recursive: true })
        return join(folder, 'run')
      },
    ],
    ['a name that is too long', async () => join(folder, 'x'.repeat(300))],
  ])('%s is an error, and nothing is left behind', async (_, make) => {
    const path = await make()
    const before = await readdir(folder, { recursive: true })
    await expect(saveCheckpoint(path, holder(1))).rejects.toThrow(code('write-failed'))
    expect(await readdir(folder, { recursive: true })).toEqual(before)
  })

  it('of two writers at once are one or the other, whole', async () => {
    const path = join(folder, 'run')
    await Promise.all([1, 2, 3, 4].map((v) => saveCheckpoint(path, holder(v), v)))
    const checkpoint = await readCheckpoint<number>(path)
    expect(checkpoint?.values).toEqual(await snapshot(holder(checkpoint?.progress ?? 0)))
    expect(await readdir(folder)).toEqual(['run'])
  })
})

describe('a process that is killed while it writes', () => {
  it('leaves the old file', async () => {
    const path = join(folder, 'run')
    const script = new URL('support/writer.ts', import.meta.url).pathname
    const child = spawn(process.execPath, ['--conditions=@tessella/source', script, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout, 'data')
    const temporary = async () => (await readdir(folder)).find((name) => name.endsWith('.tmp'))
    while (child.exitCode === null && (await temporary()) === undefined) await new Promise(setImmediate)
    child.kill('SIGKILL')
    const [, signal] = await once(child, 'close')
    expect(signal).toBe('SIGKILL')
    expect(await temporary()).toBeDefined()
    expect(await readFile(path, 'utf8')).toBe('old')
    await writeFileAtomic(path, 'newer')
    expect(await readFile(path, 'utf8')).toBe('newer')
  }, 30_000)
})
