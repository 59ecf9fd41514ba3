import { key, namedVariables, normal, type Tensor, tensor, useBackend } from '@tessella/tensor'
import { reference } from '@tessella/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import * as L from '../src/index.ts'

beforeAll(() => useBackend(reference()))

const stats = async (x: Tensor) => {
  const data = Array.from(await x.data())
  const mean = data.reduce((a, b) => a + b, 0) / data.length
  const std = Math.sqrt(data.reduce((a, b) => a + (b - mean) ** 2, 0) / data.length)
  return { mean, std, largest: Math.max(...data.map(Math.abs)), data }
}

/** A filter [out, in, kh, kw] with fan in 96 and fan out 240. */
const shape = [20, 8, 3, 4]
const [fanIn, fanOut] = [96, 240]

describe('initialisers', () => {
  it.each<[string, L.Initializer, number, number]>([
    ['uniform', L.uniform(0.3), 0.3 / Math.sqrt(3), 0.3],
    ['normal', L.normal({ std: 2 }), 2, 12],
    ['truncatedNormal', L.truncatedNormal({ std: 0.5 }), 0.5 * 0.8796, 1],
    ['xavierUniform', L.xavierUniform(), Math.sqrt(2 / (fanIn + fanOut)), Math.sqrt(6 / (fanIn + fanOut))],
    ['xavierNormal', L.xavierNormal({ gain: 2 }), 2 * Math.sqrt(2 / (fanIn + fanOut)), 1],
    ['heNormal', L.heNormal(), Math.sqrt(2 / fanIn), 1],
    ['heNormal backwards', L.heNormal({ mode: 'fanOut' }), Math.sqrt(2 / fanOut), 1],
    ['heUniform', L.heUniform(), Math.sqrt(2 / fanIn), Math.sqrt(6 / fanIn)],
    [
      'PyTorch’s default',
      L.heUniform({ nonlinearity: 'leakyRelu', negativeSlope: Math.sqrt(5) }),
      1 / Math.sqrt(3 * fanIn),
      1 / Math.sqrt(fanIn),
    ],
    ['lecunNormal', L.lecunNormal(), 1 / Math.sqrt(fanIn), 1],
    ['lecunUniform', L.lecunUniform(), 1 / Math.sqrt(fanIn), Math.sqrt(3 / fanIn)],
    ['uniformHidden', L.uniformHidden(), 1 / Math.sqrt(3 * fanIn), 1 / Math.sqrt(fanIn)],
    ['uniformHidden given', L.uniformHidden(4), 0.5 / Math.sqrt(3), 0.5],
  ])('%s', async (_, init, std, bound) => {
    const found = await stats(init(key(1), shape))
    expect(Math.abs(found.mean)).toBeLessThan(std / 10)
    expect(found.std / std).toBeGreaterThan(0.95)
    expect(found.std / std).toBeLessThan(1.05)
    expect(found.largest).toBeLessThanOrEqual(bound * (1 + 1e-6))
  })
  it('a linear layer and a convolution start as PyTorch’s', async () => {
    const layer = L.linear(100, 200, { seed: 0 })
    for (const v of [layer.weight, layer.bias]) {
      const { largest } = await stats(v.value as Tensor)
      expect(largest).toBeLessThan(0.1)
      expect(largest).toBeGreaterThan(0.09)
    }
    expect((await stats(L.conv2d(4, 50, 5, { seed: 0 }).bias.value as Tensor)).largest).toBeLessThan(0.1)
  })
  it.each([[[8, 30]], [[30, 8]], [[16, 16]], [[6, 2, 3, 2]]])('orthogonal %j', async (sizes) => {
    const w = L.orthogonal({ gain: 2 })(key(3), sizes)
    const rows = sizes[0] as number
    const flat = w.reshape([rows, -1]) as Tensor
    const tall = rows > (flat.shape[1] as number)
    const gram = (tall ? flat.transpose().matmul(flat as never) : flat.matmul(flat.transpose() as never)) as Tensor
    const n = gram.shape[0] as number
    for (const [i, v] of Array.from(await gram.data()).entries()) expect(v).toBeCloseTo(i % (n + 1) === 0 ? 4 : 0, 4)
  })
  it('identity keeps what passes', async () => {
    const x = tensor([[1, 2, 3]])
    expect(await L.linear(3, 3, { init: L.identityInit(), biasInit: L.zeros })(x).array()).toEqual([[1, 2, 3]])
    const image = tensor([
      [
        [
          [1, 2],
          [3, 4],
        ],
      ],
    ])
    const conv = L.conv2d(1, 1, 3, { init: L.identityInit(), bias: false, padding: 'same' })
    expect(await conv(image).array()).toEqual([
      [
        [
          [1, 2],
          [3, 4],
        ],
      ],
    ])
  })
  it('sparse leaves the asked share in each column', async () => {
    const rows = (await L.sparse({ sparsity: 0.7, std: 1 })(key(1), [10, 6]).array()) as number[][]
    for (let c = 0; c < 6; c++) expect(rows.filter((r) => r[c] === 0)).toHaveLength(7)
  })
  it('vectors have no fans', () => {
    expect(() => L.heNormal()(key(0), [5])).toThrow('fewer than two dimensions')
  })
  it('gains are PyTorch’s', () => {
    expect(L.gainOf('relu')).toBeCloseTo(Math.SQRT2, 12)
    expect(L.gainOf('leakyRelu')).toBeCloseTo(1.41414, 5)
    expect(L.gainOf('tanh')).toBeCloseTo(1.66667, 5)
  })
})

it('initialisation by data gives every layer’s output variance 1', async () => {
  const model = L.sequential(
    L.linear(20, 50, { init: L.constant(3) }),
    L.tanh(),
    L.residual(L.linear(50, 50)),
    L.relu(),
  )
  L.initialize(model, { weight: L.orthogonal({ gain: 5 }), bias: L.zeros, seed: 3 })
  const x = normal(key(1), [200, 20], { std: 10 })
  L.unitVariance(model, x)
  const first = model[0](x)
  expect((await stats(first)).std).toBeCloseTo(1, 4)
  expect((await stats(model[2].inner(first.tanh()))).std).toBeCloseTo(1, 4)
  expect(() => L.unitVariance(L.relu(), x)).toThrow('found no weights')
})

it('initialisation by data scales the lengths of normalised weights, and leaves what has no scale', async () => {
  const model = L.sequential(
    L.weightNorm(L.linear(20, 30, { bias: false })),
    L.tanh(),
    L.spectralNorm(L.linear(30, 30)),
    L.lstm(30, 4),
  )
  const x = normal(key(1), [8, 25, 20], { std: 3 })
  const before = await L.stateDict(model)['3.weightIhL0']?.data()
  L.unitVariance(model as never, x)
  expect((await stats(model[0](x))).std).toBeCloseTo(1, 4)
  expect(await L.stateDict(model)['3.weightIhL0']?.data()).toEqual(before)
  expect(() => L.unitVariance(L.spectralNorm(L.linear(20, 3)) as never, x)).toThrow('found no weights')
})

describe('determinism', () => {
  const build = () => L.sequential(L.linear(3, 3), L.relu(), L.sequential(L.linear(3, 3), L.linear(3, 3)))
  const numbers = async (model: unknown): Promise<string[]> =>
    Promise.all(Object.values(namedVariables(model)).map(async (v) => (await v.value.data()).join()))

  it('a model starts the same every time, and siblings differ', async () => {
    const [a, b] = [await numbers(build()), await numbers(build())]
    expect(a).toEqual(b)
    expect(new Set(a).size).toBe(a.length)
  })
  it('layers outside of a model differ', async () => {
    expect(await numbers(L.linear(3, 3))).not.toEqual(await numbers(L.linear(3, 3)))
  })
  it('a seed fixes a layer wherever it is', async () => {
    const alone = await numbers(L.linear(3, 3, { seed: 4 }))
    expect(await numbers(L.sequential(L.relu(), L.linear(3, 3, { seed: 4 })))).toEqual(alone)
  })
  it('a model built around trained parts keeps them', async () => {
    const trained = L.linear(3, 3)
    trained.bias.assign(tensor([1, 2, 3]))
    const model = L.sequential(L.linear(3, 3), trained)
    expect(await model[1].bias.value.array()).toEqual([1, 2, 3])
  })
  it('initialize draws by name: the same for equal names, whatever the rest', async () => {
    const [a, b] = [build(), build()]
    L.initialize(a, { seed: 1 })
    const first = await numbers(a)
    L.initialize(b, { seed: 2 })
    expect(await numbers(b)).not.toEqual(first)
    L.initialize(b, { seed: 1 })
    expect(await numbers(b)).toEqual(first)
    const other = L.module({ '0': L.linear(3, 3) }, (m, x) => m[0](x))
    L.initialize(other, { seed: 1 })
    expect(await numbers(other)).toEqual(first.slice(0, 2))
  })
  it('initialize replaces weights and biases, not scales', async () => {
    const model = L.sequential(L.linear(2, 2), L.batchNorm1d(2), L.dropout(0.5))
    model[1].weight.assign(tensor([5, 5]))
    L.initialize(model, { weight: L.constant(3), bias: L.zeros })
    expect(await model[0].weight.value.array()).toEqual([
      [3, 3],
      [3, 3],
    ])
    expect(await model[0].bias.value.array()).toEqual([0, 0])
    expect(await model[1].weight.value.array()).toEqual([1, 1])
    L.initialize(model, { choose: (name) => (name === '1.weight' ? L.constant(2) : undefined) })
    expect(await model[1].weight.value.array()).toEqual([2, 2])
    expect(() => L.initialize({})).toThrow('found nothing to initialise')
  })
  it('initialize keeps a normalised weight whole', async () => {
    const model = L.sequential(L.weightNorm(L.linear(4, 3)))
    L.initialize(model, { seed: 7 })
    const plain = L.sequential(L.linear(4, 3))
    L.initialize(plain, { seed: 7 })
    expect(await model[0].weightG.value.data()).toEqual(
      await (model[0].weightV.value as Tensor).square().sum(1, { keepdim: true }).sqrt().data(),
    )
    expect(Object.keys(namedVariables(model))).toEqual(['0.bias', '0.weightV', '0.weightG'])
  })
})
