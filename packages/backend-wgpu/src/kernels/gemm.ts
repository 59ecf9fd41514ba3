import type { Dispatch } from '../kernel.ts'
import { Shader } from '../wgsl/shader.ts'
import type { KernelContext } from './context.ts'
import { emitFoldGemm, foldGroups } from './gemmFold.ts'
import { emitMatrixGemm } from './gemmMatrix.ts'
import { emitTileGemm, tileFor } from './gemmTile.ts'
import { pointsPerGroup } from './indices.ts'
import { matrixTileFor } from './matrixPlan.ts'
import { tileGroups } from './panelLoop.ts'
import type { Gemm, GemmSink } from './product.ts'
import { mostSplits } from './splits.ts'
import { writeLines } from './writes.ts'

/** A way to make a product, for its shape on this device. */
interface Variant {
  /** Workgroups without cutting k. */
  readonly groups: number
  emit(sink: GemmSink): Dispatch
}

/** The same answer for the same shape and record of the device: subgroups' matrices, tiles, or results one by one. */
function variantFor(gemm: Gemm, context: KernelContext): Variant {
  const tile = tileFor(gemm, context.capabilities)
  if (tile === undefined)
    return { groups: foldGroups(gemm, context), emit: (sink) => emitFoldGemm(gemm, sink, context) }
  const matrices = matrixTileFor(gemm, context.capabilities)
  if (matrices)
    return { groups: tileGroups(gemm, matrices), emit: (sink) => emitMatrixGemm(gemm, matrices, sink, context) }
  return { groups: tileGroups(gemm, tile), emit: (sink) => emitTileGemm(gemm, tile, sink, context) }
}

export function emitGemm(gemm: Gemm, context: KernelContext): readonly Dispatch[] {
  const { groups, emit } = variantFor(gemm, context)
  const splits = mostSplits(gemm, context, groups)
  if (splits === 1) return [emit(storing(gemm))]
  const results = gemm.batch * gemm.m * gemm.n
  const slot = context.slots.scratch(4 * results * splits)
  const part: GemmSink = {
    splits,
    lines: (shader, batch, m, n, value) => {
      const at = `((split * ${gemm.batch} + ${batch}) * ${gemm.m} + ${m}) * ${gemm.n} + ${n}`
      return [shader.store({ slot, dtype: 'float32' }, at, value)]
    },
  }
  return [emit(part), addParts(gemm, slot, splits, context)]
}

const storing = (gemm: Gemm): GemmSink => ({
  splits: 1,
  lines: (shader, batch, m, n, value) => {
    const { names, lines } = gemm.point(shader, batch, m, n)
    return [...lines, ...writeLines(shader, gemm.writes, { indices: names, results: [value] })]
  },
})

/** The results of the parts, added in order, and the kernel's stores. */
function addParts(gemm: Gemm, slot: number, splits: number, context: KernelContext): Dispatch {
  const shader = new Shader(context)
  const results = gemm.batch * gemm.m * gemm.n
  const size = pointsPerGroup(results)
  const load = shader.load({ slot, dtype: 'float32' }, `part * ${results} + point`)
  const body = [
    `let point = group * ${size} + lane;`,
    `if (point < ${results}) {`,
    'var sum = 0.0f;',
    `for (var part = 0; part < ${splits}; part++) { sum += ${load}; }`,
    `let column = point % ${gemm.n};`,
    `let row = (point / ${gemm.n}) % ${gemm.m};`,
    `let batch = point / ${gemm.n * gemm.m};`,
    ...storing(gemm).lines(shader, 'batch', 'row', 'column', 'sum'),
    '}',
  ]
  return shader.finish({ label: `${gemm.label}, join`, size, groups: Math.ceil(results / size), body })
}
