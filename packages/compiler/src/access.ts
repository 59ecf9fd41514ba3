import { internalError } from '@tessella/ir'
import { sameAffine } from './affine.ts'
import { walkExprs } from './expr.ts'
import type { Affine, Expr, Kernel } from './program.ts'

/** How a kernel touches buffers. */
export interface Access {
  readonly writes: readonly { readonly buffer: number; readonly at: Affine | undefined }[]
  /** Loads at a point of the domain, before its stores. */
  readonly loads: readonly { readonly buffer: number; readonly at: Affine }[]
  /** Buffers read in another order: operands, gathers, what reductions read. */
  readonly operands: ReadonlySet<number>
}

function readsOf(roots: readonly Expr[], operands: Set<number>): { buffer: number; at: Affine }[] {
  const loads: { buffer: number; at: Affine }[] = []
  walkExprs(roots, (e) => {
    if (e.kind === 'load') loads.push({ buffer: e.buffer, at: e.at })
    else if (e.kind === 'gather') operands.add(e.buffer)
    else if (e.kind === 'random') operands.add(e.key)
  })
  return loads
}

function fixedOperands(kernel: Kernel): number[] {
  switch (kernel.kind) {
    case 'map':
    case 'reduce':
      return []
    case 'matmul':
    case 'conv':
    case 'convGradInput':
    case 'convGradWeight':
      return [kernel.a.buffer, kernel.b.buffer]
    case 'maxPool':
      return [kernel.x.buffer]
    case 'maxPoolGrad':
    case 'maxPoolPick':
      return [kernel.x.buffer, kernel.other.buffer]
    case 'cumulative':
    case 'argsort':
      return [kernel.x]
    case 'scatterAdd':
      return [kernel.index, kernel.values]
  }
}

export function accessOf(kernel: Kernel): Access {
  const operands = new Set(fixedOperands(kernel))
  if (kernel.kind === 'reduce')
    for (const { buffer } of readsOf(
      kernel.accumulators.map((a) => a.value),
      operands,
    ))
      operands.add(buffer)
  if ('out' in kernel) return { writes: [{ buffer: kernel.out, at: undefined }], loads: [], operands }
  const loads = readsOf(
    kernel.writes.map((w) => w.value),
    operands,
  )
  return { writes: kernel.writes, loads, operands }
}

/** True when the kernel may write `written` into the memory of `read`: every load of it is at the address of the store. */
export function mayOverwrite({ writes, loads, operands }: Access, read: number, written: number): boolean {
  if (operands.has(read)) return false
  const [store, ...more] = writes.filter((w) => w.buffer === written)
  if (store === undefined) throw internalError('a buffer is not written where it should be')
  const at = store.at
  if (more.length > 0 || at === undefined) return !loads.some((l) => l.buffer === read)
  return loads.every((l) => l.buffer !== read || sameAffine(l.at, at))
}
