import { byteWidth, type DType, internalError } from '@tessella/ir'
import type { FunctionBuilder } from './assembler.ts'
import type { Address, Dataflow, Job, Value } from './dataflow.ts'
import { highHalves, highPairs, lanesOf, lowHalves, lowPairs } from './shuffles.ts'
import type { Lanes } from './site.ts'

/*
 * How lanes look in registers: float32 as f32x4, int32 and uint32 as i32x4, uint8 widened to i32x4, float16 as its
 * 16 bits widened to i32x4, bool as a mask (0 or -1).
 */

const reverse = lanesOf(3, 2, 1, 0)
const packBytes = [0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12]
const packHalves = [0, 1, 4, 5, 8, 9, 12, 13, 0, 1, 4, 5, 8, 9, 12, 13]

/** The address `bytes` further on. */
export function shifted(g: Dataflow, address: Address, bytes: number): Address {
  const offset = address.offset + bytes
  if (offset >= 0) return { base: address.base, offset }
  return { base: g.i('i32.add', address.base, g.integer(offset)), offset: 0 }
}

const asMask = (g: Dataflow, x: Value): Value => g.v('i32x4.neg', x)

/** One element in every lane. */
export function loadSplat(g: Dataflow, dtype: DType, address: Address): Value {
  switch (byteWidth(dtype)) {
    case 4:
      return g.load('v128.load32_splat', address)
    case 2:
      return g.v('i32x4.splat', g.load('i32.load16_u', address))
    case 1: {
      const x = g.v('i32x4.splat', g.load('i32.load8_u', address))
      return dtype === 'bool' ? asMask(g, x) : x
    }
  }
  throw internalError(`a ${dtype} load in the cpu backend`)
}

/** Elements `stride` elements apart. Lanes that do not count are not read. */
export function loadLanes(g: Dataflow, dtype: DType, address: Address, stride: number, lanes: Lanes = 4): Value {
  if (stride === 0 || lanes === 1) return loadSplat(g, dtype, address)
  const width = byteWidth(dtype)
  if (stride === 1 && lanes === 4) return loadContiguous(g, dtype, address)
  if (stride === 1 && width === 4) {
    const two = g.load('v128.load64_zero', address)
    return lanes === 2 ? two : g.loadLane('v128.load32_lane', 2, shifted(g, address, 8), two)
  }
  if (stride === -1 && width === 4 && lanes === 4) {
    const x = g.load('v128.load', shifted(g, address, -12))
    return g.shuffle(reverse, x, x)
  }
  return loadFrom(
    g,
    dtype,
    Array.from({ length: lanes }, (_, lane) => shifted(g, address, lane * stride * width)),
  )
}

function loadContiguous(g: Dataflow, dtype: DType, address: Address): Value {
  switch (byteWidth(dtype)) {
    case 4:
      return g.load('v128.load', address)
    case 2:
      return g.load('v128.load16x4_u', address)
    case 1: {
      const bytes = g.load('v128.load32_zero', address)
      const x = g.v('i32x4.extend_low_i16x8_u', g.v('i16x8.extend_low_i8x16_u', bytes))
      return dtype === 'bool' ? asMask(g, x) : x
    }
  }
  throw internalError(`a ${dtype} load in the cpu backend`)
}

/** Column `column` of the 4 x 4 words whose rows are at `address` and `stride` bytes apart. The graph shares the steps. */
export function loadColumn(g: Dataflow, address: Address, stride: number, column: number): Value {
  const row = (i: number): Value => g.load('v128.load', shifted(g, address, i * stride))
  const pairs = column < 2 ? lowPairs : highPairs
  const upper = g.shuffle(pairs, row(0), row(1))
  const lower = g.shuffle(pairs, row(2), row(3))
  return g.shuffle(column % 2 === 0 ? lowHalves : highHalves, upper, lower)
}

/** One element from each address, first lane first. */
export function loadFrom(g: Dataflow, dtype: DType, addresses: readonly Address[]): Value {
  const width = byteWidth(dtype)
  const first = addresses[0] as Address
  if (width === 4) {
    let x = g.load('v128.load32_zero', first)
    for (const [i, a] of addresses.slice(1).entries()) x = g.loadLane('v128.load32_lane', i + 1, a, x)
    return x
  }
  const op = width === 2 ? 'i32.load16_u' : 'i32.load8_u'
  let x = g.v('i32x4.splat', g.load(op, first))
  for (const [i, a] of addresses.slice(1).entries()) x = g.replace('i32x4.replace_lane', i + 1, x, g.load(op, a))
  return dtype === 'bool' ? asMask(g, x) : x
}

/** The stores of one value's lanes, `stride` elements apart, as jobs for `Dataflow.emit`. */
export function storeJobs(
  g: Dataflow,
  f: FunctionBuilder,
  dtype: DType,
  address: Address,
  stride: number,
  lanes: Lanes,
  value: Value,
): Job[] {
  const width = byteWidth(dtype)
  const packed = dtype === 'bool' ? g.v('i32x4.neg', value) : value
  const job = (at: Address, x: Value, store: (offset: number) => void): Job => ({
    address: at.base,
    value: x,
    use: () => store(at.offset),
  })
  if (stride === 1 && lanes === 4) {
    if (width === 4) return [job(address, packed, (o) => f.store('v128.store', o))]
    if (width === 2) {
      const low = g.shuffle(packHalves, packed, packed)
      return [job(address, low, (o) => f.laneAccess('v128.store64_lane', 0, o))]
    }
    const low = g.shuffle(packBytes, packed, packed)
    return [job(address, low, (o) => f.laneAccess('v128.store32_lane', 0, o))]
  }
  if (stride === -1 && width === 4 && lanes === 4) {
    const back = g.shuffle(reverse, packed, packed)
    return [job(shifted(g, address, -12), back, (o) => f.store('v128.store', o))]
  }
  if (stride === 1 && width === 4 && lanes > 1) {
    const two = job(address, packed, (o) => f.laneAccess('v128.store64_lane', 0, o))
    if (lanes === 2) return [two]
    return [two, job(shifted(g, address, 8), packed, (o) => f.laneAccess('v128.store32_lane', 2, o))]
  }
  const op = width === 4 ? 'v128.store32_lane' : width === 2 ? 'v128.store16_lane' : 'v128.store8_lane'
  // Lane k of an i32x4 starts at lane 2k of an i16x8 and at lane 4k of an i8x16.
  return Array.from({ length: lanes }, (_, lane) =>
    job(shifted(g, address, lane * stride * width), packed, (o) => f.laneAccess(op, (lane * 4) / width, o)),
  )
}
