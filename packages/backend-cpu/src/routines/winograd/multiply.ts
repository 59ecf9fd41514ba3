import type { Dims } from '@tessella/ir'
import type { KernelContext } from '../../kernels/context.ts'
import type { FunctionBuilder, FunctionRef, Local, ValueType } from '../../wasm/assembler.ts'
import { mostRows, positionBlocks } from '../blocks.ts'
import type { Piece, Sink } from '../sink.ts'
import { splitEvenly } from '../split.ts'
import { emitTiles, loadVector, type SumLoop, storeVector } from '../tile.ts'

/** Puts tiles into a matrix: bytes from row to row, floats side by side along dimension 2. */
class Into implements Sink {
  readonly params: readonly ValueType[] = ['i32']
  readonly #steps: Dims
  readonly #added: boolean

  /** `added`: to what is there. */
  constructor(rowBytes: number, added: boolean) {
    this.#steps = [0, rowBytes, 4]
    this.#added = added
  }

  advance(f: FunctionBuilder, bases: readonly Local[], dimension: number, amount: number): void {
    f.bump(bases[0] as Local, amount * (this.#steps[dimension] as number))
  }

  mergeable(): boolean {
    return true
  }

  emit(f: FunctionBuilder, [base]: readonly Local[], _laneDimension: number, pieces: readonly Piece[]): void {
    const placed = pieces.map((p) => ({
      ...p,
      offset: p.shifts.reduce((sum, s, d) => sum + s * (this.#steps[d] as number), 0),
    }))
    // Loads come before stores, and stores side by side, for engines that merge neighbours.
    if (this.#added)
      for (const { offset, lanes, result } of placed) {
        loadVector(f, base as Local, offset, lanes)
        f.get(result)
        f.op('f32x4.add')
        f.set(result)
      }
    for (const { offset, lanes, result } of placed) storeVector(f, base as Local, offset, lanes, result)
  }
}

/** Products of matrices [rows, k] and [k, columns], one after the other, in bytes: left and right operand and result. */
export interface Products {
  readonly count: number
  readonly rows: number
  readonly columns: number
  /** Columns whose right operands lie together, in panels: a multiple of 16. */
  readonly panel: number
  /** Bytes from product to product, row to row, and panel to panel. */
  readonly left: { readonly product: number; readonly row: number }
  readonly right: { readonly product: number; readonly panel: number }
  readonly result: { readonly product: number; readonly row: number }
  /** The sum over k: bytes that the operands move. */
  readonly sum: SumLoop
  /** Whether results are added to what is there. */
  readonly added: boolean
}

/** A function (left, right, results). */
export function emitProducts(context: KernelContext, p: Products): FunctionRef {
  return context.module.helper(`products ${JSON.stringify(p)}`, ['i32', 'i32', 'i32'], [], (f, ...params) => {
    const wide = context.features.wide === true
    const split = splitEvenly(p.rows, mostRows)
    const tiles = (rows: number, columns: number): FunctionRef =>
      emitTiles(context, new Into(p.result.row, p.added), {
        rows,
        rowStep: p.left.row,
        rowDimension: 1,
        laneDimension: 2,
        loops: [p.sum],
        taps: [{ splat: 0, vector: 0 }],
        blocks: positionBlocks({ output: [1, 1, columns], outputStep: [0, 0], spatial: 1, tail: 'exact', wide }, rows),
      })
    const rest = p.columns % p.panel
    const panels = [
      { count: Math.floor(p.columns / p.panel), columns: p.panel },
      { count: rest > 0 ? 1 : 0, columns: rest },
    ]
      .filter((panel) => panel.count > 0)
      .map((panel) => ({
        ...panel,
        heights: [
          { count: split.large, rows: split.small + 1 },
          { count: split.pieces - split.large, rows: split.small },
        ]
          .filter((h) => h.count > 0)
          .map((h) => ({ ...h, f: tiles(h.rows, panel.columns) })),
      }))
    const [left, right, results] = params as [Local, Local, Local]
    f.times(p.count, () => {
      for (const { count, heights } of panels)
        f.times(count, () => {
          for (const { count: pieces, rows, f: callee } of heights)
            f.times(pieces, () => {
              for (const arg of [left, right, results]) f.get(arg)
              f.call(callee)
              f.bump(left, rows * p.left.row)
              f.bump(results, rows * p.result.row)
            })
          f.bump(left, -p.rows * p.left.row)
          f.bump(results, 4 * p.panel - p.rows * p.result.row)
          f.bump(right, p.right.panel)
        })
      const all = panels.reduce((sum, { count }) => sum + count, 0)
      f.bump(left, p.left.product)
      f.bump(right, p.right.product - all * p.right.panel)
      f.bump(results, p.result.product - all * 4 * p.panel)
    })
  })
}
