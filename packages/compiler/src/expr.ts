import type { Expr } from './program.ts'

/** The operands of an expression. */
export function operandsOf(e: Expr): readonly Expr[] {
  switch (e.kind) {
    case 'unary':
    case 'cast':
      return [e.x]
    case 'binary':
      return [e.a, e.b]
    case 'select':
      return [e.condition, e.a, e.b]
    case 'gather':
      return [e.index]
    default:
      return []
  }
}

/** Every expression below the roots once, operands before users. */
export function walkExprs(roots: Iterable<Expr>, visit: (e: Expr) => void): void {
  const seen = new Set<Expr>()
  const go = (e: Expr): void => {
    if (seen.has(e)) return
    seen.add(e)
    for (const operand of operandsOf(e)) go(operand)
    visit(e)
  }
  for (const root of roots) go(root)
}

type Leaf = Extract<Expr, { kind: 'load' | 'index' | 'random' | 'gather' }>

/** The same expressions with other leaves; what is shared stays shared. */
export const mapLeaves = (change: (leaf: Leaf) => Leaf): ((e: Expr) => Expr) =>
  mapExprs((e) => {
    switch (e.kind) {
      case 'load':
      case 'index':
      case 'random':
      case 'gather':
        return change(e)
      default:
        return e
    }
  })

/** The same expressions, each changed after its operands, with what it was; what is shared stays shared. */
export function mapExprs(change: (e: Expr, original: Expr) => Expr): (e: Expr) => Expr {
  const done = new Map<Expr, Expr>()
  const go = (e: Expr): Expr => {
    const known = done.get(e)
    if (known) return known
    const out = change(rebuilt(e), e)
    done.set(e, out)
    return out
  }
  const rebuilt = (e: Expr): Expr => {
    switch (e.kind) {
      case 'gather':
        return { ...e, index: go(e.index) }
      case 'unary':
      case 'cast':
        return { ...e, x: go(e.x) }
      case 'binary':
        return { ...e, a: go(e.a), b: go(e.b) }
      case 'select':
        return { ...e, condition: go(e.condition), a: go(e.a), b: go(e.b) }
      default:
        return e
    }
  }
  return go
}
