import type { Dims } from '@tessella/ir'
import { sizeOf, stridesOf } from '@tessella/ir'
import { grainFor, type KernelCode, type KernelContext } from '../kernels/context.ts'
import { collapse, loopsOf } from '../kernels/loops.ts'
import type { FunctionBuilder, Local } from '../wasm/assembler.ts'
import { forUnits } from './calls.ts'
import { addScaled, type Epilogue } from './epilogue.ts'
import type { Piece } from './sink.ts'
import { releaseIndices, takeDigit, takeIndices } from './split.ts'
import type { Push } from './workspace.ts'

/** Results that lie in scratch memory, row-major over the domain: the sum of `copies` arrays `copyBytes` apart. */
export interface Stored {
  readonly address: Push
  readonly copies: number
  readonly copyBytes: number
}

/** Elements per unit. */
const segment = 2048

/** The epilogue of a routine whose results were stored. Units: segments of the innermost loop. */
export function emitFinish(context: KernelContext, epilogue: Epilogue, domain: Dims, stored: Stored): KernelCode {
  const own = { offset: 0, strides: stridesOf(domain) }
  const loops = collapse(loopsOf(domain), [own, ...epilogue.forms])
  const inner = loops.at(-1) ?? { size: 1, dimension: Math.max(0, domain.length - 1) }
  const outer = loops.slice(0, -1)
  const segments = Math.ceil(inner.size / segment)
  const f = context.module.function(['i32', 'i32'], [], (f, begin, end) => {
    const bases = epilogue.params.map((type) => f.local(type))
    const place = f.local('i32')
    const sums = Array.from({ length: epilogue.pairs(inner.dimension) ? 2 : 1 }, () => f.local('v128'))
    forUnits(f, begin as Local, end as Local, (unit) => {
      const part = takeDigit(f, unit, segments)
      const indices = takeIndices(
        f,
        unit,
        outer.map((l) => l.size),
      )
      const point: (Local | number)[] = domain.map(() => 0)
      for (const [i, l] of outer.entries()) point[l.dimension] = indices[i] ?? 0
      const start = f.local('i32')
      f.i32(0)
      addScaled(f, part, segment)
      f.set(start)
      if (loops.length > 0) point[inner.dimension] = start
      epilogue.pushBases(f, point)
      for (const b of [...bases].reverse()) f.set(b)
      stored.address(f)
      for (const [d, index] of point.entries()) addScaled(f, index, (own.strides[d] as number) * 4)
      f.set(place)
      const vectors = (into: readonly Local[], lanes: number): void => {
        for (const [i, sum] of into.entries()) loadSums(f, place, 16 * i, sum, stored)
        const piece = (result: Local, i: number): Piece => {
          const shifts = domain.map((_, d) => (d === inner.dimension ? 4 * i : 0))
          return { result, shifts, first: 0, lanes }
        }
        epilogue.emit(f, bases, inner.dimension, into.map(piece))
      }
      const run = (length: number): void => {
        let left = length
        for (const count of new Set([sums.length, 1])) {
          f.times(Math.floor(left / (4 * count)), () => {
            vectors(sums.slice(0, count), 4)
            f.bump(place, 16 * count)
            epilogue.advance(f, bases, inner.dimension, 4 * count)
          })
          left %= 4 * count
        }
        if (left > 0) vectors(sums.slice(0, 1), left)
      }
      const last = inner.size - (segments - 1) * segment
      if (segments === 1) run(last)
      else {
        f.push(part as Local, segments - 1, 'i32.eq')
        f.if(
          () => run(last),
          () => run(segment),
        )
      }
      releaseIndices(f, [part, start, ...indices])
    })
  })
  const length = Math.min(segment, inner.size)
  return { f, units: segments * sizeOf(outer.map((l) => l.size)), grain: grainFor(length * stored.copies) }
}

/** Reads whole vectors: scratch goes on for a vector after the results. */
export function loadSums(
  f: FunctionBuilder,
  place: Local,
  offset: number,
  sum: Local,
  { copies, copyBytes }: Stored,
): void {
  for (let i = 0; i < copies; i++) {
    f.get(place)
    f.load('v128.load', offset + i * copyBytes)
    if (i > 0) f.op('f32x4.add')
  }
  f.set(sum)
}
