import type { KernelContext } from '../../kernels/context.ts'
import type { FunctionBuilder, FunctionRef, Local } from '../../wasm/assembler.ts'
import { transpose4 } from '../pack.ts'
import { loadVector, storeVector } from '../tile.ts'

/** An image of planes, and the part of it that lies interleaved elsewhere: element by element all its channels. */
export interface Interleaved {
  readonly channels: number
  /** Size of a plane. */
  readonly height: number
  readonly width: number
  /** The part: from here, so many. */
  readonly top: number
  readonly left: number
  readonly rows: number
  readonly columns: number
  /** Bytes from a row of elements to the next. */
  readonly rowBytes: number
  /** Whether the planes come from memory. */
  readonly ahead?: boolean
}

/** A function (planes, elements): the address of the first plane, and where the part's first element goes. */
export function emitInterleave(context: KernelContext, image: Interleaved): FunctionRef {
  const { channels } = image
  return context.module.helper(`interleave ${JSON.stringify(image)}`, ['i32', 'i32'], [], (f, planes, elements) => {
    const [from, to] = [planes as Local, elements as Local]
    if (image.ahead) readAhead(f, from, planeAt(image, channels))
    if (channels === 1) copyRows(f, image, from, to)
    else
      walk(f, image, from, to, (first, count, lanes, rows) => {
        for (let i = 0; i < 4; i++) {
          // Channels that are not there get any number, which is not stored.
          loadVector(f, from, planeAt(image, first + Math.min(i, count - 1)), lanes)
          f.set(rows[i] as Local)
        }
        transpose4(f, rows)
        for (let i = 0; i < lanes; i++) storeVector(f, to, 4 * (i * channels + first), count, rows[i] as Local)
      })
  })
}

/** The reverse, a function (elements, planes), for the whole image. It reads whole vectors: 16 bytes behind the elements. */
export function emitSeparate(context: KernelContext, image: Interleaved): FunctionRef {
  const { channels } = image
  return context.module.helper(`separate ${JSON.stringify(image)}`, ['i32', 'i32'], [], (f, elements, planes) => {
    const [from, to] = [elements as Local, planes as Local]
    walk(f, image, to, from, (first, count, lanes, rows) => {
      for (let i = 0; i < 4; i++) {
        loadVector(f, from, 4 * (Math.min(i, lanes - 1) * channels + first), 4)
        f.set(rows[i] as Local)
      }
      transpose4(f, rows)
      for (let i = 0; i < count; i++) storeVector(f, to, planeAt(image, first + i), lanes, rows[i] as Local)
    })
  })
}

const planeAt = ({ height, width }: Interleaved, channel: number): number => 4 * channel * height * width

type Block = (first: number, count: number, lanes: number, rows: readonly Local[]) => void

/** Channels of a row of elements that are unrolled. */
const mostUnrolled = 64

/** Goes over the part by four elements and, for each, by four channels from `first` on. */
function walk(f: FunctionBuilder, image: Interleaved, planes: Local, elements: Local, block: Block): void {
  const { channels, top, left, rows, columns, width, rowBytes } = image
  const registers = [0, 1, 2, 3].map(() => f.local('v128'))
  const move = (count: number): void => {
    f.bump(planes, 4 * count)
    f.bump(elements, 4 * count * channels)
  }
  const unrolled = Math.min(channels, mostUnrolled)
  const plane = planeAt(image, 1)
  const some = (lanes: number): void => {
    const all = (most: number): void => {
      for (let first = 0; first < most; first += 4) block(first, Math.min(4, most - first), lanes, registers)
    }
    const times = Math.floor(channels / unrolled)
    if (channels === unrolled) {
      all(channels)
      return
    }
    f.times(times, () => {
      all(unrolled)
      f.bump(planes, unrolled * plane)
      f.bump(elements, 4 * unrolled)
    })
    all(channels % unrolled)
    f.bump(planes, -times * unrolled * plane)
    f.bump(elements, -times * 4 * unrolled)
  }
  f.bump(planes, 4 * (top * width + left))
  f.times(rows, () => {
    const fours = Math.floor(columns / 4)
    f.times(fours, () => {
      some(4)
      move(4)
    })
    if (columns % 4 > 0) some(columns % 4)
    f.bump(planes, 4 * (width - 4 * fours))
    f.bump(elements, rowBytes - 16 * fours * channels)
  })
  for (const r of registers) f.release(r)
}

/** Reads a word of each line of the cache: many at once come from memory, where what follows waits for a few. */
function readAhead(f: FunctionBuilder, start: Local, bytes: number): void {
  const [line, end, seen] = [0, 1, 2].map(() => f.local('i32')) as [Local, Local, Local]
  f.get(start)
  f.tee(line)
  f.push(bytes, 'i32.add')
  f.set(end)
  f.doWhileBelow(line, end, 64, () => {
    f.get(line)
    f.load('i32.load')
    f.push(seen, 'i32.xor')
    f.set(seen)
  })
  for (const l of [line, end, seen]) f.release(l)
}

/** One channel: rows as they are. */
function copyRows(f: FunctionBuilder, image: Interleaved, from: Local, to: Local): void {
  const { top, left, rows, columns, width, rowBytes } = image
  const x = f.local('v128')
  const vector = (lanes: number): void => {
    loadVector(f, from, 0, lanes)
    f.set(x)
    storeVector(f, to, 0, lanes, x)
  }
  f.bump(from, 4 * (top * width + left))
  f.times(rows, () => {
    const fours = Math.floor(columns / 4)
    f.times(fours, () => {
      vector(4)
      f.bump(from, 16)
      f.bump(to, 16)
    })
    if (columns % 4 > 0) vector(columns % 4)
    f.bump(from, 4 * (width - 4 * fours))
    f.bump(to, rowBytes - 16 * fours)
  })
}
