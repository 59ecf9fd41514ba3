import { build, type ConvAttrs, make, type OpName, type PoolAttrs } from '@tessella/ir'
import type { NodeFunction } from './checkGradient.ts'
import type { Input } from './program.ts'

export interface OpCase {
  readonly name: string
  readonly inputs: readonly Input[]
  readonly f: NodeFunction
  /** The second derivative is not checked: zero everywhere, or the input sits where it does not exist. */
  readonly firstOrderOnly?: true
}

const of = (...shape: number[]): Input => ({ shape })
const given = (data: readonly number[], ...shape: number[]): Input => ({ shape, data })
const index = (data: readonly number[], ...shape: number[]): Input => ({ shape, data, dtype: 'int32' })

const plain: ConvAttrs = {
  stride: [1, 1],
  padding: [
    [0, 0],
    [0, 0],
  ],
  dilation: [1, 1],
  groups: 1,
}
const odd: ConvAttrs = {
  stride: [2, 1],
  padding: [
    [1, 0],
    [2, 1],
  ],
  dilation: [1, 2],
  groups: 2,
}
const pool: PoolAttrs = {
  kernel: [2, 3],
  stride: [1, 2],
  padding: [
    [1, 0],
    [1, 1],
  ],
  dilation: [1, 1],
}
const line: ConvAttrs = { stride: [2], padding: [[1, 1]], dilation: [1], groups: 1 }
const cube: ConvAttrs = {
  stride: [1, 1, 1],
  padding: [
    [0, 0],
    [1, 0],
    [0, 0],
  ],
  dilation: [1, 1, 1],
  groups: 1,
}

/** Cases of every operation; the scalar functions have their own table. */
export const opCases: { readonly [K in OpName]: readonly OpCase[] } = {
  constant: [{ name: 'scaled', inputs: [of(3)], f: (x) => build.scale(x, 3) }],
  parameter: [{ name: 'itself', inputs: [of(2, 2)], f: (x) => x }],
  iota: [{ name: 'times', inputs: [of(2, 3)], f: (x) => build.mul(x, build.iota([2, 3], 1, 'float64')) }],
  unary: [{ name: 'exp', inputs: [of(3)], f: (x) => build.unary('exp', x) }],
  binary: [
    { name: 'broadcast', inputs: [of(2, 3), of(3)], f: (a, b) => build.mul(a, b) },
    { name: 'one operand twice', inputs: [of(4)], f: (a) => build.mul(a, a) },
  ],
  select: [
    {
      name: 'by comparison',
      inputs: [of(5), of(5)],
      f: (a, b) => build.select(build.binary('gt', a, b), build.mul(a, a), b),
    },
  ],
  cast: [
    { name: 'to float64 and back', inputs: [of(3)], f: (x) => build.cast(build.cast(x, 'float64'), 'float64') },
    {
      name: 'through int32',
      inputs: [of(3)],
      f: (x) => build.mul(x, build.cast(build.cast(build.scale(x, 9), 'int32'), 'float64')),
    },
  ],
  reduce: [
    { name: 'sum', inputs: [of(2, 3, 2)], f: (x) => build.reduce('sum', x, [0, 2]) },
    { name: 'sum of all', inputs: [of(2, 3)], f: (x) => build.reduce('sum', x, [0, 1]) },
    { name: 'max', inputs: [of(3, 4)], f: (x) => build.reduce('max', x, [1]) },
    { name: 'min over two axes', inputs: [of(2, 3, 2)], f: (x) => build.reduce('min', x, [0, 1]) },
    { name: 'prod', inputs: [of(3, 4)], f: (x) => build.reduce('prod', x, [0]) },
    { name: 'prod with a zero', inputs: [given([2, 0, 3, 0.5], 4)], f: (x) => build.reduce('prod', x, [0]) },
    {
      name: 'prod with two zeros',
      inputs: [given([2, 0, 0, 0.5, 1, 0], 2, 3)],
      f: (x) => build.reduce('prod', x, [1]),
    },
    { name: 'prod over two axes', inputs: [of(2, 3, 2)], f: (x) => build.reduce('prod', x, [0, 2]) },
  ],
  argReduce: [
    {
      name: 'as a gather index',
      inputs: [of(3, 4)],
      f: (x) => build.gather(x, build.reshape(build.argReduce('max', x, 1), [3, 1]), 1),
    },
  ],
  cumulative: [
    { name: 'sum', inputs: [of(2, 4)], f: (x) => build.cumulative('sum', x, 1) },
    { name: 'sum reversed', inputs: [of(3, 2)], f: (x) => build.cumulative('sum', x, 0, true) },
    { name: 'prod', inputs: [of(2, 5)], f: (x) => build.cumulative('prod', x, 1) },
    { name: 'prod reversed', inputs: [of(3, 2)], f: (x) => build.cumulative('prod', x, 0, true) },
    {
      name: 'prod with zeros',
      inputs: [given([2, 0, 3, 0, 0.5, 1, 2, 0], 2, 4)],
      f: (x) => build.cumulative('prod', x, 1),
    },
    { name: 'max', inputs: [of(2, 5)], f: (x) => build.cumulative('max', x, 1) },
    { name: 'min reversed', inputs: [of(5, 2)], f: (x) => build.cumulative('min', x, 0, true) },
  ],
  matmul: [
    { name: 'matrices', inputs: [of(2, 3), of(3, 4)], f: (a, b) => build.matmul(a, b) },
    { name: 'batched', inputs: [of(2, 2, 3), of(2, 3, 2)], f: (a, b) => build.matmul(a, b) },
    { name: 'with itself', inputs: [of(3, 3)], f: (a) => build.matmul(a, build.transpose(a)) },
  ],
  conv: [
    { name: 'plain', inputs: [of(2, 2, 4, 4), of(3, 2, 2, 3)], f: (x, w) => build.conv(x, w, plain) },
    { name: 'odd', inputs: [of(1, 4, 5, 6), of(2, 2, 2, 3)], f: (x, w) => build.conv(x, w, odd) },
    { name: 'one dimension', inputs: [of(2, 1, 6), of(2, 1, 3)], f: (x, w) => build.conv(x, w, line) },
    { name: 'three dimensions', inputs: [of(1, 1, 2, 3, 3), of(2, 1, 2, 2, 2)], f: (x, w) => build.conv(x, w, cube) },
  ],
  convGradInput: [
    { name: 'odd', inputs: [of(1, 2, 3, 5), of(2, 2, 2, 3)], f: (g, w) => build.convGradInput(g, w, odd, [5, 6]) },
    { name: 'line', inputs: [of(2, 2, 3), of(2, 1, 3)], f: (g, w) => build.convGradInput(g, w, line, [6]) },
  ],
  convGradWeight: [
    { name: 'odd', inputs: [of(1, 4, 5, 6), of(1, 2, 3, 5)], f: (x, g) => build.convGradWeight(x, g, odd, [2, 3]) },
    { name: 'line', inputs: [of(2, 1, 6), of(2, 2, 3)], f: (x, g) => build.convGradWeight(x, g, line, [3]) },
  ],
  maxPool: [{ name: 'overlapping', inputs: [of(1, 2, 4, 5)], f: (x) => build.maxPool(x, pool) }],
  maxPoolGrad: [
    { name: 'overlapping', inputs: [of(1, 2, 4, 5), of(1, 2, 4, 3)], f: (x, g) => build.maxPoolGrad(x, g, pool) },
  ],
  maxPoolPick: [
    { name: 'overlapping', inputs: [of(1, 2, 4, 5), of(1, 2, 4, 5)], f: (x, v) => build.maxPoolPick(x, v, pool) },
  ],
  gather: [
    {
      name: 'with repeats',
      inputs: [of(3, 2), index([2, 0, 2, 1, 2, 2, 0, 1], 4, 2)],
      f: (x, i) => build.gather(x, i, 0),
    },
  ],
  scatterAdd: [
    {
      name: 'with repeats',
      inputs: [index([2, 0, 2, 1], 2, 2), of(2, 2)],
      f: (i, v) => build.scatterAdd(i, v, 1, 3),
    },
    {
      name: 'outside is dropped',
      inputs: [index([5, 0, -1, 1], 2, 2), of(2, 2)],
      f: (i, v) => build.scatterAdd(i, v, 1, 3),
    },
  ],
  argsort: [
    { name: 'sort', inputs: [of(2, 4)], f: (x) => build.gather(x, build.argsort(x, 1), 1) },
    { name: 'descending', inputs: [of(4, 2)], f: (x) => build.gather(x, build.argsort(x, 0, true), 0) },
  ],
  reshape: [{ name: 'flatten', inputs: [of(2, 3)], f: (x) => build.reshape(x, [6]) }],
  permute: [{ name: 'cycle', inputs: [of(2, 3, 4)], f: (x) => build.permute(x, [2, 0, 1]) }],
  expand: [{ name: 'two axes', inputs: [of(1, 3, 1)], f: (x) => build.expand(x, [2, 3, 4]) }],
  slice: [
    { name: 'steps', inputs: [of(5, 7)], f: (x) => build.slice(x, [1, 0], [2, 3], [2, 3]) },
    {
      name: 'nothing',
      inputs: [of(3)],
      f: (x) => build.add(build.reduce('sum', build.slice(x, [1], [0]), [0]), build.reduce('sum', x, [0])),
    },
  ],
  flip: [{ name: 'two axes', inputs: [of(2, 3, 2)], f: (x) => build.flip(x, [0, 2]) }],
  pad: [
    { name: 'interior', inputs: [of(2, 3)], f: (x) => build.pad(x, [1, 0], [0, 2], 5, [2, 1]) },
    { name: 'edges', inputs: [of(3)], f: (x) => build.pad(x, [2], [1]) },
  ],
  concat: [{ name: 'three parts', inputs: [of(2, 1), of(2, 3)], f: (a, b) => build.concat([a, b, a], 1) }],
  randomBits: [
    {
      name: 'a mask of bits',
      inputs: [of(6), { shape: [2], dtype: 'uint32', data: [7, 11] }],
      f: (x, key) =>
        build.mul(
          x,
          build.cast(build.binary('lt', build.randomBits(key, [6]), build.constant(2 ** 31, 'uint32')), 'float64'),
        ),
    },
  ],
  alias: [{ name: 'squared', inputs: [of(3)], f: (x) => build.mul(build.alias(x), x) }],
  stopGradient: [
    {
      // At the value of x the stopped factor is a constant to the differences too: it is an input of its own.
      name: 'of a function of no input',
      inputs: [of(3)],
      f: (x) => build.mul(x, build.stopGradient(build.full([3], 2, 'float64'))),
    },
  ],
  after: [{ name: 'value passes', inputs: [of(3)], f: (x) => build.mul(build.after(x, build.neg(x)), x) }],
  custom: [
    {
      name: 'its own derivative',
      inputs: [of(3), of(3)],
      f: (a, b) =>
        make('custom', [build.mul(a, b), a, b], {
          name: 'product',
          vjp: ([p, q], _, g) => [build.mul(g, q as typeof a), build.mul(g, p as typeof a)],
        }),
    },
  ],
}
