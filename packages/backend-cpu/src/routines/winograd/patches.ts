import type { KernelContext } from '../../kernels/context.ts'
import type { FunctionBuilder, FunctionRef, Local } from '../../wasm/assembler.ts'
import { addScaled } from '../epilogue.ts'
import { transpose4 } from '../pack.ts'
import type { Push } from '../workspace.ts'
import { type Area, type Part, pushPart } from './area.ts'
import { groupBytes, groupChannels, groupsOf, paddedChannels } from './channels.ts'
import type { Matrix, Scheme } from './scheme.ts'
import { emitLinear } from './vectors.ts'

/** Where transformed patches lie: [product][tile][channel], in bytes. */
export interface TileLayout {
  readonly planeBytes: number
  readonly tileBytes: number
}

/** Square patches `tile` apart of the images of a batch, and what they are multiplied by on both sides. */
export interface Patches {
  readonly scheme: Scheme
  /** [products per side, elements per side of a patch]. */
  readonly matrix: Matrix
  readonly channels: number
  readonly height: number
  readonly width: number
  /** Rows and columns of zeros before the image. */
  readonly top: number
  readonly left: number
  /** Patches of a row. */
  readonly tiles: number
}

/** Some rows of patches of all channels of an image, as a function (image, first row of patches, end, target). */
export class PatchTransform {
  readonly #context: KernelContext
  readonly #p: Patches
  readonly #layout: TileLayout
  readonly #own: Push
  readonly #zeros: Part
  readonly #rows: Part
  readonly #columns: Part
  /** Floats of a row of the scratch. */
  readonly #width: number
  /** Equal transforms of a module share their functions. */
  readonly #key: string

  /** Takes its scratch from `area`, the memory that `own` pushes. */
  constructor(context: KernelContext, patches: Patches, layout: TileLayout, area: Area, own: Push) {
    this.#context = context
    this.#p = patches
    this.#layout = layout
    this.#own = own
    const { scheme, tiles, width } = patches
    this.#width = 4 * Math.ceil((scheme.tile * (tiles - 1) + this.#size) / 4)
    this.#zeros = area.take(4 * width)
    this.#rows = area.take(groupChannels * this.#channelBytes)
    this.#columns = area.take(groupBytes * this.#width)
    const { scheme: _, ...rest } = patches
    this.#key = JSON.stringify([scheme.tile, rest, layout, this.#zeros.offset, context.reserved])
  }

  #helper(name: string, params: number, body: (f: FunctionBuilder, ...locals: readonly Local[]) => void): FunctionRef {
    const types = Array.from({ length: params }, () => 'i32' as const)
    return this.#context.module.helper(`${name} ${this.#key}`, types, [], body)
  }

  /** Elements along one side of a patch. */
  get #size(): number {
    return (this.#p.matrix[0] as readonly number[]).length
  }

  get #channelBytes(): number {
    return this.#p.matrix.length * this.#width * 4
  }

  /** What stays zero: to be called before the transform is used. */
  clear(f: FunctionBuilder): void {
    pushPart(f, this.#own, this.#zeros)
    f.i32(0)
    f.i32(this.#columns.offset + this.#columns.bytes - this.#zeros.offset)
    f.memoryFill()
  }

  emit(): FunctionRef {
    const { channels, height, width, top, scheme, matrix } = this.#p
    const size = this.#size
    const planeBytes = 4 * width * height
    const productBytes = matrix.length * this.#layout.planeBytes
    return this.#helper('patches', 4, (f, ...params) => {
      const down = this.#emitDown()
      const groups = groupsOf(channels).map((g) => ({
        ...g,
        turn: this.#emitTurn(g.channels),
        across: this.#emitAcross(paddedChannels(g.channels)),
      }))
      const fetch = this.#emitFetch()
      const [image, first, end, target] = params as [Local, Local, Local, Local]
      // Rows of the image, or zeros; and how far the next channel's are.
      const pointers = Array.from({ length: size }, () => f.local('i32'))
      const steps = pointers.map(() => f.local('i32'))
      const [patchRow, y, to, scratch] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')]
      const point = (): void => {
        f.i32(-top)
        addScaled(f, patchRow, scheme.tile)
        f.set(y)
        for (const [i, pointer] of pointers.entries()) {
          const inside = (): void => {
            f.get(y)
            f.i32(height)
            f.op('i32.lt_u')
            f.select('i32')
          }
          f.get(image)
          addScaled(f, y, 4 * width)
          pushPart(f, this.#own, this.#zeros)
          inside()
          f.set(pointer)
          f.i32(planeBytes)
          f.i32(0)
          inside()
          f.set(steps[i] as Local)
          f.bump(y, 1)
        }
      }
      const group = ({ channels, turn, across }: (typeof groups)[number]): void => {
        pushPart(f, this.#own, this.#rows)
        f.set(scratch)
        f.times(channels, () => {
          for (const pointer of pointers) f.get(pointer)
          f.get(scratch)
          f.call(down)
          for (const [i, pointer] of pointers.entries()) {
            f.get(pointer)
            f.get(steps[i] as Local)
            f.op('i32.add')
            f.set(pointer)
          }
          f.bump(scratch, this.#channelBytes)
        })
        f.bump(scratch, -channels * this.#channelBytes)
        f.times(matrix.length, () => {
          f.get(scratch)
          pushPart(f, this.#own, this.#columns)
          f.call(turn)
          pushPart(f, this.#own, this.#columns)
          f.get(to)
          f.call(across)
          f.bump(scratch, 4 * this.#width)
          f.bump(to, productBytes)
        })
      }
      for (const g of groups)
        f.times(g.count, () => {
          f.get(image)
          f.get(first)
          f.get(end)
          f.i32(g.channels)
          f.call(fetch)
          f.get(first)
          f.set(patchRow)
          f.get(target)
          f.set(to)
          f.whileBelow(patchRow, end, 1, () => {
            point()
            group(g)
            f.bump(to, this.#p.tiles * this.#layout.tileBytes - matrix.length * productBytes)
          })
          f.bump(image, g.channels * planeBytes)
          f.bump(target, groupBytes)
        })
    })
  }

  /**
   * A function (image, first row of patches, end, channels) that reads a word of each line of the cache that these rows
   * take: many at once come from memory, where the transform waits for a few.
   */
  #emitFetch(): FunctionRef {
    const { height, width, top, scheme } = this.#p
    return this.#helper('fetch', 4, (f, ...params) => {
      const [image, first, end, channels] = params as [Local, Local, Local, Local]
      const [line, last, channel, seen] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')]
      const clamped = (row: Local, extra: number, out: Local): void => {
        f.i32(extra - top)
        addScaled(f, row, scheme.tile)
        f.set(out)
        for (const [bound, op] of [
          [0, 'i32.gt_s'],
          [height, 'i32.lt_s'],
        ] as const) {
          f.get(out)
          f.i32(bound)
          f.get(out)
          f.i32(bound)
          f.op(op)
          f.select('i32')
          f.set(out)
        }
        f.get(image)
        addScaled(f, out, 4 * width)
        f.set(out)
      }
      clamped(first, 0, first)
      clamped(end, this.#size - scheme.tile, last)
      f.i32(0)
      f.set(channel)
      f.doWhileBelow(channel, channels, 1, () => {
        f.get(first)
        f.set(line)
        f.whileBelow(line, last, 64, () => {
          f.get(line)
          f.load('i32.load')
          f.get(seen)
          f.op('i32.xor')
          f.set(seen)
        })
        f.bump(first, 4 * width * height)
        f.bump(last, 4 * width * height)
      })
      pushPart(f, this.#own, this.#columns)
      f.get(seen)
      f.store('i32.store')
    })
  }

  /** A function (rows of one channel's patches, scratch): columns of the image times the matrix, as rows. */
  #emitDown(): FunctionRef {
    const { matrix, width, left } = this.#p
    return this.#helper('down', this.#size + 1, (f, ...locals) => {
      const rows = locals as Local[]
      const to = rows.pop() as Local
      const unit = this.#context.features.wide && width >= 8 ? 2 : 1
      const floats = 4 * unit
      const step = {
        matrix,
        transposed: false,
        from: rows,
        to: { base: to, offset: 4 * left, step: 4 * this.#width },
      }
      const move = (count: number): void => {
        for (const local of [...rows, to]) f.bump(local, 4 * count)
      }
      f.times(Math.floor(width / floats), () => {
        emitLinear(f, this.#context, step, unit)
        move(floats)
      })
      if (width % floats === 0) return
      // The last vectors overlap the ones before them.
      move((width % floats) - floats)
      emitLinear(f, this.#context, step, unit)
    })
  }

  /** A function (scratch, columns): a row of the scratch of `channels` channels becomes columns of channels. */
  #emitTurn(channels: number): FunctionRef {
    const channelBytes = this.#channelBytes
    return this.#helper(`turn ${channels}`, 2, (f, ...params) => {
      const [source, target] = params as [Local, Local]
      const block = [0, 1, 2, 3].map(() => f.local('v128'))
      f.times(Math.ceil(channels / 4), () => {
        f.times(this.#width / 4, () => {
          for (const [i, row] of block.entries()) {
            f.get(source)
            f.load('v128.load', i * channelBytes)
            f.set(row)
          }
          transpose4(f, block)
          for (const [i, row] of block.entries()) {
            f.get(target)
            f.get(row)
            f.store('v128.store', i * groupBytes)
          }
          f.bump(source, 16)
          f.bump(target, 4 * groupBytes)
        })
        f.bump(source, 4 * channelBytes - 4 * this.#width)
        f.bump(target, 16 - groupBytes * this.#width)
      })
    })
  }

  /** A function (columns, target): the matrix times the rows of each patch. */
  #emitAcross(lanes: number): FunctionRef {
    const { matrix, tiles, scheme } = this.#p
    const unit = this.#context.features.wide ? 2 : 1
    const { planeBytes, tileBytes } = this.#layout
    return this.#helper(`across ${lanes}`, 2, (f, ...params) => {
      const [source, target] = params as [Local, Local]
      const step = {
        matrix,
        transposed: false,
        from: { base: source, step: groupBytes },
        to: { base: target, step: planeBytes },
      }
      f.times(tiles, () => {
        f.times(lanes / (4 * unit), () => {
          emitLinear(f, this.#context, step, unit)
          f.bump(source, 16 * unit)
          f.bump(target, 16 * unit)
        })
        f.bump(source, scheme.tile * groupBytes - 4 * lanes)
        f.bump(target, tileBytes - 4 * lanes)
      })
    })
  }
}
