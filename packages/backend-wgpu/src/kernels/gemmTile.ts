import type { Capabilities } from '../device/capabilities.ts'
import type { Dispatch } from '../kernel.ts'
import { Shader } from '../wgsl/shader.ts'
import type { KernelContext } from './context.ts'
import { powerAbove } from './indices.ts'
import { overPanels, type PanelTile, tileGroups } from './panelLoop.ts'
import type { Gemm, GemmSink } from './product.ts'

/** A workgroup computes m x n results from panels k deep; each invocation 4 * quadsM x 4 * quadsN of them. */
export interface Tile extends PanelTile {
  readonly quadsM: number
  readonly quadsN: number
}

const large: Tile = { m: 128, n: 128, k: 8, quadsM: 2, quadsN: 2 }

const invocations = ({ m, n, quadsM, quadsN }: Tile): number => (m * n) / (16 * quadsM * quadsN)

/** Below this size in either direction most of any tile would be idle. */
const thin = 5
/** Results from which large tiles still make enough workgroups. */
const manyResults = 1 << 20
/** Results of a tile whose invocations have sixteen each. */
const mostResults = 4096

/** The tile for a product, or undefined where results are better computed one by one. */
export function tileFor({ batch, m, n, k }: Gemm, { maxInvocations }: Capabilities): Tile | undefined {
  if (maxInvocations < 256 || m < thin || n < thin || k < 4 || batch * m * n * k < 32768) return undefined
  if (m >= 256 && n >= 256 && batch * m * n >= manyResults) return large
  // The shorter side first, as far as it goes; then the longer one fills the workgroup.
  const short = Math.min(64, Math.max(8, powerAbove(Math.min(m, n))))
  const long = Math.min(mostResults / short, 256, Math.max(16, powerAbove(Math.max(m, n))))
  const [tileM, tileN] = m <= n ? [short, long] : [long, short]
  return { m: tileM, n: tileN, k: short + long > 160 ? 8 : 16, quadsM: 1, quadsN: 1 }
}

/** Panels of both operands in workgroup memory, in float32 or rounded to float16; sums in registers, in float32. */
export function emitTileGemm(gemm: Gemm, tile: Tile, sink: GemmSink, context: KernelContext): Dispatch {
  const shader = new Shader(context)
  const size = invocations(tile)
  const half = context.capabilities.precision === 'medium'
  const columns = tile.n / (4 * tile.quadsN)
  const body = overPanels(
    shader,
    gemm,
    tile,
    sink,
    { size, holds: half ? 'float16' : 'float32', spare: 0 },
    {
      before: [
        `let column = lane % ${columns};`,
        `let row = lane / ${columns};`,
        ...sums(tile).map((s) => `var ${s} = vec4f();`),
      ],
      each: [`for (var d = 0; d < ${tile.k}; d++) {`, ...productLines(tile, half), '}'],
      after: storeLines(shader, gemm, tile, sink),
    },
  )
  const label = half ? `${gemm.label} in float16` : gemm.label
  return shader.finish({ label, size, groups: tileGroups(gemm, tile) * sink.splits, body })
}

/** sum_i_j: row i of the invocation's block, quad j of its columns. */
function sums({ quadsM, quadsN }: Tile): string[] {
  const names: string[] = []
  for (let i = 0; i < 4 * quadsM; i++) for (let j = 0; j < quadsN; j++) names.push(`sum_${i}_${j}`)
  return names
}

function productLines({ m, n, quadsM, quadsN }: Tile, half: boolean): string[] {
  const out: string[] = []
  const from = (at: string) => (half ? `vec4f(${at})` : at)
  for (let i = 0; i < quadsM; i++) out.push(`let a${i} = ${from(`panel_a[d * ${m / 4} + row * ${quadsM} + ${i}]`)};`)
  for (let j = 0; j < quadsN; j++) out.push(`let b${j} = ${from(`panel_b[d * ${n / 4} + column * ${quadsN} + ${j}]`)};`)
  for (let i = 0; i < 4 * quadsM; i++)
    for (let j = 0; j < quadsN; j++)
      out.push(`sum_${i}_${j} = fma(vec4f(a${Math.floor(i / 4)}.${'xyzw'[i % 4]}), b${j}, sum_${i}_${j});`)
  return out
}

/** The block leaves through a small loop, so that the epilogue's text is there once. */
function storeLines(shader: Shader, { m, n }: Gemm, tile: Tile, sink: GemmSink): string[] {
  const { quadsM, quadsN } = tile
  const rows = 4 * quadsM
  const columns = 4 * quadsN
  const list = sums(tile)
  return [
    `var block = array<vec4f, ${list.length}>(${list.join(', ')});`,
    `for (var e = 0; e < ${rows * columns}; e++) {`,
    `let r = tile_m * ${tile.m} + row * ${rows} + e / ${columns};`,
    `let c = tile_n * ${tile.n} + column * ${columns} + e % ${columns};`,
    `if (r < ${m} && c < ${n}) {`,
    'let sum = block[e / 4][e % 4];',
    ...sink.lines(shader, 'batch', 'r', 'c', 'sum'),
    '}',
    '}',
  ]
}
