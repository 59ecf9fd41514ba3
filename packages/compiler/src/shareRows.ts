import { accessOf, mayOverwrite } from './access.ts'
import { mapLeaves } from './expr.ts'
import { livesOf } from './memory.ts'
import type { BufferPlan, Expr, Kernel } from './program.ts'

type RowsKernel = Extract<Kernel, { kind: 'rows' }>

/**
 * What one pass keeps for a later one of the same kernel waits in the place of a value that the later pass stores at the
 * same elements: softmax keeps its exponentials in its result. Replaces such kernels in the list.
 */
export function shareRowBuffers(buffers: readonly BufferPlan[], kernels: Kernel[]): void {
  if (!kernels.some((kernel) => kernel.kind === 'rows')) return
  const lives = livesOf(kernels.map(accessOf))
  for (const [at, kernel] of kernels.entries()) {
    if (kernel.kind !== 'rows') continue
    let current: RowsKernel = kernel
    for (const { buffer } of kernel.passes.flatMap((p) => p.writes)) {
      const life = lives.get(buffer)
      const isLocal = buffers[buffer]?.place.kind === 'temporary' && life?.first === at && life.last === at
      const host = isLocal ? hostOf(buffers, current, buffer) : undefined
      if (host !== undefined) current = rename(current, buffer, host)
    }
    kernels[at] = current
  }
}

/** A buffer of the same form that the kernel stores once, after its last load of `buffer` and at the same addresses. */
function hostOf(buffers: readonly BufferPlan[], kernel: RowsKernel, buffer: number): number | undefined {
  const access = accessOf(kernel)
  const plan = buffers[buffer] as BufferPlan
  const own = access.writes.filter((w) => w.buffer === buffer)
  const isLoaded = access.loads.some((l) => l.buffer === buffer)
  if (own.length !== 1 || !isLoaded) return undefined
  return access.writes.find((w) => {
    const other = buffers[w.buffer] as BufferPlan
    const single = access.writes.filter((v) => v.buffer === w.buffer).length === 1
    const unread = !access.operands.has(w.buffer) && !access.loads.some((l) => l.buffer === w.buffer)
    const fits = w.buffer !== buffer && other.dtype === plan.dtype && other.length === plan.length
    return fits && single && unread && mayOverwrite(access, buffer, w.buffer)
  })?.buffer
}

function rename(kernel: RowsKernel, from: number, to: number): RowsKernel {
  const of = (buffer: number) => (buffer === from ? to : buffer)
  const change = () => mapLeaves((leaf) => (leaf.kind === 'load' ? { ...leaf, buffer: of(leaf.buffer) } : leaf))
  const value = <T extends { readonly value: Expr }>(go: (e: Expr) => Expr, entry: T): T => ({
    ...entry,
    value: go(entry.value),
  })
  return {
    ...kernel,
    passes: kernel.passes.map(({ accumulators, writes }) => {
      const go = change()
      return {
        accumulators: accumulators.map((a) => value(go, a)),
        writes: writes.map((w) => ({ ...value(go, w), buffer: of(w.buffer) })),
      }
    }),
  }
}
