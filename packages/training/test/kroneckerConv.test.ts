/** The factors of convolutions: against their definition, and where they are exact, against the exact Fisher information. */
import { grad, valueAndGrad } from '@tessella/autograd'
import { conv1d, conv2d, conv3d } from '@tessella/layers'
import {
  conv2d as convolve,
  disposeBackend,
  key,
  normal,
  type Tensor,
  tensor,
  useBackend,
  Variable,
  zeros,
} from '@tessella/tensor'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fisherProduct, kroneckerFactored } from '../src/index.ts'
import { backends } from './support/backends.ts'

type Scalar = Tensor<[], 'float32'>
const random = (seed: number, ...shape: number[]): Tensor => normal(key(seed), shape) as Tensor
const numbers = async (t: Tensor): Promise<number[]> => Array.from(await t.data(), Number)
const factorsOf = (fisher: { readonly state: unknown }, layer = 0) =>
  (fisher.state as { layers: { inputs: Variable; slopes: Variable }[] }).layers[layer] as {
    inputs: Variable
    slopes: Variable
  }
function expectClose(found: readonly number[], expected: readonly number[], digits = 4): void {
  expect(found).toHaveLength(expected.length)
  for (const [i, v] of expected.entries()) expect(found[i]).toBeCloseTo(v, digits)
}
const loop = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

describe.each(backends)('on %s', (_, make) => {
  beforeAll(async () => useBackend(await make()))
  afterAll(disposeBackend)

  const geometries = {
    '1D, stride 2': [conv1d(2, 2, 3, { stride: 2, padding: 1 }), [3, 2, 7]],
    '2D, padded, dilated': [conv2d(2, 2, [2, 3], { padding: 1, dilation: [1, 2] }), [3, 2, 4, 6]],
    "2D, 'same' with an even kernel": [conv2d(1, 2, 2, { padding: 'same' }), [3, 1, 3, 4]],
    '3D without a bias': [conv3d(1, 2, 2, { bias: false }), [2, 1, 3, 2, 3]],
  } as const

  // Slopes of normal outputs are noise of variance 1, independent of inputs and of each other: the assumptions hold.
  it.each(Object.keys(geometries) as (keyof typeof geometries)[])(
    'of normal outputs the exact Fisher block is A (x) I: %s',
    async (name) => {
      const [layer, shape] = geometries[name]
      const input = random(1, ...shape)
      const n = shape[0]
      const call = layer as unknown as (x: Tensor) => Tensor
      const fisher = kroneckerFactored(layer, { decay: 0 })
      fisher.observe(
        () =>
          call(input)
            .square()
            .sum()
            .div(2 * n) as Scalar,
        n,
      )
      const a = await numbers(factorsOf(fisher).inputs.value)
      const product = fisherProduct(layer, () => call(input).reshape([n, -1]) as Tensor, 'gaussian')
      const own = layer.weight.shape.slice(1).reduce((x, y) => x * y, 1)
      const bias = layer.bias as Variable | undefined
      const width = bias === undefined ? own : own + 1
      for (let unit = 0; unit < 2; unit++)
        for (let i = 0; i < width; i++) {
          // The Fisher information times the direction of one number.
          const at = (size: number, place: number): number[] => loop(size).map((j) => (j === place ? 1 : 0))
          const weight = tensor(at(2 * own, i < own ? unit * own + i : -1), layer.weight.shape as never) as Tensor
          const back = product({
            weight,
            ...(bias === undefined ? {} : { bias: tensor(at(2, i === own ? unit : -1)) as Tensor }),
          })
          const rows = await numbers(back.weight as Tensor)
          const shifts = bias === undefined ? [] : await numbers(back.bias as Tensor)
          const expected = (u: number) => loop(width).map((j) => (u === unit ? (a[i * width + j] as number) : 0))
          for (const u of [0, 1]) {
            const found = [...rows.slice(u * own, (u + 1) * own), ...(bias === undefined ? [] : [shifts[u] as number])]
            expectClose(found, expected(u), 3)
          }
        }
    },
  )

  /** Convolution, tanh, mean over places: slopes that depend on everything. */
  function net() {
    const x = random(1, 4, 2, 4, 4)
    const model = { weight: new Variable(random(2, 3, 2, 2, 2)), bias: new Variable(random(3, 3)) }
    const loss = (added: Tensor): Scalar =>
      (convolve(x as never, model.weight.value as never) as Tensor)
        .add(model.bias.value.reshape([1, 3, 1, 1]))
        .add(added)
        .tanh()
        .mul(random(4, 1, 3, 3, 3))
        .sum()
        .square()
        .div(4) as Scalar
    return { x, model, loss }
  }

  it('the factors are sums over patches and means over slopes', async () => {
    const { x, model, loss } = net()
    const nothing = zeros([4, 3, 3, 3]) as Tensor
    const fisher = kroneckerFactored(model, { decay: 0 })
    fisher.observe(() => loss(nothing), 4)
    const slopes = await numbers(grad((added: Tensor) => loss(added))(nothing) as Tensor)
    const image = await numbers(x)
    const [a, g] = [new Float64Array(81), new Float64Array(9)]
    for (const n of loop(4))
      for (const r of loop(3))
        for (const c of loop(3)) {
          const patch = [
            ...loop(8).map((j) => image[n * 32 + (j >> 2) * 16 + (r + ((j >> 1) & 1)) * 4 + c + (j & 1)] as number),
            1,
          ]
          const d = loop(3).map((u) => 4 * (slopes[n * 27 + u * 9 + r * 3 + c] as number))
          for (const i of loop(9))
            for (const j of loop(9))
              a[9 * i + j] = (a[9 * i + j] as number) + ((patch[i] as number) * (patch[j] as number)) / 4
          for (const i of loop(3))
            for (const j of loop(3))
              g[3 * i + j] = (g[3 * i + j] as number) + ((d[i] as number) * (d[j] as number)) / 36
        }
    const factors = factorsOf(fisher)
    expectClose(await numbers(factors.inputs.value), Array.from(a), 3)
    const scale = Math.max(...g.map(Math.abs))
    expectClose(
      (await numbers(factors.slopes.value)).map((v) => v / scale),
      Array.from(g, (v) => v / scale),
      4,
    )
  })

  it('a filter as large as the image is a linear layer: the same factors, the same step', async () => {
    const x = random(1, 5, 2, 2, 3)
    const flat = x.reshape([5, 12]) as Tensor
    const values = random(2, 3, 12).mul(0.5) as Tensor
    const filters = { weight: new Variable(values.reshape([3, 2, 2, 3]) as Tensor), bias: new Variable(random(3, 3)) }
    const linear = { weight: new Variable(values), bias: new Variable(random(3, 3)) }
    const end = (z: Tensor): Scalar => z.tanh().sum(1).square().mean() as Scalar
    const ofFilters = (): Scalar =>
      end(
        (convolve(x as never, filters.weight.value as never) as Tensor)
          .reshape([5, 3])
          .add(filters.bias.value) as Tensor,
      )
    const ofLinear = (): Scalar => end(flat.matmul(linear.weight.value.transpose()).add(linear.bias.value) as Tensor)
    const step = async (model: typeof linear, loss: () => Scalar) => {
      const fisher = kroneckerFactored(model, { decay: 0, damping: 0.1 })
      fisher.observe(loss, 5)
      const [, grads] = valueAndGrad(loss, model)
      const natural = fisher.precondition(grads)
      const { inputs, slopes } = factorsOf(fisher)
      return Promise.all([inputs.value, slopes.value, natural.weight, natural.bias].map((t) => numbers(t as Tensor)))
    }
    const [expected, found] = [await step(linear, ofLinear), await step(filters as never, ofFilters)]
    for (const [i, list] of expected.entries()) expectClose(found[i] as number[], list, 3)
  })

  it('weights used in another way keep their gradients', async () => {
    const x = random(1, 2, 2, 4, 4)
    const model = {
      grouped: { weight: new Variable(random(2, 2, 1, 2, 2)) },
      out: { weight: new Variable(random(3, 2, 18)) },
    }
    const loss = (): Scalar =>
      (convolve(x as never, model.grouped.weight.value as never, { groups: 2 }) as Tensor)
        .reshape([2, 18])
        .matmul(model.out.weight.value.transpose())
        .square()
        .mean() as Scalar
    const fisher = kroneckerFactored(model)
    fisher.observe(loss, 2)
    const [, grads] = valueAndGrad(loss, model)
    const natural = fisher.precondition(grads)
    expectClose(await numbers(natural['grouped.weight'] as Tensor), await numbers(grads['grouped.weight'] as Tensor))
    expect(await numbers(natural['out.weight'] as Tensor)).not.toEqual(await numbers(grads['out.weight'] as Tensor))
  })
})
