import { cpu } from '@tessella/backend-cpu'
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

/** Throws the backend's own error where there is no adapter. */
export async function openWgpu(_: OpenOptions): Promise<Session> {
  const { wgpu } = await import('@tessella/backend-wgpu')
  const backend = await wgpu()
  return openTessella(backend, { version: `${version}, ${backend.adapter}`, threads: 1 })
}
