import { binaryFns, unaryFns } from '@tessella/ir'
import { type CaseGroup, conformance, conformanceGroups } from '@tessella/testing/conformance'
import { CompiledBackend } from './support/backend.ts'
import { target } from './support/check.ts'

/** How well the host computes a function is not the compiler's affair; what it writes in other functions is. */
const known = new Set<CaseGroup>([
  ...unaryFns.filter((fn) => target.unary.has(fn)).map((fn) => `unary.${fn}` as const),
  ...binaryFns.filter((fn) => target.binary.has(fn)).map((fn) => `binary.${fn}` as const),
])
const only = [...conformanceGroups().keys()].filter((group) => !known.has(group))

conformance({ name: 'compiler', create: async () => new CompiledBackend(target), only })
