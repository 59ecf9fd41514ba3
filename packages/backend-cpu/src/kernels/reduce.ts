import type { Kernel } from '@tessella/compiler'
import { sizeOf } from '@tessella/ir'
import type { Local } from '../wasm/assembler.ts'
import { grainFor, type KernelCode, type KernelContext } from './context.ts'
import { ReduceBody } from './reduceBody.ts'
import { planReduce, reductionOf } from './reducePlan.ts'
import { type UnitSpace, unitsOf } from './units.ts'
import { weightOf } from './weight.ts'

/** Reductions: every point of the domain walks the inner domain, once per pass, then writes its results. */
export function emitReduce(context: KernelContext, kernel: Extract<Kernel, { kind: 'reduce' | 'rows' }>): KernelCode {
  const wide = context.features.wide === true
  const reduction = reductionOf(kernel, wide)
  const plan = planReduce(reduction, wide)
  const empty = kernel.domain.some((size) => size === 0)
  const segment = plan.lanesReduced ? 1 : Math.min(4 * plan.vectors, plan.lane?.size ?? 1)
  const cut = plan.lanesReduced ? undefined : plan.lane
  const space: UnitSpace = { outer: plan.outer, cut, segment }
  const f = context.module.function(['i32', 'i32'], [], (body, begin, end) => {
    if (!empty) new ReduceBody(context, body, reduction, plan, space).emit([begin as Local, end as Local])
  })
  const values = reduction.passes.flatMap((p) => [...p.accumulators, ...p.writes].map((x) => x.value))
  const work = sizeOf(kernel.inner) * segment * Math.max(1, weightOf(values) / 4)
  return { f, units: empty ? 0 : unitsOf(space), grain: grainFor(work) }
}
