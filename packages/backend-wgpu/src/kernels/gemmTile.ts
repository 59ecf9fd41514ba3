import type { Capabilities } from '../device/capabilities.ts'
import type { Dispatch } from '../kernel.ts'
import { Shader } from '../wgsl/shader.ts'
import type { KernelContext } from './context.ts'
import { powerAbove } from './indices.ts'
import { declareDigits, declareElement, declareQuad, type Gemm, type GemmOperand, type GemmSink } from './product.ts'

/** A workgroup computes m x n results from panels k deep; each invocation 4 * quadsM x 4 * quadsN of them. */
export interface Tile {
  readonly m: number
  readonly n: number
  readonly k: number
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

/** Panels of both operands in workgroup memory, k-major in quads of four lines; sums in registers. */
export function emitTileGemm(gemm: Gemm, tile: Tile, sink: GemmSink, context: KernelContext): Dispatch {
  const shader = new Shader(context)
  const { batch, m, n, k } = gemm
  const size = invocations(tile)
  const across = Math.ceil(n / tile.n)
  const down = Math.ceil(m / tile.m)
  const part = Math.ceil(k / sink.splits / tile.k) * tile.k
  const cut = sink.splits > 1
  shader.declare(`var<workgroup> panel_a: array<vec4f, ${(tile.k * tile.m) / 4}>;`)
  shader.declare(`var<workgroup> panel_b: array<vec4f, ${(tile.k * tile.n) / 4}>;`)
  const columns = tile.n / (4 * tile.quadsN)
  const shared = { depth: tile.k, k, size }
  const a = panelText(shader, gemm.a, {
    panel: 'panel_a',
    lines: tile.m,
    first: `tile_m * ${tile.m}`,
    end: m,
    ...shared,
  })
  const b = panelText(shader, gemm.b, {
    panel: 'panel_b',
    lines: tile.n,
    first: `tile_n * ${tile.n}`,
    end: n,
    ...shared,
  })
  const body = [
    `let tile_n = group % ${across};`,
    `let tile_m = (group / ${across}) % ${down};`,
    `let batch = (group / ${across * down}) % ${batch};`,
    ...(cut ? [`let split = group / ${across * down * batch};`] : []),
    `let column = lane % ${columns};`,
    `let row = lane / ${columns};`,
    ...sums(tile).map((s) => `var ${s} = vec4f();`),
    `let last = ${cut ? `min((split + 1) * ${part}, ${k})` : k};`,
    ...a.before,
    ...b.before,
    `for (var base = ${cut ? `split * ${part}` : '0'}; base < last; base += ${tile.k}) {`,
    ...a.fill,
    ...b.fill,
    'workgroupBarrier();',
    `for (var d = 0; d < ${tile.k}; d++) {`,
    ...productLines(tile),
    '}',
    'workgroupBarrier();',
    '}',
    ...storeLines(shader, gemm, tile, sink),
  ]
  return shader.finish({ label: gemm.label, size, groups: across * down * batch * sink.splits, body })
}

/** sum_i_j: row i of the invocation's block, quad j of its columns. */
function sums({ quadsM, quadsN }: Tile): string[] {
  const names: string[] = []
  for (let i = 0; i < 4 * quadsM; i++) for (let j = 0; j < quadsN; j++) names.push(`sum_${i}_${j}`)
  return names
}

interface Panel {
  readonly panel: string
  /** Lines of the panel: rows of a, or columns of b. */
  readonly lines: number
  /** The first line in the matrix, and where the matrix ends. */
  readonly first: string
  readonly end: number
  readonly depth: number
  /** All of k. */
  readonly k: number
  readonly size: number
}

interface PanelText {
  /** Lines before the loop over k, and in it. */
  readonly before: readonly string[]
  readonly fill: readonly string[]
}

/** Every invocation brings quads of four lines at one k; neighbours follow the operand's order in memory. */
function panelText(shader: Shader, operand: GemmOperand, panel: Panel): PanelText {
  const { panel: name, lines, first, end, depth, k, size } = panel
  const across = lines / 4
  const element = `${name}_at`
  const guards = [...(k % depth === 0 ? [] : ['k < last']), ...(end % lines === 0 ? [] : [`line < ${end}`])]
  // Where an invocation stays with its lines, what follows from them is computed once.
  if (!operand.alongK && size % across === 0 && declareDigits(shader, element, operand, guards)) {
    const each = [0, 1, 2, 3]
    const at = (i: number) => `${element}(batch, ${name}_${i}, ${name}_line + ${i}, base + d, last)`
    return {
      before: [
        `let ${name}_line = ${first} + (lane % ${across}) * 4;`,
        ...each.map((i) => `let ${name}_${i} = ${element}_line(${name}_line + ${i});`),
      ],
      fill: [
        `for (var d = lane / ${across}; d < ${depth}; d += ${size / across}) {`,
        `${name}[d * ${across} + lane % ${across}] = vec4f(${each.map(at).join(', ')});`,
        '}',
      ],
    }
  }
  if (operand.quads) declareQuad(shader, element, operand, guards)
  else declareElement(shader, element, operand, guards)
  const [d, quad] = operand.alongK ? [`q % ${depth}`, `q / ${depth}`] : [`q / ${across}`, `q % ${across}`]
  const at = (i: number) => `${element}(batch, line + ${i}, base + d, last)`
  const value = operand.quads ? at(0) : `vec4f(${[0, 1, 2, 3].map(at).join(', ')})`
  return {
    before: [],
    fill: [
      `for (var q = lane; q < ${across * depth}; q += ${size}) {`,
      `let d = ${d};`,
      `let quad = ${quad};`,
      `let line = ${first} + quad * 4;`,
      `${name}[d * ${across} + quad] = ${value};`,
      '}',
    ],
  }
}

function productLines({ m, n, quadsM, quadsN }: Tile): string[] {
  const out: string[] = []
  for (let i = 0; i < quadsM; i++) out.push(`let a${i} = panel_a[d * ${m / 4} + row * ${quadsM} + ${i}];`)
  for (let j = 0; j < quadsN; j++) out.push(`let b${j} = panel_b[d * ${n / 4} + column * ${quadsN} + ${j}];`)
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
