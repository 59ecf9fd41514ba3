import { buffersOf } from './buffers.ts'
import { bindingsOf, type KernelContext } from './context.ts'
import type { Gemm } from './product.ts'

/** Multiplications for which more than one workgroup row per result is worth a second dispatch. */
const splitWork = 1 << 20
/** Workgroups that keep a large device busy. */
export const manyGroups = 256
/** Least part of k. */
export const leastPart = 128

/** Whether a large k may be cut: the sum of the parts needs a binding beside those of the stores. */
export function mostSplits(gemm: Gemm, context: KernelContext, groups: number): number {
  const { capabilities } = context
  const values = gemm.writes.map((w) => w.value)
  const before = bindingsOf([gemm.a.buffer, gemm.b.buffer], context)
  const after = bindingsOf([...buffersOf(values), ...gemm.writes.map((w) => w.buffer)], context)
  if (Math.max(before, after) >= capabilities.maxStorageBuffers) return 1
  if (gemm.batch * gemm.m * gemm.n * gemm.k < splitWork) return 1
  const room = capabilities.maxBindingBytes / (4 * gemm.batch * gemm.m * gemm.n)
  return Math.max(1, Math.floor(Math.min(manyGroups / groups, gemm.k / leastPart, room)))
}
