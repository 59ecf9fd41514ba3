import { sizeOf } from '@tessella/ir'
import type { Local } from '../wasm/assembler.ts'
import { grainFor, type KernelCode, type KernelContext } from './context.ts'
import { planReduce, type ReduceKernel } from './reducePlan.ts'
import { ReduceBody } from './reduceBody.ts'
import { type UnitSpace, unitsOf } from './units.ts'

/** Reductions: every point of the domain folds the inner domain into its accumulators, then writes. */
export function emitReduce(context: KernelContext, kernel: ReduceKernel): KernelCode {
  const plan = planReduce(kernel)
  const empty = kernel.domain.some((size) => size === 0)
  const segment = plan.lanesReduced ? 1 : Math.min(4 * plan.vectors, plan.lane?.size ?? 1)
  const cut = plan.lanesReduced ? undefined : plan.lane
  const space: UnitSpace = { outer: plan.outer, cut, segment }
  const f = context.module.function(['i32', 'i32'], [], (body, begin, end) => {
    if (!empty) new ReduceBody(context, body, kernel, plan, space).emit([begin as Local, end as Local])
  })
  const work = sizeOf(kernel.inner) * segment * kernel.accumulators.length
  return { f, units: empty ? 0 : unitsOf(space), grain: grainFor(work) }
}
