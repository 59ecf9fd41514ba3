import type { BinaryFn, DType, OpName, UnaryFn } from '@tessella/ir'
import { buildCase } from './case.ts'
import { type CaseGroup, conformanceGroups } from './conformance.ts'
import { opGradients } from './gradients/opGradients.ts'
import { binaryGradients, unaryGradients } from './gradients/scalarGradients.ts'

/** What the suites check of one operation or scalar function. */
export interface Coverage {
  readonly group: Exclude<CaseGroup, 'programs'>
  /** The dtypes that meet in each of its cases; a backend without one of them must refuse the case. */
  readonly cases: readonly ReadonlySet<DType>[]
  /** Functions whose gradient is compared with differences, 'none' where the result has no gradient, 'special' for a test of its own. */
  readonly gradients: number | 'none' | 'special'
}

function gradientsOf(group: Coverage['group']): Coverage['gradients'] {
  const [kind, fn] = group.split('.')
  if (fn === undefined) {
    const cases = opGradients[group as OpName]
    return typeof cases === 'string' ? cases : cases.length
  }
  const cases = kind === 'unary' ? unaryGradients.get(fn as UnaryFn) : binaryGradients.get(fn as BinaryFn)
  return cases?.length || 'none'
}

/** One entry per operation and function, in the order of the language. */
export function coverage(): readonly Coverage[] {
  return [...conformanceGroups()].flatMap(([group, cases]) =>
    group === 'programs'
      ? []
      : [{ group, cases: cases.map((c) => buildCase(c).dtypes), gradients: gradientsOf(group) }],
  )
}
