import type { Shader } from '../wgsl/shader.ts'
import { type Panel, panelText } from './panel.ts'
import type { Gemm, GemmSink } from './product.ts'

/** What a workgroup computes: m x n results from two panels, which are `k` deep. */
export interface PanelTile {
  readonly m: number
  readonly n: number
  readonly k: number
}

/** Statements of a workgroup's work, beside those that fill the panels `panel_a` and `panel_b`. */
export interface PanelWork {
  /** Declares the sums. */
  readonly before: readonly string[]
  /** Adds the products of the panels. */
  readonly each: readonly string[]
  readonly after: readonly string[]
}

/** Workgroups for a product without cutting k. */
export const tileGroups = ({ batch, m, n }: Gemm, tile: PanelTile): number =>
  batch * Math.ceil(m / tile.m) * Math.ceil(n / tile.n)

/**
 * The body of a workgroup that goes along k in panels. In the statements, `tile_m`, `tile_n`, `batch` and, where k is
 * cut, `split` tell which part of the results is computed.
 */
export function overPanels(
  shader: Shader,
  gemm: Gemm,
  tile: PanelTile,
  sink: GemmSink,
  panel: Pick<Panel, 'size' | 'holds' | 'spare'>,
  work: PanelWork,
): string[] {
  const { batch, m, n, k } = gemm
  const across = Math.ceil(n / tile.n)
  const down = Math.ceil(m / tile.m)
  const part = Math.ceil(k / sink.splits / tile.k) * tile.k
  const cut = sink.splits > 1
  const shared = { depth: tile.k, k, ...panel }
  const a = panelText(shader, gemm.a, {
    name: 'panel_a',
    lines: tile.m,
    first: `tile_m * ${tile.m}`,
    end: m,
    ...shared,
  })
  const b = panelText(shader, gemm.b, {
    name: 'panel_b',
    lines: tile.n,
    first: `tile_n * ${tile.n}`,
    end: n,
    ...shared,
  })
  return [
    `let tile_n = group % ${across};`,
    `let tile_m = (group / ${across}) % ${down};`,
    `let batch = (group / ${across * down}) % ${batch};`,
    ...(cut ? [`let split = group / ${across * down * batch};`] : []),
    ...work.before,
    `let last = ${cut ? `min((split + 1) * ${part}, ${k})` : k};`,
    ...a.before,
    ...b.before,
    `for (var base = ${cut ? `split * ${part}` : '0'}; base < last; base += ${tile.k}) {`,
    ...a.fill,
    ...b.fill,
    'workgroupBarrier();',
    ...work.each,
    'workgroupBarrier();',
    '}',
    ...work.after,
  ]
}
