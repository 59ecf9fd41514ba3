import { type Expr, walkExprs } from '@tessella/compiler'

/** The buffers that expressions read. */
export function buffersOf(roots: readonly Expr[]): Set<number> {
  const found = new Set<number>()
  walkExprs(roots, (e) => {
    if (e.kind === 'load' || e.kind === 'gather') found.add(e.buffer)
    else if (e.kind === 'random') found.add(e.key)
  })
  return found
}
