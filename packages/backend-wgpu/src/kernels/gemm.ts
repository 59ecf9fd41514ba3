import type { Dispatch } from '../kernel.ts'
import { Shader } from '../wgsl/shader.ts'
import { buffersOf } from './buffers.ts'
import { bindingsOf, type KernelContext } from './context.ts'
import { emitFoldGemm, foldGroups } from './gemmFold.ts'
import { emitTileGemm, tileFor } from './gemmTile.ts'
import { pointsPerGroup } from './indices.ts'
import type { Gemm, GemmSink } from './product.ts'
import { writeLines } from './writes.ts'

/** Multiplications for which more than one workgroup row per result is worth a second dispatch. */
const splitWork = 1 << 20
/** Workgroups that keep a large device busy. */
const manyGroups = 256
/** Least part of k. */
const leastPart = 128

/** Whether a large k may be cut: the sum of the parts needs a binding beside those of the stores. */
function mostSplits(gemm: Gemm, context: KernelContext, groups: number): number {
  const { capabilities } = context
  const values = gemm.writes.map((w) => w.value)
  const before = bindingsOf([gemm.a.buffer, gemm.b.buffer], context)
  const after = bindingsOf([...buffersOf(values), ...gemm.writes.map((w) => w.buffer)], context)
  if (Math.max(before, after) >= capabilities.maxStorageBuffers) return 1
  if (gemm.batch * gemm.m * gemm.n * gemm.k < splitWork) return 1
  const room = capabilities.maxBindingBytes / (4 * gemm.batch * gemm.m * gemm.n)
  return Math.max(1, Math.floor(Math.min(manyGroups / groups, gemm.k / leastPart, room)))
}

export function emitGemm(gemm: Gemm, context: KernelContext): readonly Dispatch[] {
  const tile = tileFor(gemm, context.capabilities)
  const emit = (sink: GemmSink): Dispatch =>
    tile ? emitTileGemm(gemm, tile, sink, context) : emitFoldGemm(gemm, sink, context)
  const groups = tile ? gemm.batch * Math.ceil(gemm.m / tile.m) * Math.ceil(gemm.n / tile.n) : foldGroups(gemm, context)
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
