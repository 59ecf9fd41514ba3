import type { DType, HostArrays } from '@tessella/ir'
import { nodeIn } from '../operand.ts'
import * as ops from '../ops/create.ts'
import { fromNode, type Tensor } from '../tensor.ts'
import type { Shape } from '../types/index.ts'

export type { NestedData } from '../ops/create.ts'

/** The shape of nested arrays; lengths that are not literal are `number`. */
export type ShapeOfNested<T> = [ops.NestedData] extends [T]
  ? Shape
  : T extends number | boolean
    ? []
    : T extends readonly (infer E)[]
      ? [T['length'], ...(T extends readonly [infer First, ...unknown[]] ? ShapeOfNested<First> : ShapeOfNested<E>)]
      : Shape
/** Booleans make bool, numbers float32. */
type DTypeOfNested<T> = [ops.NestedData] extends [T]
  ? 'float32' | 'bool'
  : T extends boolean
    ? 'bool'
    : T extends readonly (infer E)[]
      ? DTypeOfNested<E>
      : 'float32'

type FlatData = ArrayLike<number>
/** Typed arrays keep their element type, plain numbers are float32. */
type DTypeOfFlat<T> = T extends Float64Array
  ? 'float64'
  : T extends Int32Array
    ? 'int32'
    : T extends Uint32Array
      ? 'uint32'
      : T extends Uint8Array | Uint8ClampedArray
        ? 'uint8'
        : 'float32'

/**
 * A tensor of the given elements, copied: nested arrays, or flat data with a shape. Numbers are float32, booleans bool,
 * typed arrays keep their element type; `dtype` changes that. Throws `OpError` for ragged data, for a length that is
 * not the product of the sizes, and for NaN, fractions and numbers out of range in an integer dtype.
 * @example
 * tensor([[1, 2], [3, 4]]) // Tensor<[2, 2], 'float32'>
 * tensor([3, 1, 2], 'int32') // Tensor<[3], 'int32'>
 * tensor(new Uint8Array(784), [28, 28]) // Tensor<[28, 28], 'uint8'>
 */
export function tensor<const T extends FlatData, const S extends Shape, D extends DType = DTypeOfFlat<T>>(
  data: T,
  shape: S,
  dtype?: D,
): Tensor<[...S], NoInfer<D>>
export function tensor<const T extends ops.NestedData, D extends DType = DTypeOfNested<T>>(
  data: T,
  dtype?: D,
): Tensor<ShapeOfNested<T>, NoInfer<D>>
export function tensor<T extends HostArrays[DType] | Uint8ClampedArray, D extends DType = DTypeOfFlat<T>>(
  data: T,
  dtype?: D,
): Tensor<[number], NoInfer<D>>
export function tensor(data: ops.NestedData | FlatData, second?: Shape | DType, third?: DType): Tensor {
  if (typeof second === 'object') return fromNode(ops.fromFlat('tensor', data as FlatData, second, third))
  if (ArrayBuffer.isView(data)) {
    const flat = data as ArrayBufferView & FlatData
    return fromNode(ops.fromFlat('tensor', flat, [flat.length], second))
  }
  return fromNode(ops.fromNested(data as ops.NestedData, second))
}

/** One number or truth without dimensions. */
export const scalar = <D extends DType = 'float32'>(value: number, dtype?: D): Tensor<[], NoInfer<D>> =>
  fromNode(ops.full('scalar', [], value, dtype ?? 'float32'))

/**
 * A tensor that takes a host array as its own, without a copy: do not write to the array afterwards.
 * bool comes as a Uint8Array of 0 and 1, float16 as a Uint16Array of bits.
 */
export const fromData = <const S extends Shape, const D extends DType>(
  data: HostArrays[D],
  shape: S,
  dtype: D,
): Tensor<[...S], D> => fromNode(ops.adopt(data, shape, dtype))

/** A tensor of one value. */
export const full = <const S extends Shape, D extends DType = 'float32'>(
  shape: S,
  value: number,
  dtype?: D,
): Tensor<[...S], NoInfer<D>> => fromNode(ops.full('full', shape, value, dtype ?? 'float32'))
export const zeros = <const S extends Shape, D extends DType = 'float32'>(
  shape: S,
  dtype?: D,
): Tensor<[...S], NoInfer<D>> => fromNode(ops.full('zeros', shape, 0, dtype ?? 'float32'))
export const ones = <const S extends Shape, D extends DType = 'float32'>(
  shape: S,
  dtype?: D,
): Tensor<[...S], NoInfer<D>> => fromNode(ops.full('ones', shape, 1, dtype ?? 'float32'))

/** One value in the shape and dtype of another tensor. */
export const fullLike = <S extends Shape, D extends DType>(x: Tensor<S, D>, value: number): Tensor<S, D> =>
  fromNode(ops.full('fullLike', x.shape, value, x.dtype))
export const zerosLike = <S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> => fullLike(x, 0)
export const onesLike = <S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> => fullLike(x, 1)

/** `start`, `start + step`, ... before `stop`: int32 when all are whole numbers, else float32. */
export function arange<const N extends number, D extends DType = 'int32'>(stop: N, dtype?: D): Tensor<[N], NoInfer<D>>
export function arange<D extends DType = 'int32' | 'float32'>(
  start: number,
  stop: number,
  step?: number,
  dtype?: D,
): Tensor<[number], NoInfer<D>>
export function arange(first: number, second?: number | DType, step?: number, dtype?: DType): Tensor {
  if (typeof second === 'number') return fromNode(ops.arange(first, second, step ?? 1, dtype))
  return fromNode(ops.arange(0, first, 1, second))
}

/** `count` evenly spaced numbers from `start` to `stop`, both included. */
export const linspace = <const N extends number, D extends 'float16' | 'float32' | 'float64' = 'float32'>(
  start: number,
  stop: number,
  count: N,
  dtype?: D,
): Tensor<[N], NoInfer<D>> => fromNode(ops.linspace(start, stop, count, dtype ?? 'float32'))

/**
 * `count` numbers from base^start to base^stop, evenly spaced in their logarithm; base 10 unless given.
 * @example logspace(0, 2, 3) // [1, 10, 100]
 */
export const logspace = <const N extends number, D extends 'float16' | 'float32' | 'float64' = 'float32'>(
  start: number,
  stop: number,
  count: N,
  base = 10,
  dtype?: D,
): Tensor<[N], NoInfer<D>> => fromNode(ops.logspace(start, stop, count, base, dtype ?? 'float32'))

/** Ones on the diagonal, zeros elsewhere; square unless `columns` is given. */
export const eye = <const N extends number, const M extends number = N, D extends DType = 'float32'>(
  rows: N,
  columns?: M,
  dtype?: D,
): Tensor<[N, M], NoInfer<D>> => fromNode(ops.eye(rows, columns ?? rows, dtype ?? 'float32'))

/** 1 at each index along a new last dimension of `classes`, 0 elsewhere; an index outside gives zeros. */
export const oneHot = <S extends Shape, const N extends number, D extends DType = 'float32'>(
  index: Tensor<S>,
  classes: N,
  dtype?: D,
): Tensor<[...S, N], NoInfer<D>> => fromNode(ops.oneHot(nodeIn('oneHot', index), classes, dtype ?? 'float32'))
