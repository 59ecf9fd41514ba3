import { sizeOf, stridesOf } from '@tessella/ir'
import type { KernelCode, KernelContext } from '../kernels/context.ts'
import { weightOf } from '../kernels/weight.ts'
import type { FunctionBuilder } from '../wasm/assembler.ts'
import { addScaled, Epilogue } from './epilogue.ts'
import { emitFinish } from './finish.ts'
import { emitDotProducts } from './matmulDots.ts'
import { packing, scratchBytes } from './matmulPacking.ts'
import { type MatmulKernel, mergedRows, type Plan, planOf, transposed } from './matmulPlan.ts'
import { emitThinProduct, isThin } from './matmulThin.ts'
import { multiplication } from './matmulTiled.ts'
import { aligned, workspace } from './workspace.ts'

export function emitMatmul(context: KernelContext, kernel: MatmulKernel): readonly KernelCode[] {
  if (sizeOf(kernel.domain) === 0) return []
  const weight = weightOf(kernel.writes.map((w) => w.value))
  const epilogue = new Epilogue(context, kernel.writes)
  const plan = planFor(context, kernel, epilogue)
  const thin = emitThin(context, kernel, plan)
  if (thin) return thin
  if (weight <= mostWeight || kernel.dtype !== 'float32') return emitProduct(context, plan, epilogue)
  const columns = kernel.domain.length - 1
  // The finish goes along rows: those of the transposed product where the epilogue's elements lie that way.
  const turn = epilogue.apart(columns) > epilogue.apart(columns - 1)
  return withFinish(context, turn ? transposed(kernel) : kernel)
}

/** A product of a few rows, with its lanes along the last dimension. */
function emitThin(context: KernelContext, kernel: MatmulKernel, plan: Plan): readonly KernelCode[] | undefined {
  if (!isThin(kernel, plan)) return undefined
  if (plan.laneDimension === plan.rank - 1) return emitThinProduct(context, kernel, plan)
  const turned = transposed(kernel)
  const other = planFor(context, turned, new Epilogue(context, turned.writes))
  return isThin(turned, other) && other.laneDimension === other.rank - 1
    ? emitThinProduct(context, turned, other)
    : undefined
}

/**
 * Epilogues heavier than this (an Adam update, GELU) run apart, over results that lie in scratch memory: beside the
 * accumulators of a tile they would not find enough registers. An update by SGD weighs 5.
 */
const mostWeight = 12

function withFinish(context: KernelContext, kernel: MatmulKernel): readonly KernelCode[] {
  const { domain } = kernel
  const results = -1
  const storing = (offset: number): MatmulKernel => ({
    ...kernel,
    writes: [
      {
        buffer: results,
        at: { offset: offset / 4, strides: stridesOf(domain) },
        value: { kind: 'result', dtype: 'float32', index: 0 },
      },
    ],
  })
  const inside = (bytes: number): KernelContext => ({
    ...context,
    dtypeOf: (buffer) => (buffer === results ? 'float32' : context.dtypeOf(buffer)),
    slot: (buffer) => (buffer === results ? context.scratch(bytes) : context.slot(buffer)),
  })
  const first = storing(0)
  const plan = planFor(context, first, new Epilogue(inside(0), first.writes))
  // Behind the panels, and with room for reading a whole vector at the end.
  const panels = plan.packed ? aligned(scratchBytes(plan)) : 0
  const bytes = panels + 4 * sizeOf(domain) + 16
  const product = storing(panels)
  const within = inside(bytes)
  const { shared } = workspace(context, bytes, 0)
  const address = (f: FunctionBuilder): void => {
    shared(f)
    addScaled(f, 1, panels)
  }
  return [
    ...emitProduct(within, plan, new Epilogue(within, product.writes)),
    emitFinish(context, new Epilogue(context, kernel.writes), domain, { address, copies: 1, copyBytes: 0 }),
  ]
}

function planFor(context: KernelContext, kernel: MatmulKernel, epilogue: Epilogue): Plan {
  const wide = context.features.wide === true
  return planOf(mergedRows(kernel, epilogue.forms), {
    mergeable: (dimension) => wide && epilogue.mergeable(dimension),
    apart: (dimension) => epilogue.apart(dimension),
    repeatable: epilogue.repeatable,
  })
}

function emitProduct(context: KernelContext, plan: Plan, epilogue: Epilogue): readonly KernelCode[] {
  if (plan.dots) return [emitDotProducts(context, plan, epilogue)]
  const codes: KernelCode[] = []
  if (plan.packed) codes.push(packing(context, plan))
  codes.push(multiplication(context, plan, epilogue))
  return codes
}
