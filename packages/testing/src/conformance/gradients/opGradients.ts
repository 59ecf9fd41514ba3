import { build, type ConvAttrs, type Dims, type Node, type OpName, type PoolAttrs } from '@tessella/ir'
import type { GradInput } from '../../gradcheck.ts'
import type { NonEmpty } from '../case.ts'
import type { GradCase } from './gradCase.ts'

const indices = (values: readonly number[], shape: Dims): Node =>
  build.reshape(
    build.concat(
      values.map((v) => build.reshape(build.constant(v, 'int32'), [1])),
      0,
    ),
    shape,
  )
const positive = (...shape: number[]): GradInput => ({ shape, range: [0.5, 1.5] })
const signed = (...shape: number[]): GradInput => ({ shape })
/** Distinct values a step of 0.37 apart (modulo 5), so that maxima do not change under a small step. */
const distinct = (...shape: number[]): GradInput => ({
  shape,
  values: Array.from({ length: shape.reduce((n, d) => n * d, 1) }, (_, i) => ((i * 37) % 101) / 20 - 2.5),
})
const one = (name: string, fn: (x: Node) => Node, input: GradInput): GradCase => ({
  name,
  fn: ([x]) => fn(x),
  inputs: [input],
})

const conv1: ConvAttrs = { stride: [2], padding: [[1, 2]], dilation: [2], groups: 1 }
const conv2: ConvAttrs = {
  stride: [1, 2],
  padding: [
    [1, 0],
    [1, 1],
  ],
  dilation: [1, 1],
  groups: 2,
}
const conv3: ConvAttrs = {
  stride: [1, 1, 1],
  padding: [
    [0, 0],
    [1, 0],
    [0, 1],
  ],
  dilation: [1, 1, 1],
  groups: 1,
}
const pool: PoolAttrs = {
  kernel: [3, 2],
  stride: [2, 1],
  padding: [
    [1, 1],
    [0, 0],
  ],
  dilation: [1, 1],
}

/** Gradients with respect to every differentiable operand; 'none' where the result has no gradient, 'special' below. */
export const opGradients: { readonly [K in OpName]: NonEmpty<GradCase> | 'none' | 'special' } = {
  constant: 'none',
  parameter: [
    one('the input itself', (x) => x, signed(3)),
    { name: 'an input that is not used', fn: ([x]) => build.neg(x), inputs: [signed(2), signed(3)] },
    one('an input used often', (x) => build.add(build.mul(x, x), build.mul(x, build.neg(x))), signed(4)),
  ],
  iota: 'none',
  unary: [
    one('chain', (x) => build.unary('tanh', build.unary('exp', build.unary('sin', x))), signed(5)),
    one('scalar', (x) => build.unary('exp', x), signed()),
  ],
  binary: [
    { name: 'broadcast operands', fn: ([x, y]) => build.mul(x, y), inputs: [signed(2, 3, 4), signed(3, 1)] },
    { name: 'broadcast quotient', fn: ([x, y]) => build.div(x, y), inputs: [signed(4), positive(2, 1)] },
    one('both operands the same', (x) => build.div(build.mul(x, x), x), positive(4)),
  ],
  select: [
    {
      name: 'both branches',
      fn: ([x, y]) => build.select(build.binary('lt', build.iota([6], 0), build.constant(3, 'int32')), x, y),
      inputs: [signed(6), signed(6)],
    },
  ],
  cast: 'special',
  reduce: [
    one('sum over some axes', (x) => build.reduce('sum', x, [0, 2]), signed(2, 3, 4)),
    one('sum of all', (x) => build.mul(build.reduce('sum', x, [0, 1]), build.constant(3, 'float64')), signed(2, 3)),
    one('prod', (x) => build.reduce('prod', x, [1]), positive(3, 4)),
    one('prod with one zero', (x) => build.reduce('prod', x, [0]), { shape: [4], values: [2, 0, -1.5, 3] }),
    one('prod with two zeros', (x) => build.reduce('prod', x, [0]), { shape: [4], values: [2, 0, 0, 3] }),
    one('max', (x) => build.reduce('max', x, [1]), distinct(3, 5)),
    one('max over two axes', (x) => build.reduce('max', x, [0, 2]), distinct(3, 2, 4)),
    one('min', (x) => build.reduce('min', x, [0]), distinct(3, 5)),
  ],
  argReduce: 'none',
  cumulative: [
    one('sum', (x) => build.cumulative('sum', x, 1), signed(2, 5)),
    one('sum in reverse', (x) => build.cumulative('sum', x, 0, true), signed(4, 2)),
    one('prod', (x) => build.cumulative('prod', x, 0), positive(5)),
    one('prod in reverse', (x) => build.cumulative('prod', x, 1, true), positive(2, 4)),
    one('prod with a zero', (x) => build.cumulative('prod', x, 0), { shape: [4], values: [2, 0, -1.5, 3] }),
    one('max', (x) => build.cumulative('max', x, 0), distinct(7)),
    one('min in reverse', (x) => build.cumulative('min', x, 1, true), distinct(2, 6)),
  ],
  matmul: [
    { name: 'matrices', fn: ([x, y]) => build.matmul(x, y), inputs: [signed(3, 4), signed(4, 2)] },
    { name: 'batches', fn: ([x, y]) => build.matmul(x, y), inputs: [signed(2, 3, 2, 4), signed(2, 3, 4, 3)] },
    one('with its own transpose', (x) => build.matmul(x, build.transpose(x)), signed(3, 4)),
  ],
  conv: [
    { name: '1d', fn: ([x, w]) => build.conv(x, w, conv1), inputs: [signed(2, 2, 9), signed(3, 2, 3)] },
    { name: '2d in groups', fn: ([x, w]) => build.conv(x, w, conv2), inputs: [signed(2, 4, 5, 6), signed(4, 2, 3, 2)] },
    { name: '3d', fn: ([x, w]) => build.conv(x, w, conv3), inputs: [signed(1, 2, 4, 3, 4), signed(2, 2, 2, 2, 3)] },
  ],
  convGradInput: [
    {
      name: '1d',
      fn: ([dy, w]) => build.convGradInput(dy, w, conv1, [10]),
      inputs: [signed(2, 3, 5), signed(3, 2, 3)],
    },
    {
      name: '2d in groups',
      fn: ([dy, w]) => build.convGradInput(dy, w, conv2, [5, 6]),
      inputs: [signed(2, 4, 4, 4), signed(4, 2, 3, 2)],
    },
  ],
  convGradWeight: [
    {
      name: '1d',
      fn: ([x, dy]) => build.convGradWeight(x, dy, conv1, [3]),
      inputs: [signed(2, 2, 10), signed(2, 3, 5)],
    },
    {
      name: '2d in groups',
      fn: ([x, dy]) => build.convGradWeight(x, dy, conv2, [3, 2]),
      inputs: [signed(2, 4, 5, 6), signed(2, 4, 4, 4)],
    },
  ],
  maxPool: [
    one('2d, overlapping and padded', (x) => build.maxPool(x, pool), distinct(1, 2, 6, 5)),
    one(
      '1d',
      (x) => build.maxPool(x, { kernel: [2], stride: [2], padding: [[0, 0]], dilation: [1] }),
      distinct(2, 2, 6),
    ),
  ],
  maxPoolGrad: [
    {
      name: 'of x and dy',
      fn: ([x, dy]) => build.maxPoolGrad(x, dy, pool),
      inputs: [distinct(1, 2, 6, 5), signed(1, 2, 3, 4)],
    },
  ],
  maxPoolPick: [
    {
      name: 'of x and v',
      fn: ([x, v]) => build.maxPoolPick(x, v, pool),
      inputs: [distinct(1, 2, 6, 5), signed(1, 2, 6, 5)],
    },
  ],
  gather: [
    one('with repeats', (x) => build.gather(x, indices([2, 0, 2, 1, 2, 0], [3, 2]), 0), signed(4, 2)),
    one('along the last axis', (x) => build.gather(x, indices([1, 0, 2, 2], [2, 2]), 1), signed(2, 3)),
  ],
  scatterAdd: [
    one('with meetings and drops', (v) => build.scatterAdd(indices([0, 2, 0, -1, 5], [5]), v, 0, 3), signed(5)),
  ],
  argsort: 'none',
  reshape: [one('to a matrix', (x) => build.reshape(x, [6, 2]), signed(3, 4))],
  permute: [one('of three axes', (x) => build.permute(x, [2, 0, 1]), signed(2, 3, 4))],
  expand: [one('of two axes', (x) => build.expand(x, [3, 4, 2]), signed(1, 4, 1))],
  slice: [
    one('with steps', (x) => build.slice(x, [1, 0], [2, 3], [2, 2]), signed(5, 6)),
    one('of nothing', (x) => build.slice(x, [1], [0]), signed(3)),
  ],
  flip: [one('of two axes', (x) => build.flip(x, [0, 2]), signed(2, 3, 4))],
  pad: [
    one('with a border', (x) => build.pad(x, [1, 0], [0, 2], 3), signed(2, 3)),
    one('between elements', (x) => build.pad(x, [0, 1], [1, 0], 0, [2, 1]), signed(3, 2)),
  ],
  concat: [
    { name: 'of three', fn: (xs) => build.concat(xs, 1), inputs: [signed(2, 1), signed(2, 3), signed(2, 2)] },
    one('of one with itself', (x) => build.concat([x, build.neg(x), x], 0), signed(3)),
  ],
  randomBits: 'none',
  alias: [one('alias', (x) => build.mul(build.alias(x), x), signed(3))],
  stopGradient: 'special',
  after: [
    {
      name: 'the value, not the event',
      fn: ([x, y]) => build.mul(build.after(x, y), build.after(y, x)),
      inputs: [signed(3), signed(3)],
    },
  ],
  custom: 'special',
}
