import type { KernelContext } from '../kernels/context.ts'
import type { FunctionBuilder, FunctionRef, Local } from '../wasm/assembler.ts'
import type { Epilogue } from './epilogue.ts'
import type { Piece } from './sink.ts'

/*
 * The transforms of F(2x2, 3x3): y = A^T [(G g G^T) . (B^T d B)] A for 4x4 patches d of the image, 2 apart.
 * B^T d is (d0 - d2, d1 + d2, d2 - d1, d1 - d3), A^T m is (m0 + m1 + m2, m1 - m2 - m3).
 */

/** Products per tile. */
export const products = 16

const lanesOf = (...lanes: number[]): number[] => lanes.flatMap((l) => [0, 1, 2, 3].map((b) => 4 * l + b))
const evens = lanesOf(0, 2, 4, 6)
const odds = lanesOf(1, 3, 5, 7)
const lowPairs = lanesOf(0, 4, 1, 5)
const highPairs = lanesOf(2, 6, 3, 7)

/** A function (3x3 weights, result): G g G^T as 16 floats `planeBytes` apart. `mirrored`: the weights are read backwards. */
export function emitWeightTransform(context: KernelContext, planeBytes: number, mirrored: boolean): FunctionRef {
  return context.module.function(['i32', 'i32'], [], (f, weights, out) => {
    const [source, target] = [weights as Local, out as Local]
    /** (g0, (g0 + g1 + g2) / 2, (g0 - g1 + g2) / 2, g2). */
    const spread = (g: readonly Local[]): Local[] => {
      const [a, b, c] = g as [Local, Local, Local]
      const [sum, middle] = [f.local('f32'), f.local('f32')]
      f.get(a)
      f.get(c)
      f.op('f32.add')
      f.f32(0.5)
      f.op('f32.mul')
      f.set(sum)
      f.get(b)
      f.f32(0.5)
      f.op('f32.mul')
      f.set(middle)
      const [plus, minus] = [f.local('f32'), f.local('f32')]
      for (const [into, op] of [
        [plus, 'f32.add'],
        [minus, 'f32.sub'],
      ] as const) {
        f.get(sum)
        f.get(middle)
        f.op(op)
        f.set(into)
      }
      f.release(sum)
      f.release(middle)
      return [a, plus, minus, c]
    }
    const columns = [0, 1, 2].map((x) =>
      spread(
        [0, 1, 2].map((y) => {
          const g = f.local('f32')
          f.get(source)
          f.load('f32.load', 4 * (mirrored ? 8 - 3 * y - x : 3 * y + x))
          f.set(g)
          return g
        }),
      ),
    )
    for (let y = 0; y < 4; y++)
      for (const [x, value] of spread(columns.map((c) => c[y] as Local)).entries()) {
        f.get(target)
        f.get(value)
        f.store('f32.store', (4 * y + x) * planeBytes)
      }
  })
}

/** What a strip of tiles looks like. */
export interface Strip {
  /** Rows of tiles. */
  readonly rows: number
  /** Vectors of four tiles per row. */
  readonly vectors: number
}

/** Bytes of one product of all tiles of a strip, for one channel. */
export const stripBytes = ({ rows, vectors }: Strip): number => rows * vectors * 16

const vectorOp = (f: FunctionBuilder, op: 'f32x4.add' | 'f32x4.sub', a: Local, b: Local, into: Local): void => {
  f.get(a)
  f.get(b)
  f.op(op)
  f.set(into)
}

/** The four sums of B^T d: which elements, and how. */
const differences = [
  [0, 'f32x4.sub', 2],
  [1, 'f32x4.add', 2],
  [2, 'f32x4.sub', 1],
  [1, 'f32x4.sub', 3],
] as const

/** A function (plane, result): B^T d B of a strip, as [16][channels][tiles]. */
export function emitImageTransform(
  context: KernelContext,
  strip: Strip,
  channels: number,
  { channelStep, yStep }: { readonly channelStep: number; readonly yStep: number },
): FunctionRef {
  const planeBytes = stripBytes(strip) * channels
  return context.module.function(['i32', 'i32'], [], (f, plane, out) => {
    const [from, to] = [plane as Local, out as Local]
    const vector = (): Local => f.local('v128')
    const [a, b, c, d, t] = [vector(), vector(), vector(), vector(), vector()]
    const load = (row: number, byte: number): void => {
      f.get(from)
      f.load('v128.load', row * yStep + byte)
    }
    const mix = (pattern: readonly number[], x: Local, y: Local, into: Local): void => {
      f.get(x)
      f.get(y)
      f.shuffle(pattern)
      f.set(into)
    }
    f.times(channels, () => {
      f.times(strip.rows, () => {
        f.times(strip.vectors, () => {
          for (const [i, [p, op, q]] of differences.entries()) {
            // Elements 0-3, 4-7, 2-5 and 6-9 of the row's combination; then the columns of four patches.
            for (const [local, byte] of [
              [a, 0],
              [b, 16],
              [c, 8],
              [d, 24],
            ] as const) {
              load(p, byte)
              load(q, byte)
              f.op(op)
              f.set(local)
            }
            mix(evens, a, b, t)
            mix(odds, a, b, b)
            mix(evens, c, d, a)
            mix(odds, c, d, d)
            const columns = [t, b, a, d]
            for (const [j, [x, columnOp, y]] of differences.entries()) {
              vectorOp(f, columnOp, columns[x] as Local, columns[y] as Local, c)
              f.get(to)
              f.get(c)
              f.store('v128.store', (4 * i + j) * planeBytes)
            }
          }
          f.bump(from, 32)
          f.bump(to, 16)
        })
        f.bump(from, 2 * yStep - 32 * strip.vectors)
      })
      f.bump(from, channelStep - 2 * yStep * strip.rows)
    })
  })
}

/**
 * A function (products [16][channels][tiles], output rows left, ...running addresses): A^T m A of a strip goes to the
 * epilogue.
 */
export function emitOutputTransform(
  context: KernelContext,
  epilogue: Epilogue,
  strip: Strip,
  channels: number,
  width: number,
): FunctionRef {
  const planeBytes = stripBytes(strip) * channels
  return context.module.function(['i32', 'i32', ...epilogue.params], [], (f, sums, rowsLeft, ...bases) => {
    const [from, left] = [sums as Local, rowsLeft as Local]
    const vector = (): Local => f.local('v128')
    const s = [vector(), vector(), vector(), vector()] as const
    const [y0, y1, low] = [vector(), vector(), vector()]
    const outputs = (row: number, columns: number): void => {
      // s_j = (A^T m)_row,j
      for (const [j, local] of s.entries()) {
        const terms = row === 0 ? [0, 1, 2] : [1, 2, 3]
        for (const [i, term] of terms.entries()) {
          f.get(from)
          f.load('v128.load', (4 * term + j) * planeBytes)
          if (i > 0) f.op(row === 0 ? 'f32x4.add' : 'f32x4.sub')
        }
        f.set(local)
      }
      vectorOp(f, 'f32x4.add', s[1], s[2], y0)
      vectorOp(f, 'f32x4.add', s[0], y0, y0)
      vectorOp(f, 'f32x4.sub', s[1], s[2], y1)
      vectorOp(f, 'f32x4.sub', y1, s[3], y1)
      for (const [pattern, into] of [
        [lowPairs, low],
        [highPairs, y1],
      ] as const) {
        f.get(y0)
        f.get(y1)
        f.shuffle(pattern)
        f.set(into)
      }
      const pieces: Piece[] = [low, y1].flatMap((result, i) => {
        const lanes = Math.min(4, columns - 4 * i)
        return lanes > 0 ? [{ result, shifts: [0, 0, row, 4 * i], first: 0, lanes }] : []
      })
      epilogue.emit(f, bases, 3, pieces)
    }
    const vectorOfTiles = (columns: number): void => {
      outputs(0, columns)
      f.get(left)
      f.i32(1)
      f.op('i32.gt_s')
      f.if(() => outputs(1, columns))
      f.bump(from, 16)
    }
    const full = Math.floor(width / 8)
    f.times(channels, () => {
      f.times(strip.rows, () => {
        f.times(full, () => {
          vectorOfTiles(8)
          epilogue.advance(f, bases, 3, 8)
        })
        if (width % 8 > 0) vectorOfTiles(width % 8)
        epilogue.advance(f, bases, 3, -8 * full)
        epilogue.advance(f, bases, 2, 2)
        f.bump(left, -2)
      })
      epilogue.advance(f, bases, 2, -2 * strip.rows)
      epilogue.advance(f, bases, 1, 1)
      f.bump(left, 2 * strip.rows)
    })
  })
}
