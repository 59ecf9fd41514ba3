import type { Dims } from '@tessella/ir'
import type { KernelContext } from '../kernels/context.ts'
import type { FunctionBuilder, FunctionRef, Local, ValueType } from '../wasm/assembler.ts'
import type { Epilogue } from './epilogue.ts'
import type { Plane } from './plane.ts'
import type { Piece, Sink } from './sink.ts'
import { loadVector, storeVector } from './tile.ts'
import { type Axes, dimensionOf } from './window.ts'

/** Adds results to memory: one running address, with these bytes per step of each dimension. */
export class Accumulation implements Sink {
  readonly params: readonly ValueType[] = ['i32']
  readonly #steps: Dims

  constructor(steps: Dims) {
    this.#steps = steps
  }

  advance(f: FunctionBuilder, bases: readonly Local[], dimension: number, amount: number): void {
    f.bump(bases[0] as Local, amount * (this.#steps[dimension] as number))
  }

  mergeable(): boolean {
    return true
  }

  /** Lanes that do not count are at the end. */
  emit(f: FunctionBuilder, bases: readonly Local[], _laneDimension: number, pieces: readonly Piece[]): void {
    const base = bases[0] as Local
    const offset = ({ shifts }: Piece): number => shifts.reduce((sum, s, d) => sum + s * (this.#steps[d] as number), 0)
    for (const piece of pieces) {
      loadVector(f, base, offset(piece), piece.lanes)
      f.push(piece.result, 'f32x4.add')
      f.set(piece.result)
    }
    for (const piece of pieces) storeVector(f, base, offset(piece), piece.lanes, piece.result)
  }
}

/**
 * A function (copy, ...running addresses) that hands the elements of an image, from its copy with borders and rows
 * split by stride, to the epilogue.
 */
export function emitUnpad(
  context: KernelContext,
  epilogue: Epilogue,
  plane: Plane,
  channels: number,
  [z, y, x]: Axes,
  spatial: number,
): FunctionRef {
  const [zDim, yDim, xDim] = [0, 1, 2].map((axis) => dimensionOf(axis, spatial)) as [number, number, number]
  const { phases } = plane.spec
  const shifts = new Array<number>(spatial + 2).fill(0)
  return context.module.function(['i32', ...epilogue.params], [], (f, copy, ...bases) => {
    const from = copy as Local
    const result = f.local('v128')
    const move = (dimension: number, bytes: number, amount: number): void => {
      f.bump(from, bytes)
      epilogue.advance(f, bases, dimension, amount)
    }
    /** The elements `column` on, from the running place. */
    const vector = (column: number, lanes: number): void => {
      if (phases === 1) loadVector(f, from, plane.at(column + x.lo), lanes)
      else {
        f.get(from)
        f.load('v128.load32_zero', plane.at(column + x.lo))
      }
      f.set(result)
      for (let lane = 1; lane < lanes && phases > 1; lane++) {
        f.push(from, result)
        f.laneAccess('v128.load32_lane', lane, plane.at(column + lane + x.lo))
        f.set(result)
      }
      const at = shifts.map((s, d) => (d === xDim ? column : s))
      epilogue.emit(f, bases, xDim, [{ result, shifts: at, first: 0, lanes }])
    }
    // The parts of a row repeat every 4 * phases elements.
    const stretch = 4 * phases
    const stretches = Math.floor(x.input / stretch)
    f.bump(from, z.lo * plane.zStep + y.lo * plane.yStep)
    f.times(channels, () => {
      f.times(z.input, () => {
        f.times(y.input, () => {
          f.times(stretches, () => {
            for (let i = 0; i < stretch; i += 4) vector(i, 4)
            move(xDim, 16, stretch)
          })
          for (let i = 0; i < x.input - stretches * stretch; i += 4)
            vector(i, Math.min(4, x.input - stretches * stretch - i))
          move(xDim, -16 * stretches, -stretch * stretches)
          move(yDim, plane.yStep, 1)
        })
        move(yDim, -y.input * plane.yStep, -y.input)
        move(zDim, plane.zStep, 1)
      })
      move(zDim, -z.input * plane.zStep, -z.input)
      move(1, plane.channelStep, 1)
    })
  })
}
