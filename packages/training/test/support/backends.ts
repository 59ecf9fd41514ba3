import { cpu } from '@tessella/backend-cpu'
import type { Backend } from '@tessella/ir'
import { reference } from '@tessella/testing'

/** The backends that the important tests run on. */
export const backends: readonly (readonly [name: string, make: () => Backend | Promise<Backend>])[] = [
  ['reference', reference],
  ['cpu', () => cpu()],
]
