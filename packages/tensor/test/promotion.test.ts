import { type DType, dtypes } from '@tessella/ir'
import { describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'

const of = (dtype: DType): t.Tensor => t.ones([2], dtype)
const order: readonly DType[] = ['bool', 'uint8', 'uint32', 'int32', 'float16', 'float32', 'float64']
const wider = (a: DType, b: DType): DType => (order.indexOf(a) > order.indexOf(b) ? a : b)
const compute = (d: DType): DType => (d === 'uint8' ? 'int32' : d === 'float16' ? 'float32' : d)
const arith = (d: DType): DType => (d === 'bool' ? 'int32' : compute(d))
const float = (d: DType): DType => (d === 'float64' ? 'float64' : 'float32')

describe('promotion of two tensors', () => {
  const pairs = dtypes.flatMap((a) => dtypes.map((b) => [a, b] as const))
  it.each(pairs)('%s with %s', (a, b) => {
    const common = wider(a, b)
    expect(t.add(of(a), of(b)).dtype).toBe(arith(common))
    expect(t.remainder(of(a), of(b)).dtype).toBe(arith(common))
    expect(t.div(of(a), of(b)).dtype).toBe(float(common))
    expect(t.maximum(of(a), of(b)).dtype).toBe(compute(common))
    expect(t.lt(of(a), of(b)).dtype).toBe('bool')
    expect(t.where(t.ones([2], 'bool'), of(a), of(b)).dtype).toBe(common)
    expect(t.concat([of(a), of(b)]).dtype).toBe(common)
    expect(of(a).matmul(of(b)).dtype).toBe(float(common))
  })
})

describe('promotion of a tensor and a number', () => {
  it.each<[DType, number, DType]>([
    ['bool', 2, 'int32'],
    ['bool', 0.5, 'float32'],
    ['uint8', 300, 'int32'],
    ['uint8', 0.5, 'float32'],
    ['uint32', 4_000_000_000, 'uint32'],
    ['int32', -1, 'int32'],
    ['int32', 1.5, 'float32'],
    ['int32', Number.POSITIVE_INFINITY, 'float32'],
    ['float16', 1, 'float32'],
    ['float32', 1e20, 'float32'],
    ['float64', 0.1, 'float64'],
  ])('%s and %d give %s', (dtype, value, expected) => {
    expect(t.add(of(dtype), value).dtype).toBe(expected)
    expect(t.sub(value, of(dtype)).dtype).toBe(expected)
  })
  it('refuses numbers that no integer of the dtype can be', () => {
    expect(() => t.add(of('uint32'), -1)).toThrow(
      "[add] the number -1 does not fit uint32. Cast the tensor first: x.cast('int32').",
    )
    expect(() => t.mul(of('int32'), 2 ** 31)).toThrow(/does not fit int32.*cast\('float32'\)/)
  })
})

describe('dtypes of functions of one tensor', () => {
  it.each(dtypes)('%s', (d) => {
    const x = of(d)
    expect(t.exp(x).dtype).toBe(float(d))
    expect(t.mean(x).dtype).toBe(float(d))
    expect(t.softmax(x, 0).dtype).toBe(float(d))
    expect(t.sum(x).dtype).toBe(arith(d))
    expect(t.neg(x).dtype).toBe(arith(d))
    expect(t.max(x).dtype).toBe(compute(d))
    expect(t.floor(x).dtype).toBe(d === 'float16' ? 'float32' : d)
    expect(t.isNan(x).dtype).toBe('bool')
    expect(t.argmax(x).dtype).toBe('int32')
    expect(t.sort(x).values.dtype).toBe(d)
    expect(t.flip(x).dtype).toBe(d)
    expect(t.take(x, t.zeros([1], 'uint8')).dtype).toBe(d)
  })
})
