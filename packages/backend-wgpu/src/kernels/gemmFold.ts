import type { Dispatch } from '../kernel.ts'
import { Shader } from '../wgsl/shader.ts'
import { running, SharedArrays } from './accumulators.ts'
import type { KernelContext } from './context.ts'
import { type FoldLayout, joinLines, layoutLines, sizeOfLayout } from './fold.ts'
import { powerAbove } from './indices.ts'
import { declareElement, type Gemm, type GemmSink } from './product.ts'
import { rowLayout } from './reducePlan.ts'

const sum = { fn: 'sum', value: { kind: 'constant', dtype: 'float32', value: 0 } } as const

/** Each result by itself: for products too thin or too small for tiles. */
export function emitFoldGemm(gemm: Gemm, sink: GemmSink, context: KernelContext): Dispatch {
  const shader = new Shader(context)
  const { batch, m, n, k } = gemm
  const results = batch * m * n
  const part = Math.ceil(k / sink.splits)
  const layout = layoutOf(gemm, part, context)
  const total = results * sink.splits
  const all = [running(shader, sum)]
  const [acc] = all
  const arrays = new SharedArrays(shader, sizeOfLayout(layout))
  declareElement(shader, 'a_at', gemm.a, [])
  declareElement(shader, 'b_at', gemm.b, [])
  const end = sink.splits === 1 ? `${k}` : `min((split + 1) * ${part}, ${k})`
  const value = acc?.value ?? '0.0f'
  const body = [
    ...layoutLines(layout, total),
    `let column = output % ${n};`,
    `let row = (output / ${n}) % ${m};`,
    `let batch = (output / ${n * m}) % ${batch};`,
    ...(sink.splits === 1 ? [] : [`let split = output / ${results};`]),
    ...all.flatMap((r) => r.declare),
    `for (var k = ${sink.splits === 1 ? '' : `split * ${part} + `}turn; k < select(0, ${end}, live); k += ${layout.lanes}) {`,
    `${value} += a_at(batch, row, k, ${k}) * b_at(batch, column, k, ${k});`,
    '}',
    ...joinLines(shader, layout, all, arrays, false),
    'if (live && turn == 0) {',
    ...sink.lines(shader, 'batch', 'row', 'column', value),
    '}',
  ]
  const groups = Math.ceil(total / layout.outputs)
  return shader.finish({ label: gemm.label, size: sizeOfLayout(layout), groups, body })
}

/** Workgroups of a product without cutting k. */
export const foldGroups = (gemm: Gemm, context: KernelContext): number =>
  Math.ceil((gemm.batch * gemm.m * gemm.n) / layoutOf(gemm, gemm.k, context).outputs)

/** Lanes along k where that is how the larger operand lies in memory. */
function layoutOf({ m, n, a, b, batch }: Gemm, k: number, { capabilities }: KernelContext): FoldLayout {
  const most = Math.min(capabilities.maxInvocations, 256)
  const results = batch * m * n
  const large = n > m ? b : a
  if (large.alongK) return rowLayout(results, k, most)
  const outputs = Math.min(powerAbove(results), results >= 16384 ? most : 32)
  return { lanes: Math.min(powerAbove(k / 4), most / outputs), outputs, along: 'outputs' }
}
