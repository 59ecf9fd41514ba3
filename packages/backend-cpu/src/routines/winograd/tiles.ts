import type { KernelContext } from '../../kernels/context.ts'
import type { FunctionRef, Local } from '../../wasm/assembler.ts'
import type { Epilogue } from '../epilogue.ts'
import { transpose4 } from '../pack.ts'
import type { Piece } from '../sink.ts'
import { limit } from '../split.ts'
import type { Push } from '../workspace.ts'
import { type Area, type Part, pushPart } from './area.ts'
import { groupBytes, groupsOf, paddedChannels } from './channels.ts'
import type { TileLayout } from './patches.ts'
import type { Scheme } from './scheme.ts'
import { emitLinear } from './vectors.ts'

/** The results of a batch, in tiles of products. */
export interface Results {
  readonly scheme: Scheme
  readonly channels: number
  readonly width: number
  /** Tiles of a row. */
  readonly tiles: number
}

/** Rows of tiles of all channels, as a function (products, rows of tiles, rows of results left, ...running addresses). */
export class TileTransform {
  readonly #context: KernelContext
  readonly #epilogue: Epilogue
  readonly #r: Results
  readonly #layout: TileLayout
  readonly #own: Push
  readonly #half: Part
  readonly #results: Part
  /** Columns of the scratch. */
  readonly #width: number

  /** Takes its scratch from `area`, the memory that `own` pushes. */
  constructor(context: KernelContext, epilogue: Epilogue, results: Results, layout: TileLayout, area: Area, own: Push) {
    this.#context = context
    this.#epilogue = epilogue
    this.#r = results
    this.#layout = layout
    this.#own = own
    const { tile, patch } = results.scheme
    this.#width = 4 * Math.ceil((tile * results.tiles) / 4)
    this.#half = area.take(tile * patch * 32)
    this.#results = area.take(tile * this.#width * groupBytes)
  }

  emit(): FunctionRef {
    const epilogue = this.#epilogue
    const groups = groupsOf(this.#r.channels).map((g) => ({
      ...g,
      inverse: this.#emitInverse(paddedChannels(g.channels)),
      finish: this.#emitFinish(g.channels),
    }))
    const { scheme, tiles } = this.#r
    const rowBytes = tiles * this.#layout.tileBytes
    return this.#context.module.function(['i32', 'i32', 'i32', ...epilogue.params], [], (f, ...params) => {
      const [products, rows, left, ...bases] = params as [Local, Local, Local, ...Local[]]
      const [row, from, rest] = [f.local('i32'), f.local('i32'), f.local('i32')]
      const moving = epilogue.params.map((type) => f.local(type))
      const copy = (source: Local, target: Local): void => {
        f.get(source)
        f.set(target)
      }
      for (const { count, channels, inverse, finish } of groups)
        f.times(count, () => {
          for (const [i, base] of bases.entries()) copy(base, moving[i] as Local)
          copy(products, from)
          copy(left, rest)
          f.i32(0)
          f.set(row)
          f.whileBelow(row, rows, 1, () => {
            f.get(from)
            f.call(inverse)
            f.get(rest)
            for (const b of moving) f.get(b)
            f.call(finish)
            f.bump(from, rowBytes)
            f.bump(rest, -scheme.tile)
            epilogue.advance(f, moving, 2, scheme.tile)
          })
          f.bump(products, groupBytes)
          epilogue.advance(f, bases, 1, channels)
        })
    })
  }

  /** A function (products) that leaves results as [row][column][channel] in the scratch. */
  #emitInverse(lanes: number): FunctionRef {
    const { scheme, tiles } = this.#r
    const { tile, patch } = scheme
    const { planeBytes, tileBytes } = this.#layout
    const unit = this.#context.features.wide ? 2 : 1
    const bytes = 16 * unit
    const rowBytes = this.#width * groupBytes
    // Equal ones of a module are one.
    const { offset } = this.#half
    const key = JSON.stringify([lanes, tile, tiles, this.#layout, offset, this.#context.reserved])
    return this.#context.module.helper(`tiles ${key}`, ['i32'], [], (f, products) => {
      const from = products as Local
      const [half, to] = [f.local('i32'), f.local('i32')]
      const transform = { matrix: scheme.a, transposed: true }
      pushPart(f, this.#own, this.#results)
      f.set(to)
      pushPart(f, this.#own, this.#half)
      f.set(half)
      f.times(tiles, () => {
        f.times((4 * lanes) / bytes, () => {
          f.times(patch, () => {
            const steps = { from: { base: from, step: patch * planeBytes }, to: { base: half, step: patch * bytes } }
            emitLinear(f, this.#context, { ...transform, ...steps }, unit)
            f.bump(from, planeBytes)
            f.bump(half, bytes)
          })
          f.bump(half, -patch * bytes)
          f.times(tile, () => {
            const steps = { from: { base: half, step: bytes }, to: { base: to, step: groupBytes } }
            emitLinear(f, this.#context, { ...transform, ...steps }, unit)
            f.bump(half, patch * bytes)
            f.bump(to, rowBytes)
          })
          f.bump(half, -tile * patch * bytes)
          f.bump(to, bytes - tile * rowBytes)
          f.bump(from, bytes - patch * planeBytes)
        })
        f.bump(from, tileBytes - 4 * lanes)
        f.bump(to, tile * groupBytes - 4 * lanes)
      })
    })
  }

  /** A function (rows of results left, ...running addresses): the epilogue of the results in the scratch. */
  #emitFinish(channels: number): FunctionRef {
    const epilogue = this.#epilogue
    const { width, scheme } = this.#r
    const full = Math.floor(width / 4)
    return this.#context.module.function(['i32', ...epilogue.params], [], (f, ...params) => {
      const [left, ...bases] = params as [Local, ...Local[]]
      const [start, from, row] = [f.local('i32'), f.local('i32'), f.local('i32')]
      const block = [0, 1, 2, 3].map(() => f.local('v128'))
      const moving = epilogue.params.map((type) => f.local(type))
      /** Up to four columns of up to four channels. */
      const square = (columns: number, rows: number): void => {
        for (const [i, column] of block.entries()) {
          f.get(from)
          f.load('v128.load', i * groupBytes)
          f.set(column)
        }
        transpose4(f, block)
        const pieces = block
          .slice(0, rows)
          .map((result, i): Piece => ({ result, shifts: [0, i, 0, 0], first: 0, lanes: columns }))
        epilogue.emit(f, moving, 3, pieces)
      }
      const quad = (rows: number): void => {
        for (const [i, base] of bases.entries()) {
          f.get(base)
          f.set(moving[i] as Local)
        }
        f.get(start)
        f.set(from)
        f.i32(0)
        f.set(row)
        f.whileBelow(row, left, 1, () => {
          f.times(full, () => {
            square(4, rows)
            f.bump(from, 4 * groupBytes)
            epilogue.advance(f, moving, 3, 4)
          })
          if (width % 4 > 0) square(width % 4, rows)
          f.bump(from, (this.#width - 4 * full) * groupBytes)
          epilogue.advance(f, moving, 3, -4 * full)
          epilogue.advance(f, moving, 2, 1)
        })
      }
      limit(f, left, scheme.tile)
      pushPart(f, this.#own, this.#results)
      f.set(start)
      f.times(Math.floor(channels / 4), () => {
        quad(4)
        f.bump(start, 16)
        epilogue.advance(f, bases, 1, 4)
      })
      if (channels % 4 > 0) quad(channels % 4)
    })
  }
}
