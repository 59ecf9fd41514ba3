import { vjpNodes } from '@tessella/autograd'
import { type GoldenCase, golden, goldenMismatch, reference } from '@tessella/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'

beforeAll(async () => {
  await t.useBackend(reference())
  return t.disposeBackend
})

/** The inputs by name; a missing one is a mistake of the table. */
type Inputs = (name: string) => t.Tensor
type Attrs = Readonly<Record<string, unknown>>
type Run = (input: Inputs, attrs: Attrs) => t.Tensor

const unary =
  (fn: (x: t.Tensor) => t.Tensor): Run =>
  (i, a) =>
    fn(a.inputScale === undefined ? i('x') : t.mul(i('x'), a.inputScale as number))
const binary =
  (fn: (a: t.Tensor, b: t.Tensor) => t.Tensor): Run =>
  (i) =>
    fn(i('a'), i('b'))
const reduction =
  (fn: (x: t.Tensor, axes: number[], options: { keepdims: boolean }) => t.Tensor): Run =>
  (i, a) =>
    fn(i('x'), a.axes as number[], { keepdims: a.keepDims === true })
const axis = (a: Attrs): number => a.axis as number
const number = (a: Attrs, name: string): number => a[name] as number

const tensorOps: Readonly<Record<string, Run>> = {
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
  variance: (i, a) => t.variance(i('x'), a.axes as number[], { correction: a.unbiased === true ? 1 : 0 }),
  logSumExp: reduction((x, at) => t.logsumexp(x, at)),
  prod: reduction((x, at) => t.prod(x, at)),
  cumsum: (i, a) => t.cumsum(i('x'), axis(a)),
  argmax: (i, a) => t.argmax(i('x'), axis(a)),
  topk: (i, a) => t.topk(i('x'), number(a, 'k'), axis(a)).values,
  sort: (i, a) => t.sort(i('x'), axis(a)).values,
  einsum: (i, a) => t.einsum(a.equation as string, i('a'), i('b')),
  where: (i) => t.where(i('cond'), i('a'), i('b')),
  clip: (i, a) => t.clip(i('x'), number(a, 'min'), number(a, 'max')),
  pad: (i, a) => t.pad(i('x'), a.widths as [number, number][], { value: number(a, 'value') }),
  slice: (i, a) => {
    const [starts, stops, steps] = [a.starts, a.stops, a.steps] as number[][]
    return i('x').slice(...starts!.map((s, d) => [s, stops![d]!, steps![d]!] as const))
  },
  flip: (i, a) => t.flip(i('x'), a.axes as number[]),
  concat: (i, a) => t.concat([i('a'), i('b')], axis(a)),
  stack: (i, a) => t.stack([i('a'), i('b')], axis(a)),
  gather: (i, a) => t.gather(i('x'), axis(a), i('index')),
  take: (i, a) => t.take(i('x'), i('index'), axis(a)),
  scatterAdd: (i, a) => t.scatterAdd(i('x'), axis(a), i('index'), i('src')),
  permute: (i, a) => t.permute(i('x'), a.axes as number[]),
  tril: (i, a) => t.tril(i('x'), number(a, 'k')),
}

const activationOps: Readonly<Record<string, Run>> = {
  sigmoid: unary(t.sigmoid),
  tanh: unary(t.tanh),
  relu: unary(t.relu),
  relu6: unary(t.relu6),
  leakyRelu: (i, a) => t.leakyRelu(i('x'), number(a, 'negativeSlope')),
  elu: (i, a) => t.elu(i('x'), number(a, 'alpha')),
  celu: (i, a) => t.celu(i('x'), number(a, 'alpha')),
  selu: unary(t.selu),
  gelu: unary(t.gelu),
  geluTanh: unary((x) => t.gelu(x, 'tanh')),
  silu: unary(t.silu),
  mish: unary(t.mish),
  softplus: unary(t.softplus),
  softsign: unary(t.softsign),
  hardtanh: unary(t.hardtanh),
  hardswish: unary(t.hardswish),
  hardsigmoid: unary(t.hardsigmoid),
  logSigmoid: unary(t.logSigmoid),
  tanhshrink: unary(t.tanhshrink),
  softshrink: (i, a) => t.softshrink(i('x'), number(a, 'lambda')),
  prelu: (i) => t.prelu(i('x'), i('weight')),
  softmax: (i, a) => t.softmax(i('x'), axis(a)),
  logSoftmax: (i, a) => t.logSoftmax(i('x'), axis(a)),
  glu: (i, a) => t.glu(i('x'), axis(a)),
}

const window = (a: Attrs) => ({
  stride: a.stride as number | undefined,
  padding: a.padding as number | undefined,
  dilation: a.dilation as number | undefined,
  groups: a.groups as number | undefined,
  outputPadding: a.output_padding as number | undefined,
  ceilMode: a.ceil_mode as boolean | undefined,
  countIncludePad: a.count_include_pad as boolean | undefined,
})
type Convolve = (x: t.Tensor, weight: t.Tensor, options: object) => t.Tensor
const convolution =
  (fn: Convolve): Run =>
  (i, a) =>
    fn(i('x'), i('weight'), { ...window(a), bias: 'bias' in a ? i('bias') : undefined })
const pooling =
  (fn: (x: t.Tensor, kernel: number, options: object) => t.Tensor): Run =>
  (i, a) =>
    fn(i('x'), number(a, 'kernel_size'), window(a))

const convOps: Readonly<Record<string, Run>> = {
  conv1d: convolution(t.conv1d),
  conv2d: convolution(t.conv2d),
  conv3d: convolution(t.conv3d),
  convTranspose1d: convolution(t.convTranspose1d),
  convTranspose2d: convolution(t.convTranspose2d),
}
const poolOps: Readonly<Record<string, Run>> = {
  maxPool1d: pooling(t.maxPool1d),
  maxPool2d: pooling(t.maxPool2d),
  maxPool3d: pooling(t.maxPool3d),
  avgPool1d: pooling(t.avgPool1d),
  avgPool2d: pooling(t.avgPool2d),
  avgPool3d: pooling(t.avgPool3d),
  adaptiveAvgPool2d: (i, a) => t.adaptiveAvgPool2d(i('x'), a.output_size as number[]),
  adaptiveMaxPool2d: (i, a) => t.adaptiveMaxPool2d(i('x'), a.output_size as number[]),
}

async function check(c: GoldenCase, run: Run | undefined): Promise<void> {
  if (run === undefined) throw new Error(`the table has no row for ${c.op}`)
  const inputs = new Map(
    Object.entries(c.inputs).map(([name, x]) => [name, t.tensor(x.data as number[], x.shape as number[], x.dtype)]),
  )
  const input: Inputs = (name) => {
    const x = inputs.get(name)
    if (x === undefined) throw new Error(`${c.name} has no input ${name}`)
    return x
  }
  const y = run(input, inputs.has('bias') ? { ...c.attrs, bias: true } : c.attrs)
  expect(y.shape).toEqual(c.outputs.y!.shape)
  expect(goldenMismatch(await y.data(), c.outputs.y!)).toBeUndefined()
  const names = Object.keys(c.grads)
  if (names.length === 0) return
  // The graph again, because reading settled it.
  const again = run(input, inputs.has('bias') ? { ...c.attrs, bias: true } : c.attrs)
  const grads = vjpNodes(
    [t.nodeOf(again)],
    [t.nodeOf(input('dy'))],
    names.map((n) => t.nodeOf(input(n))),
  )
  for (const [i, name] of names.entries()) {
    const found = goldenMismatch(await t.fromNode(grads[i]!).data(), c.grads[name]!)
    expect(found === undefined ? undefined : `d${name}: ${found}`).toBeUndefined()
  }
}

const tables = { tensor: tensorOps, activations: activationOps, conv: convOps, pool: poolOps }

for (const file of ['tensor', 'activations', 'conv', 'pool'] as const) {
  const cases = await golden(file)
  describe(`${file} as PyTorch`, () => {
    it.each(cases.map((c) => [c.name, c] as const))('%s', (_, c) => check(c, tables[file][c.op]))
  })
}
