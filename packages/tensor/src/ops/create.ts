import {
  build,
  type Dims,
  type DType,
  dtypes,
  type HostArray,
  hostArray,
  isFloat,
  type Node,
  OpError,
  sizeOf,
} from '@tessella/ir'
import { toHalf } from '../half.ts'
import { hostLeaf } from '../runtime/index.ts'
import { asIndex } from './promotion.ts'

/** Nested arrays of numbers or truths; rows must have one length. */
export type NestedData = number | boolean | readonly NestedData[]

/** Refuses sizes that no tensor can have. */
export function checkShape(op: string, shape: Dims): void {
  if (!Array.isArray(shape))
    throw new OpError(op, `${String(shape)} is not a shape`, {
      hint: typeof shape === 'number' ? `Use [${String(shape)}].` : 'Use an array of whole sizes of at least 0.',
    })
  if (shape.some((n) => !Number.isInteger(n) || n < 0))
    throw new OpError(op, `[${String(shape)}] is not a shape`, { hint: 'Use an array of whole sizes of at least 0.' })
}

export function checkDType(op: string, dtype: DType): void {
  if (!dtypes.includes(dtype))
    throw new OpError(op, `'${dtype}' is not a dtype`, { hint: `Use one of ${dtypes.join(', ')}.` })
}

/** The dtype whose host array this is; Uint16Array holds float16 only when asked, so it has none. */
export function arrayDType(data: ArrayLike<unknown>): DType | undefined {
  if (data instanceof Float32Array) return 'float32'
  if (data instanceof Float64Array) return 'float64'
  if (data instanceof Int32Array) return 'int32'
  if (data instanceof Uint32Array) return 'uint32'
  if (data instanceof Uint8Array || data instanceof Uint8ClampedArray) return 'uint8'
  return undefined
}

const bounds: { readonly [D in 'int32' | 'uint32' | 'uint8']: readonly [number, number] } = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  uint8: [0, 255],
}

function encode(op: string, value: number, dtype: DType, index: number): number {
  if (typeof value !== 'number')
    throw new OpError(op, `element ${index} is a ${typeof value}`, { hint: 'Elements are numbers.' })
  if (dtype === 'float16') return toHalf(value)
  if (dtype === 'bool') return value === 0 ? 0 : 1
  if (dtype === 'float32' || dtype === 'float64') return value
  const [lo, hi] = bounds[dtype]
  if (!Number.isInteger(value) || value < lo || value > hi)
    throw new OpError(op, `element ${index} is ${value}, which is not a ${dtype}`, {
      dtypes: [dtype],
      hint: Number.isFinite(value)
        ? 'Make a float32 tensor, then round and cast it.'
        : 'Integers have no NaN and no infinity; use float32.',
    })
  return value
}

/** Copies numbers into a host array of `dtype`, checking that integers fit. */
export function elements(op: string, values: ArrayLike<number>, dtype: DType): HostArray {
  const out = hostArray(dtype, values.length)
  if (arrayDType(values) === dtype || (dtype === 'float32' && values instanceof Float64Array)) out.set(values)
  else for (let i = 0; i < values.length; i++) out[i] = encode(op, values[i] as number, dtype, i)
  return out
}

/** The shape of nested arrays and their elements in order. */
function flattenNested(data: NestedData): {
  readonly shape: number[]
  readonly flat: number[]
  readonly bool: boolean
} {
  const shape: number[] = []
  for (let part: NestedData | undefined = data; Array.isArray(part); part = part[0]) shape.push(part.length)
  const flat: number[] = []
  let truths = 0
  const ragged = (where: readonly number[], found: string): never => {
    throw new OpError(
      'tensor',
      `ragged data: element [${where.join(', ')}] is ${found}, the first one says [${shape.join(', ')}]`,
      {
        hint: 'All rows need one length.',
      },
    )
  }
  const visit = (part: NestedData, where: readonly number[]): void => {
    if (Array.isArray(part)) {
      if (part.length !== shape[where.length]) ragged(where, `an array of ${part.length}`)
      for (const [i, p] of part.entries()) visit(p, [...where, i])
      return
    }
    if (where.length !== shape.length) ragged(where, `a ${typeof part}`)
    if (typeof part === 'boolean') truths++
    else if (typeof part !== 'number')
      throw new OpError('tensor', `element [${where.join(', ')}] is ${part === null ? 'null' : typeof part}`, {
        hint: 'Elements are numbers or booleans.',
      })
    flat.push(Number(part))
  }
  visit(data, [])
  if (truths !== 0 && truths !== flat.length)
    throw new OpError('tensor', 'booleans and numbers are mixed', {
      hint: 'Use one kind, or give numbers and a dtype.',
    })
  return { shape, flat, bool: truths > 0 }
}

export function fromNested(data: NestedData, dtype: DType | undefined): Node {
  const { shape, flat, bool } = flattenNested(data)
  const target = dtype ?? (bool ? 'bool' : 'float32')
  checkDType('tensor', target)
  return hostLeaf(elements('tensor', flat, target), shape, target)
}

function checkLength(op: string, length: number, shape: Dims): void {
  checkShape(op, shape)
  if (length !== sizeOf(shape))
    throw new OpError(op, `${length} elements do not fill ${sizeOf(shape)}`, {
      shapes: [shape],
      hint: 'The number of elements must be the product of the sizes.',
    })
}

/** A copy of flat elements in a shape. */
export function fromFlat(op: string, data: ArrayLike<number>, shape: Dims, dtype: DType | undefined): Node {
  const target = dtype ?? arrayDType(data) ?? 'float32'
  checkDType(op, target)
  checkLength(op, data.length, shape)
  const raw = target === 'float16' && data instanceof Uint16Array
  return hostLeaf(raw ? new Uint16Array(data) : elements(op, data, target), shape, target)
}

/** Takes a host array as its own: nothing is copied, and nobody may write to it afterwards. */
export function adopt(data: HostArray, shape: Dims, dtype: DType): Node {
  checkDType('fromData', dtype)
  checkLength('fromData', data.length, shape)
  if (data.constructor !== hostArray(dtype, 0).constructor)
    throw new OpError(
      'fromData',
      `${dtype} elements come in a ${hostArray(dtype, 0).constructor.name}, got a ${data.constructor.name}`,
      {
        dtypes: [dtype],
        hint: 'Use tensor(data, shape, dtype) to convert.',
      },
    )
  return hostLeaf(data, shape, dtype)
}

export function full(op: string, shape: Dims, value: number, dtype: DType): Node {
  checkShape(op, shape)
  checkDType(op, dtype)
  if (!isFloat(dtype)) encode(op, value, dtype, 0)
  return build.full(shape, dtype === 'bool' ? Number(value !== 0) : value, dtype)
}

/** start, start + step, ... before stop. */
export function arange(start: number, stop: number, step: number, dtype: DType | undefined): Node {
  const all = [start, stop, step]
  if (!all.every(Number.isFinite) || step === 0)
    throw new OpError('arange', `start ${start}, stop ${stop} and step ${step} make no range`, {
      hint: 'Use finite numbers and a step other than 0.',
    })
  const target = dtype ?? (all.every(Number.isInteger) ? 'int32' : 'float32')
  checkDType('arange', target)
  const size = Math.max(0, Math.ceil((stop - start) / step))
  const wide: DType = target === 'float64' || target === 'int32' || target === 'uint32' ? target : 'float32'
  const index = build.iota([size], 0, wide)
  const scaled = step === 1 ? index : build.scale(index, step)
  return build.cast(start === 0 ? scaled : build.shift(scaled, start), target)
}

/** `count` numbers from start to stop, both included. */
export function linspace(start: number, stop: number, count: number, dtype: DType): Node {
  if (!Number.isInteger(count) || count < 0)
    throw new OpError('linspace', `${count} is not a number of points`, { hint: 'Use a whole number of at least 0.' })
  if (!isFloat(dtype)) throw new OpError('linspace', `needs a floating dtype, got ${dtype}`, { dtypes: [dtype] })
  const wide: DType = dtype === 'float64' ? 'float64' : 'float32'
  if (count < 2) return build.full([count], start, dtype)
  const step = (stop - start) / (count - 1)
  const index = build.iota([count], 0, wide)
  const up = build.shift(build.scale(index, step), start)
  // Counting down from the other end makes the last point exact.
  const down = build.shift(build.scale(build.shift(index, 1 - count), step), stop)
  const first = build.binary('lt', index, build.full([count], count / 2, wide))
  return build.cast(build.select(first, up, down), dtype)
}

/** base to the power of evenly spaced exponents. */
export function logspace(start: number, stop: number, count: number, base: number, dtype: DType): Node {
  if (!(base > 0 && Number.isFinite(base)))
    throw new OpError('logspace', `the base ${base} is not a positive number`, { hint: 'The default is 10.' })
  const exponents = linspace(start, stop, count, dtype === 'float64' ? 'float64' : 'float32')
  const powers = build.binary('pow', build.full(exponents.shape, base, exponents.dtype), exponents)
  return build.cast(powers, dtype)
}

export function eye(rows: number, columns: number, dtype: DType): Node {
  checkShape('eye', [rows, columns])
  checkDType('eye', dtype)
  const shape = [rows, columns]
  return build.cast(build.binary('eq', build.iota(shape, 0), build.iota(shape, 1)), dtype)
}

/** 1 at each index along a new last dimension; a row of zeros for an index outside. */
export function oneHot(index: Node, classes: number, dtype: DType): Node {
  const i = asIndex('oneHot', index)
  checkShape('oneHot', [classes])
  checkDType('oneHot', dtype)
  const shape = [...i.shape, classes]
  const hot = build.binary('eq', build.reshape(i, [...i.shape, 1]), build.iota(shape, shape.length - 1))
  return build.cast(hot, dtype)
}
