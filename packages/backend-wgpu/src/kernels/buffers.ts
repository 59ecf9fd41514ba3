import type { Expr } from '@tessella/compiler'

/** The buffers that expressions read. */
export function buffersOf(roots: readonly Expr[]): Set<number> {
  const found = new Set<number>()
  const seen = new Set<Expr>()
  const visit = (e: Expr): void => {
    if (seen.has(e)) return
    seen.add(e)
    switch (e.kind) {
      case 'load':
        found.add(e.buffer)
        return
      case 'random':
        found.add(e.key)
        return
      case 'gather':
        found.add(e.buffer)
        visit(e.index)
        return
      case 'unary':
      case 'cast':
        visit(e.x)
        return
      case 'binary':
        visit(e.a)
        visit(e.b)
        return
      case 'select':
        visit(e.condition)
        visit(e.a)
        visit(e.b)
        return
      case 'constant':
      case 'index':
      case 'result':
        return
    }
  }
  for (const root of roots) visit(root)
  return found
}
