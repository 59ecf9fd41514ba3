import type { Capabilities, MatrixShape } from '../device/capabilities.ts'
import { panelBytes } from './panel.ts'
import { type PanelTile, tileGroups } from './panelLoop.ts'
import type { Gemm } from './product.ts'
import { leastPart, manyGroups } from './splits.ts'

/** Results of a workgroup, and how its subgroups share them: so many down the rows, so many across the columns. */
interface Block {
  readonly m: number
  readonly n: number
  readonly down: number
  readonly across: number
}

/** How subgroups make a product: each has `rows` x `columns` matrices of the device's shape, side by side. */
export interface MatrixTile extends PanelTile {
  readonly shape: MatrixShape
  readonly down: number
  readonly across: number
  readonly rows: number
  readonly columns: number
  readonly holds: 'float16' | 'twice float16'
}

/** One row per class of products: large, middling, small; few rows or few columns. */
const blocks: readonly Block[] = [
  { m: 128, n: 128, down: 2, across: 4 },
  { m: 64, n: 64, down: 2, across: 2 },
  { m: 32, n: 32, down: 1, across: 2 },
  { m: 16, n: 128, down: 1, across: 4 },
  { m: 32, n: 128, down: 1, across: 4 },
  { m: 128, n: 16, down: 4, across: 1 },
  { m: 128, n: 32, down: 4, across: 1 },
]

/**
 * What bringing one float32 costs, in multiply-adds of matrices: the ratio of what cards are said to do. A rule of thumb;
 * nothing about these kernels was measured on a card.
 */
const loadCost = 64

/** Quads that keep neighbours along k apart in the banks of workgroup memory. */
export const spareQuads = 2

/** Bytes of workgroup memory: the panels, and one row of matrices of each subgroup on its way out. */
function tileBytes({ m, n, k, shape, down, holds }: MatrixTile): number {
  const bytes = (lines: number) => panelBytes({ lines, depth: k, holds, spare: spareQuads })
  return bytes(m) + bytes(n) + (holds === 'float16' ? 4 : 8) * down * shape.m * n
}

/** The block with the device's shape, as deep as memory allows; undefined where the two do not fit. */
function tileOf(block: Block, shape: MatrixShape, capabilities: Capabilities): MatrixTile | undefined {
  const { m, n, down, across } = block
  const rows = m / (down * shape.m)
  const columns = n / (across * shape.n)
  if (shape.lanes * down * across > capabilities.maxInvocations) return undefined
  if (![rows, columns, shape.m / 4, shape.n / 4].every(Number.isInteger)) return undefined
  const holds = capabilities.precision === 'high' ? 'twice float16' : 'float16'
  const depths = [32, 16, shape.k].filter((depth) => depth % shape.k === 0)
  return depths
    .map((k) => ({ m, n, k, shape, down, across, rows, columns, holds }) as const)
    .find((tile) => tileBytes(tile) <= capabilities.maxWorkgroupBytes)
}

/** Time of a product in blocks, in multiply-adds: where there are few, k is cut, and the parts are brought together. */
function costOf(gemm: Gemm, tile: MatrixTile): number {
  const groups = tileGroups(gemm, tile)
  const parts = Math.max(1, Math.min(manyGroups / groups, gemm.k / leastPart))
  const each = tile.m * tile.n * (tile.holds === 'float16' ? 1 : 3) + loadCost * (tile.m + tile.n)
  const join = parts > 1 ? 2 * loadCost * parts * gemm.batch * gemm.m * gemm.n : 0
  return Math.max(groups * parts, manyGroups) * each * (gemm.k / parts) + join
}

/** The cheapest block for a product, in the device's largest shape; undefined where it has none. */
export function matrixTileFor(gemm: Gemm, capabilities: Capabilities): MatrixTile | undefined {
  const { matrices, precision } = capabilities
  if (precision === 'highest') return undefined
  const size = (s: MatrixShape) => s.m * s.n * s.k
  for (const shape of [...matrices].sort((a, b) => size(b) - size(a))) {
    const tiles = blocks.map((block) => tileOf(block, shape, capabilities)).filter((tile) => tile !== undefined)
    const [first, ...rest] = tiles
    if (first) return rest.reduce((best, tile) => (costOf(gemm, tile) < costOf(gemm, best) ? tile : best), first)
  }
  return undefined
}
