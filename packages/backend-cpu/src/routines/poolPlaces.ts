import type { Dims } from '@tessella/ir'
import type { KernelCode, KernelContext } from '../kernels/context.ts'
import type { FunctionBuilder, FunctionRef, Local } from '../wasm/assembler.ts'
import { highPairs, lowPairs, mix } from '../wasm/shuffles.ts'
import { Epilogue } from './epilogue.ts'
import { emitPlanes } from './planes.ts'
import { alongRow, emitGrad, loadPairs, type PoolKernel, pushBetter, replaceWhere } from './poolPairs.ts'
import { loadVector } from './tile.ts'
import { bufferAddress } from './workspace.ts'

/*
 * 2x2 pools that keep the place of each maximum: 0 to 3 in row-major order within the window, 4 where the maximum is not
 * above 0, so that a relu before the pool lets no gradient through. Rows of places go on to a multiple of four bytes.
 */
export const none = 4

/** Bytes of the places of a row of windows over an image this wide. */
export const placesRow = (width: number): number => Math.ceil(Math.floor(width / 2) / 4) * 4

/** Bytes of the places of one plane of x [n, c, height, width]. */
export const placesBytes = ([, , height = 0, width = 0]: Dims): number => Math.floor(height / 2) * placesRow(width)

/** The pool or its gradient, by places. Units: planes. */
export function emitPoolPlaces(context: KernelContext, kernel: PoolKernel, places: number): readonly KernelCode[] {
  const { domain, x } = kernel
  const epilogue = new Epilogue(context, kernel.writes)
  const [height, width] = x.shape.slice(2) as [number, number]
  const kept = { address: bufferAddress(context, places), bytes: placesBytes(x.shape) }
  if (kernel.kind === 'maxPool') {
    const operands = [{ address: bufferAddress(context, x.buffer), bytes: height * width * 4 }, kept]
    return [
      emitPlanes(context, epilogue, domain, operands, emitForward(context, epilogue, height, width), height * width),
    ]
  }
  const { buffer, shape } = kernel.other
  const [rows, columns] = shape.slice(2) as [number, number]
  const each = emitGrad(context, epilogue, height, width, {
    vectorBytes: 4,
    rowBytes: placesRow(width),
    distribute: distributed,
  })
  const operands = [kept, { address: bufferAddress(context, buffer), bytes: rows * columns * 4 }]
  return [emitPlanes(context, epilogue, domain, operands, each, height * width)]
}

/** Locals that hold a number in all lanes. */
function splats(f: FunctionBuilder, values: readonly number[]): Local[] {
  return values.map((value) => {
    const local = f.local('v128')
    f.push(value, 'i32x4.splat')
    f.set(local)
    return local
  })
}

function emitForward(context: KernelContext, epilogue: Epilogue, height: number, width: number): FunctionRef {
  const { relaxed } = context.features
  const rowBytes = width * 4
  return context.module.function(['i32', 'i32', ...epilogue.params], [], (f, x, kept, ...bases) => {
    const [source, places] = [x as Local, kept as Local]
    const [best, odd, even, mask, place] = Array.from({ length: 5 }, () => f.local('v128')) as [
      Local,
      Local,
      Local,
      Local,
      Local,
    ]
    const [first, second, third, nowhere] = splats(f, [1, 2, 3, none]) as [Local, Local, Local, Local]
    const challenge = (candidate: Local, its: Local): void => {
      pushBetter(f, candidate, best)
      f.set(mask)
      replaceWhere(f, relaxed, mask, candidate, best)
      replaceWhere(f, relaxed, mask, its, place)
    }
    f.times(Math.floor(height / 2), () => {
      alongRow(
        f,
        Math.floor(width / 2),
        [
          [source, 32],
          [places, 4],
        ],
        (vectors) => epilogue.advance(f, bases, 3, 4 * vectors),
        (lanes) => {
          loadPairs(f, source, 0, lanes, best, odd)
          f.push(0, 'i32x4.splat')
          f.set(place)
          challenge(odd, first)
          loadPairs(f, source, rowBytes, lanes, even, odd)
          challenge(even, second)
          challenge(odd, third)
          // NaN is not below 0: it passes a relu.
          f.push(best, 0, 'i32x4.splat', 'f32x4.le')
          f.set(mask)
          replaceWhere(f, relaxed, mask, nowhere, place)
          f.push(places, place, place, 'i16x8.narrow_i32x4_s', place, 'i8x16.narrow_i16x8_u')
          f.laneAccess('v128.store32_lane', 0, 0)
          epilogue.emit(f, bases, 3, [{ result: best, shifts: [0, 0, 0, 0], first: 0, lanes }])
        },
      )
      f.bump(source, 2 * rowBytes)
      f.bump(places, placesRow(width))
      epilogue.advance(f, bases, 2, 1)
    })
  })
}

/** The gradient of two rows of eight elements: each dy at the place of its window's maximum. */
function distributed(f: FunctionBuilder, places: Local, dy: Local, lanes: number): readonly Local[] {
  const [place, grad, ...parts] = Array.from({ length: 6 }, () => f.local('v128')) as [Local, Local, ...Local[]]
  f.get(places)
  f.load('v128.load32_zero', 0)
  f.push('i16x8.extend_low_i8x16_u', 'i32x4.extend_low_i16x8_u')
  f.set(place)
  loadVector(f, dy, 0, lanes)
  f.set(grad)
  for (const [i, part] of parts.entries()) {
    f.push(place, i, 'i32x4.splat', 'i32x4.eq', grad, 'v128.and')
    f.set(part)
  }
  const [a, b, c, d] = parts as [Local, Local, Local, Local]
  mix(f, a, b, lowPairs, place)
  mix(f, a, b, highPairs, grad)
  mix(f, c, d, lowPairs, a)
  mix(f, c, d, highPairs, b)
  for (const l of [c, d]) f.release(l)
  return [place, grad, a, b]
}
