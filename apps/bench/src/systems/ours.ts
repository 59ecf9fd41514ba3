import { cpu } from '@tessella/backend-cpu'
import type { Backend } from '@tessella/ir'
import { irVersion } from '@tessella/ir'
import { reference } from '@tessella/testing'
import { flops, type Work } from '../cases/work.ts'
import { type OpenOptions, type Session, Unsupported } from './system.ts'
import { openTessella } from './tessella.ts'

const version = `ir ${irVersion}`

/** More than this keeps the interpreter busy for many seconds. */
const referenceLimit = 3e7

export const openReference = (_: OpenOptions): Promise<Session> =>
  openTessella(reference(), { version, threads: 1 }, (work: Work) => {
    if (flops(work) > referenceLimit)
      throw new Unsupported(`an interpreter: ${(flops(work) / 1e6).toFixed(0)} million operations are too many for it`)
  })

/** The same interpreter without a limit: it gives the losses that training must have. */
export const openOracle = (_: OpenOptions): Promise<Session> => openTessella(reference(), { version, threads: 1 })

export function openCpu({ threads }: OpenOptions): Promise<Session> {
  const backend = cpu({ wide: false, ...(threads === undefined ? {} : { threads }) })
  return openTessella(backend, { version, threads: backend.threads })
}

export function openCpuWide({ threads }: OpenOptions): Promise<Session> {
  const backend = cpu({ wide: true, ...(threads === undefined ? {} : { threads }) })
  if (!backend.wide) throw new Unsupported('this engine does not merge vectors to 256 bits, or its self-test failed')
  return openTessella(backend, { version, threads: backend.threads })
}

/** The WebGPU backend is found at run time: it is not there yet, or has no device. */
export async function openWgpu(_: OpenOptions): Promise<Session> {
  const name: string = '@tessella/backend-wgpu'
  let found: { wgpu?: () => Backend | Promise<Backend> }
  try {
    found = (await import(/* @vite-ignore */ name)) as typeof found
  } catch (cause) {
    throw new Unsupported('@tessella/backend-wgpu is not installed', { cause })
  }
  if (!found.wgpu) throw new Unsupported('@tessella/backend-wgpu has no function wgpu')
  return openTessella(found.wgpu(), { version, threads: 1 })
}
