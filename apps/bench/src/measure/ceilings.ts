import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Ceilings } from '../contract.ts'
import type { CpuCeilings } from './ceilingsProcess.ts'
import type { Width } from './peakModule.ts'

/** In a process of its own: the flag that merges vectors is the whole process's. Undefined where it fails. */
function inProcess(width: Width, seconds: number): Promise<CpuCeilings | undefined> {
  const script = fileURLToPath(new URL('ceilingsProcess.ts', import.meta.url))
  const child = fork(script, [width, String(seconds)], {
    execArgv: ['--conditions=@tessella/source', '--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  return new Promise((resolve) => {
    child.on('message', (found: CpuCeilings) => resolve(found))
    child.on('error', () => resolve(undefined))
    child.on('exit', () => resolve(undefined))
  })
}

/** Measures what the processor can do at most; undefined on an engine without relaxed SIMD. */
export async function measureCeilings(seconds: number): Promise<Ceilings | undefined> {
  const narrow = await inProcess('narrow', seconds)
  if (narrow === undefined) return undefined
  const wide = await inProcess('wide', seconds)
  // Where pairs are not merged, the same loop is slower: no ceiling of anything.
  if (wide === undefined || wide.fma <= narrow.fma) return narrow
  return { ...narrow, fmaWide: wide.fma, fmaWideAll: wide.fmaAll }
}
