import { type Expr, walkExprs } from '@tessella/compiler'
import type { UnaryFn } from '@tessella/ir'

const heavy: ReadonlySet<UnaryFn> = new Set([
  'exp',
  'exp2',
  'expm1',
  'log',
  'log1p',
  'log2',
  'sin',
  'cos',
  'tan',
  'tanh',
  'erf',
  'atan',
  'sigmoid',
])

/** About how many instructions a point of these expressions takes. */
export function weightOf(roots: readonly Expr[]): number {
  let weight = 0
  walkExprs(roots, (e) => {
    weight += ownWeight(e)
  })
  return weight
}

function ownWeight(e: Expr): number {
  switch (e.kind) {
    case 'unary':
      return heavy.has(e.fn) ? 20 : 1
    case 'binary':
      return e.fn === 'pow' || e.fn === 'rem' || e.fn === 'atan2' ? 60 : 1
    case 'random':
      return 80
    case 'gather':
      return 12
    default:
      return 1
  }
}
