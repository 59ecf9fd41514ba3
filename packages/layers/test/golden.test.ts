/** Cases computed by PyTorch in float64, through the public layers: values, gradients, running statistics. */
import { grad } from '@tessella/autograd'
import { cpu } from '@tessella/backend-cpu'
import { eye, type PerDim, type Tensor, tensor, useBackend, Variable } from '@tessella/tensor'
import { type GoldenCase, type GoldenTensor, golden, goldenMismatch, reference } from '@tessella/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import * as L from '../src/index.ts'

type Call = (x: Tensor, mode: L.Mode) => Tensor

/** What cases may set; the table below reads only what its operation has. */
interface Attrs {
  readonly alpha: number
  readonly approximate: 'none' | 'tanh'
  readonly axis: number
  readonly beta: number
  readonly ceil_mode: boolean
  readonly count_include_pad: boolean
  readonly dilation: PerDim
  readonly eps: number
  readonly groups: number
  readonly k: number
  readonly kernel_size: PerDim
  readonly lambda: number
  readonly momentum: number
  readonly negativeSlope: number
  readonly normalizedShape: readonly number[]
  readonly output_padding: PerDim
  readonly output_size: PerDim
  readonly padding: PerDim
  readonly size: number
  readonly stride: PerDim
}

const pooled = (a: Attrs) => ({
  ...('stride' in a ? { stride: a.stride } : {}),
  ...('padding' in a ? { padding: a.padding } : {}),
  ...('dilation' in a ? { dilation: a.dilation } : {}),
  ...('ceil_mode' in a ? { ceilMode: a.ceil_mode } : {}),
  ...('count_include_pad' in a ? { countIncludePad: a.count_include_pad } : {}),
})
const convolved = ({ output_padding, ...a }: Attrs, c: GoldenCase) => ({
  ...a,
  ...(output_padding === undefined ? {} : { outputPadding: output_padding }),
  bias: 'bias' in c.inputs,
})
const sizes = (c: GoldenCase, name: string): readonly number[] => (c.inputs[name] as GoldenTensor).shape
const kernel = (c: GoldenCase): PerDim => sizes(c, 'weight').slice(2)
const channels = (c: GoldenCase): number => sizes(c, 'x')[1] as number
const out = (c: GoldenCase, axis = 0): number => sizes(c, 'weight')[axis] as number
const groups = (a: Attrs): number => a.groups ?? 1

/** The layer for each operation of the files; a case without a row fails. */
const layers: { readonly [op: string]: (a: Attrs, c: GoldenCase) => unknown } = {
  sigmoid: () => L.sigmoid(),
  tanh: () => L.tanh(),
  relu: () => L.relu(),
  relu6: () => L.relu6(),
  selu: () => L.selu(),
  silu: () => L.silu(),
  mish: () => L.mish(),
  softplus: () => L.softplus(),
  softsign: () => L.softsign(),
  hardtanh: () => L.hardtanh(),
  hardswish: () => L.hardswish(),
  hardsigmoid: () => L.hardsigmoid(),
  logSigmoid: () => L.logSigmoid(),
  tanhshrink: () => L.tanhshrink(),
  leakyRelu: (a) => L.leakyRelu(a.negativeSlope),
  elu: (a) => L.elu(a.alpha),
  celu: (a) => L.celu(a.alpha),
  gelu: (a) => L.gelu(a.approximate),
  geluTanh: (a) => L.gelu(a.approximate),
  softshrink: (a) => L.softshrink(a.lambda),
  softmax: (a) => L.softmax(a.axis),
  logSoftmax: (a) => L.logSoftmax(a.axis),
  glu: (a) => L.glu(a.axis),
  prelu: () => L.prelu(3),
  linear: () => L.linear(5, 3),
  conv1d: (a, c) => L.conv1d(channels(c), out(c), kernel(c), convolved(a, c)),
  conv2d: (a, c) => L.conv2d(channels(c), out(c), kernel(c), convolved(a, c)),
  conv3d: (a, c) => L.conv3d(channels(c), out(c), kernel(c), convolved(a, c)),
  convTranspose1d: (a, c) => L.convTranspose1d(channels(c), out(c, 1) * groups(a), kernel(c), convolved(a, c)),
  convTranspose2d: (a, c) => L.convTranspose2d(channels(c), out(c, 1) * groups(a), kernel(c), convolved(a, c)),
  maxPool1d: (a) => L.maxPool1d(a.kernel_size, pooled(a)),
  maxPool2d: (a) => L.maxPool2d(a.kernel_size, pooled(a)),
  maxPool3d: (a) => L.maxPool3d(a.kernel_size, pooled(a)),
  avgPool1d: (a) => L.avgPool1d(a.kernel_size, pooled(a)),
  avgPool2d: (a) => L.avgPool2d(a.kernel_size, pooled(a)),
  avgPool3d: (a) => L.avgPool3d(a.kernel_size, pooled(a)),
  adaptiveAvgPool2d: (a) => L.adaptiveAvgPool2d(a.output_size),
  adaptiveMaxPool2d: (a) => L.adaptiveMaxPool2d(a.output_size),
  batchNorm: (a, c) => {
    const make = { 2: L.batchNorm1d, 4: L.batchNorm2d, 5: L.batchNorm3d }[sizes(c, 'x').length as 2 | 4 | 5]
    return make(channels(c), { eps: a.eps, momentum: a.momentum })
  },
  layerNorm: (a) => L.layerNorm(a.normalizedShape, { eps: a.eps }),
  groupNorm: (a, c) => L.groupNorm(a.groups, channels(c), { eps: a.eps }),
  instanceNorm: (a, c) => L.instanceNorm(channels(c), { eps: a.eps, affine: true }),
  rmsNorm: (a, c) => L.rmsNorm(sizes(c, 'x').at(-1) as number, { eps: a.eps }),
  localResponseNorm: (a) => L.localResponseNorm(a.size, { alpha: a.alpha, beta: a.beta, k: a.k }),
}

const of = (t: GoldenTensor): Tensor => tensor(t.data, t.shape, t.dtype)
const state = (c: GoldenCase, skip: readonly string[]) =>
  Object.fromEntries(Object.entries(c.inputs).flatMap(([n, t]) => (skip.includes(n) ? [] : [[n, of(t)]])))

async function check(actual: Tensor, expected: GoldenTensor | undefined): Promise<void> {
  const want = expected as GoldenTensor
  expect(actual.shape).toEqual(want.shape)
  expect(goldenMismatch(await actual.data(), want)).toBeUndefined()
}

async function checkGradients(c: GoldenCase, model: object, y: () => Tensor, name = (n: string) => n): Promise<void> {
  const grads = grad(
    () =>
      y()
        .mul(of(c.inputs.dy as GoldenTensor))
        .sum() as Tensor<[], 'float32'>,
    model,
  )
  for (const [n, want] of Object.entries(c.grads)) await check(grads[name(n)] as Tensor, want)
}

async function checkLayer(c: GoldenCase): Promise<void> {
  const make = layers[c.op]
  expect(make, c.op).toBeDefined()
  const layer = make?.(c.attrs as unknown as Attrs, c) as Call
  L.loadStateDict(layer, state(c, ['x', 'dy']))
  const model = { x: new Variable(of(c.inputs.x as GoldenTensor)), layer }
  const mode: L.Mode = c.attrs.training === true ? 'train' : 'eval'
  await checkGradients(
    c,
    model,
    () => layer(model.x.value, mode),
    (n) => (n === 'x' ? n : `layer.${n}`),
  )
  L.loadStateDict(layer, state(c, ['x', 'dy']))
  await check(layer(model.x.value, mode), c.outputs.y)
  for (const [n, want] of Object.entries(c.outputs))
    if (n !== 'y') await check((layer as unknown as Record<string, Variable>)[n]?.value as Tensor, want)
}

const files = ['activations', 'conv', 'pool', 'norm'] as const
const cases = (await Promise.all(files.map(golden))).flat()
const find = async (file: 'layers' | 'norm' | 'sequence', name: string): Promise<GoldenCase> =>
  (await golden(file)).find((c) => c.name === name) as GoldenCase

describe.each([
  ['reference', reference],
  ['cpu', () => cpu()],
] as const)('PyTorch on %s', (_, backend) => {
  beforeAll(() => useBackend(backend()))

  it.each(cases.filter((c) => c.op !== 'weightNorm').map((c) => [c.name, c] as const))('%s', (_name, c) =>
    checkLayer(c),
  )

  it.each(['linear', 'linear_3d'])('%s', async (name) => checkLayer(await find('layers', name)))

  it('bilinear', async () => {
    const c = await find('layers', 'bilinear')
    const layer = L.bilinear(3, 5, 2)
    L.loadStateDict(layer, state(c, ['x1', 'x2', 'dy']))
    const model = {
      x1: new Variable(of(c.inputs.x1 as GoldenTensor)),
      x2: new Variable(of(c.inputs.x2 as GoldenTensor)),
      layer,
    }
    const run = () => layer(model.x1.value, model.x2.value)
    await check(run(), c.outputs.y)
    await checkGradients(c, model, run, (n) => (n.startsWith('x') ? n : `layer.${n}`))
  })

  it('weight normalisation', async () => {
    const c = await find('norm', 'weightNorm_linear')
    const layer = L.weightNorm(L.linear(3, 4, { bias: false }))
    L.loadStateDict(layer, { weight_v: of(c.inputs.v as GoldenTensor), weight_g: of(c.inputs.g as GoldenTensor) })
    const run = () => layer(eye(3)).transpose() as Tensor
    await check(run(), c.outputs.y)
    await checkGradients(c, layer, run, (n) => ({ v: 'weightV', g: 'weightG' })[n] as string)
  })

  it('embedding', async () => {
    const c = await find('sequence', 'embedding')
    const layer = L.embedding(7, 5)
    L.loadStateDict(layer, state(c, ['indices', 'dy']))
    const run = () => layer(of(c.inputs.indices as GoldenTensor))
    await check(run(), c.outputs.y)
    await checkGradients(c, layer, run)
  })
})
