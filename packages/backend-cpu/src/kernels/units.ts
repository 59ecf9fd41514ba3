import { sizeOf } from '@tessella/ir'
import type { FunctionBuilder, Local } from '../wasm/assembler.ts'
import type { Lanes } from '../wasm/site.ts'
import type { LeveledLoop, Streams } from './streams.ts'

/**
 * The work units of a kernel: all points of the outer loops, times the segments of one more loop that is cut into
 * pieces of `segment` iterations (the last may be shorter).
 */
export interface UnitSpace {
  readonly outer: readonly LeveledLoop[]
  readonly cut: LeveledLoop | undefined
  readonly segment: number
}

export const segmentsOf = ({ cut, segment }: UnitSpace): number => (cut ? Math.ceil(cut.size / segment) : 1)

export const unitsOf = (space: UnitSpace): number => sizeOf(space.outer.map((l) => l.size)) * segmentsOf(space)

/** One vector of a row of elements: its first element and how many lanes count. */
export interface Part {
  readonly shift: number
  readonly lanes: Lanes
}

/** `length` elements as vectors of four and a shorter last one. */
export function partsOf(length: number): Part[] {
  const parts: Part[] = []
  for (let shift = 0; shift < length; shift += 4) parts.push({ shift, lanes: Math.min(4, length - shift) as Lanes })
  return parts
}

/** What one unit computes: `length` iterations of the cut loop. The streams must be back where they were afterwards. */
export type UnitBody = (length: number) => void

/**
 * Emits the loop over the units [begin, end): sets the streams up, runs the body for each unit and moves the streams on
 * like an odometer. `prepare` is emitted once, before the loop; what it returns, after.
 */
export function emitUnits(
  f: FunctionBuilder,
  space: UnitSpace,
  streams: Streams,
  [begin, end]: readonly [Local, Local],
  prepare: () => () => void,
  body: UnitBody,
): void {
  const { outer, cut, segment } = space
  const segments = segmentsOf(space)
  const indices = new Map<LeveledLoop, Local>()
  const segmentIndex = f.local('i32')
  const rest = f.local('i32')
  f.get(begin)
  f.set(rest)
  if (segments > 1) splitIndex(f, rest, segments, segmentIndex)
  for (const loop of [...outer].reverse()) {
    const index = f.local('i32')
    indices.set(loop, index)
    splitIndex(f, rest, loop.size, index)
  }
  const starts = new Map(indices)
  if (cut && segments > 1) {
    f.push(segmentIndex, segment, 'i32.mul')
    f.set(rest)
    starts.set(cut, rest)
  }
  streams.start(f, starts)
  f.release(rest)
  const finish = prepare()
  const unit = f.local('i32')
  f.get(begin)
  f.set(unit)
  f.whileBelow(unit, end, 1, () => {
    const last = cut ? cut.size - (segments - 1) * segment : 1
    if (segments === 1 || last === segment) body(last)
    else {
      f.push(segmentIndex, segments - 1, 'i32.eq')
      f.if(
        () => body(last),
        () => body(segment),
      )
    }
    advance(f, space, streams, segmentIndex, indices)
  })
  finish()
  f.release(unit)
  f.release(segmentIndex)
  for (const index of indices.values()) f.release(index)
}

/** index = rest % size; rest /= size. */
function splitIndex(f: FunctionBuilder, rest: Local, size: number, index: Local): void {
  f.push(rest, size, 'i32.rem_u')
  f.set(index)
  f.push(rest, size, 'i32.div_u')
  f.set(rest)
}

/** Moves to the next unit: the innermost index first, with carries outward. */
function advance(
  f: FunctionBuilder,
  space: UnitSpace,
  streams: Streams,
  segmentIndex: Local,
  indices: ReadonlyMap<LeveledLoop, Local>,
): void {
  const { outer, cut, segment } = space
  const segments = segmentsOf(space)
  const digits = outer.map((loop) => ({ loop, index: indices.get(loop) as Local, size: loop.size, step: 1 }))
  if (cut && segments > 1) digits.push({ loop: cut, index: segmentIndex, size: segments, step: segment })
  const carry = (d: number): void => {
    const digit = digits[d]
    if (!digit) return
    f.bump(digit.index, 1)
    streams.move(f, [[digit.loop, digit.step]])
    if (d === 0) return
    f.push(digit.index, digit.size, 'i32.eq')
    f.if(() => {
      f.i32(0)
      f.set(digit.index)
      streams.move(f, [[digit.loop, -digit.step * digit.size]])
      carry(d - 1)
    })
  }
  carry(digits.length - 1)
}
