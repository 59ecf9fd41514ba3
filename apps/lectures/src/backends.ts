import { cpu } from '@tessella/backend-cpu'
import { wgpu } from '@tessella/backend-wgpu'
import type { Backend } from '@tessella/ir'
import { useBackend } from '@tessella/tensor'
import { reference } from '@tessella/testing'
import type { BackendName, Options } from './options.ts'
import { plural } from './report/numbers.ts'

type Choice = Pick<Options, 'threads' | 'wide'>

/** A backend, and what it came to be, for people. */
interface Opened {
  readonly backend: Backend
  readonly title: string
}

const openers: Readonly<Record<BackendName, (choice: Choice) => Opened | Promise<Opened>>> = {
  cpu: ({ threads, wide }) => {
    const backend = cpu({ ...(threads !== undefined && { threads }), wide })
    const vectors = backend.wide ? '256-bit (wide)' : '128-bit'
    return { backend, title: `cpu, ${plural(backend.threads, 'thread')}, ${vectors} vectors` }
  },
  wgpu: async () => {
    const backend = await wgpu()
    return { backend, title: `wgpu, ${backend.adapter}` }
  },
  reference: () => ({ backend: reference(), title: 'reference' }),
}

/** Opens and attaches the backend of that name; answers its title. */
export async function openBackend(name: BackendName, choice: Choice): Promise<string> {
  const { backend, title } = await openers[name](choice)
  await useBackend(backend)
  return title
}
