import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Ceilings } from '../contract.ts'
import type { GpuCeilings } from './ceilingsGpu.ts'
import type { CpuCeilings } from './ceilingsProcess.ts'
import type { Width } from './peakModule.ts'

/** What a process of its own sends; undefined where it fails. */
function sentBy<T>(script: string, args: readonly string[]): Promise<T | undefined> {
  const child = fork(fileURLToPath(new URL(script, import.meta.url)), args, {
    execArgv: ['--conditions=@tessella/source', '--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  return new Promise((resolve) => {
    child.on('message', (found: T) => resolve(found))
    child.on('error', () => resolve(undefined))
    child.on('exit', () => resolve(undefined))
  })
}

/** The flag that merges vectors is the whole process's. */
const inProcess = (width: Width, seconds: number): Promise<CpuCeilings | undefined> =>
  sentBy('ceilingsProcess.ts', [width, String(seconds)])

/**
 * Measures what the processor can do at most, and the graphics card when it is asked for and there is one; undefined on an
 * engine without relaxed SIMD.
 */
export async function measureCeilings(seconds: number, card: boolean): Promise<Ceilings | undefined> {
  const narrow = await inProcess('narrow', seconds)
  if (narrow === undefined) return undefined
  const gpu = card ? await sentBy<GpuCeilings>('ceilingsGpu.ts', [String(seconds)]) : undefined
  const found = { ...narrow, ...(gpu && { gpu }) }
  const wide = await inProcess('wide', seconds)
  // Where pairs are not merged, the same loop is slower: no ceiling of anything.
  if (wide === undefined || wide.fma <= narrow.fma) return found
  return { ...found, fmaWide: wide.fma, fmaWideAll: wide.fmaAll }
}
