import * as t from '@tessella/tensor'
import { fn, type Row, type Rows } from './row.ts'

const unary = (run: (x: t.Tensor) => t.Tensor): Row =>
  fn((i, a) => run(a.inputScale === undefined ? i('x') : i('x').mul(a.inputScale)))
const binary = (run: (a: t.Tensor, b: t.Tensor) => t.Tensor): Row => fn((i) => run(i('a'), i('b')))
const reduction = (run: (x: t.Tensor, axes: readonly number[], options: { keepdim: boolean }) => t.Tensor): Row =>
  fn((i, a) => run(i('x'), a.axes, { keepdim: a.keepDims === true }))

export const tensorRows: Rows = {
  add: binary(t.add),
  sub: binary(t.sub),
  mul: binary(t.mul),
  divShifted: binary((a, b) => t.div(a, t.add(b, t.mul(t.sign(b), 3)))),
  maximum: binary(t.maximum),
  minimum: binary(t.minimum),
  atan2: binary(t.atan2),
  pow: binary((a, b) => a.pow(b)),
  matmul: binary((a, b) => a.matmul(b)),
  exp: unary(t.exp),
  log: unary(t.log),
  log1p: unary(t.log1p),
  expm1: unary(t.expm1),
  sqrt: unary(t.sqrt),
  rsqrt: unary(t.rsqrt),
  sin: unary(t.sin),
  cos: unary(t.cos),
  tan: unary(t.tan),
  asin: unary(t.asin),
  sinh: unary(t.sinh),
  cosh: unary(t.cosh),
  abs: unary(t.abs),
  reciprocal: unary(t.reciprocal),
  square: unary(t.square),
  erf: unary(t.erf),
  log2: unary(t.log2),
  sum: reduction((x, at, o) => t.sum(x, at, o)),
  mean: reduction((x, at, o) => t.mean(x, at, o)),
  amax: reduction((x, at, o) => t.max(x, at, o)),
  amin: reduction((x, at, o) => t.min(x, at, o)),
  variance: fn((i, a) => t.variance(i('x'), a.axes, { correction: a.unbiased ? 1 : 0 })),
  logSumExp: reduction((x, at) => t.logsumexp(x, at)),
  prod: reduction((x, at) => t.prod(x, at)),
  cumsum: fn((i, a) => t.cumsum(i('x'), a.axis)),
  argmax: fn((i, a) => t.argmax(i('x'), a.axis)),
  topk: fn((i, a) => t.topk(i('x'), a.k, a.axis).values),
  sort: fn((i, a) => t.sort(i('x'), a.axis).values),
  einsum: fn((i, a) => t.einsum(a.equation, i('a'), i('b'))),
  where: fn((i) => t.where(i('cond'), i('a'), i('b'))),
  clip: fn((i, a) => t.clip(i('x'), a.min, a.max)),
  pad: fn((i, a) => t.pad(i('x'), a.widths, { value: a.value })),
  slice: fn((i, { starts, stops, steps }) =>
    i('x').slice(...starts.map((start, d) => [start, stops[d] as number, steps[d] as number] as const)),
  ),
  flip: fn((i, a) => t.flip(i('x'), a.axes)),
  concat: fn((i, a) => t.concat([i('a'), i('b')], a.axis)),
  stack: fn((i, a) => t.stack([i('a'), i('b')], a.axis)),
  gather: fn((i, a) => t.gather(i('x'), a.axis, i('index'))),
  take: fn((i, a) => t.take(i('x'), i('index'), a.axis)),
  scatterAdd: fn((i, a) => t.scatterAdd(i('x'), a.axis, i('index'), i('src'))),
  permute: fn((i, a) => t.permute(i('x'), a.axes)),
  tril: fn((i, a) => t.tril(i('x'), a.k)),
}
