import { grad } from '@tessella/autograd'
import {
  key,
  namedVariables,
  normal,
  OpError,
  ones,
  type Tensor,
  tensor,
  uniform,
  useBackend,
  Variable,
  zeros,
} from '@tessella/tensor'
import { reference } from '@tessella/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import * as L from '../src/index.ts'

beforeAll(() => useBackend(reference()))

const mean = (xs: ArrayLike<number>): number => Array.from(xs).reduce((a, b) => a + b, 0) / xs.length
const variance = (xs: ArrayLike<number>): number => {
  const m = mean(xs)
  return mean(Array.from(xs, (x) => (x - m) ** 2))
}

describe('names and parameters', () => {
  it('names Variables as PyTorch does', () => {
    const model = L.module(
      {
        conv1: L.conv2d(1, 6, 5),
        bn: L.batchNorm2d(6),
        blocks: [L.linear(4, 4), L.linear(4, 4, { bias: false })],
        head: L.sequential(L.relu(), L.linear(4, 2)),
      },
      (_m, x) => x,
    )
    expect(Object.keys(namedVariables(model))).toEqual([
      'conv1.weight',
      'conv1.bias',
      'bn.weight',
      'bn.bias',
      'bn.runningMean',
      'bn.runningVar',
      'bn.numBatchesTracked',
      'blocks.0.weight',
      'blocks.0.bias',
      'blocks.1.weight',
      'head.1.weight',
      'head.1.bias',
    ])
    expect(Object.keys(namedVariables(model, { trainable: true }))).not.toContain('bn.runningMean')
  })
  it.each<[string, { readonly weight: Variable; readonly bias: Variable | undefined }, number[]]>([
    ['linear', L.linear(5, 3) as never, [3, 5]],
    ['conv1d', L.conv1d(4, 6, 3, { groups: 2 }) as never, [6, 2, 3]],
    ['conv2d', L.conv2d(3, 8, [2, 5]) as never, [8, 3, 2, 5]],
    ['conv3d', L.conv3d(2, 3, 2) as never, [3, 2, 2, 2, 2]],
    ['convTranspose2d', L.convTranspose2d(3, 8, 4, { groups: 1 }) as never, [3, 8, 4, 4]],
    ['bilinear', L.bilinear(3, 5, 2) as never, [2, 3, 5]],
  ])('%s keeps PyTorch’s layout', (_, layer, shape) => {
    expect(layer.weight.shape).toEqual(shape)
    expect(layer.bias?.shape).toHaveLength(1)
  })
  it('counts t (n + 1) parameters of a linear layer (F1), and what is not trained on request', () => {
    expect(L.countParameters(L.linear(784, 120))).toBe(120 * 785)
    expect(L.countParameters(L.batchNorm2d(6))).toBe(12)
    expect(L.countParameters(L.sequential(L.batchNorm2d(6), L.dropout(0.5)), { all: true })).toBe(25)
  })
  it('tells parts that take a function’s own name', () => {
    expect(() => L.module({ name: L.relu() }, (_m, x) => x)).toThrow("a part may not be called 'name'")
  })
})

describe('composition', () => {
  it('two linear layers without a nonlinearity are one (F2)', async () => {
    const [a, b] = [L.linear(4, 5, { seed: 1 }), L.linear(5, 3, { seed: 2 })]
    const weight = b.weight.value.matmul(a.weight.value)
    const bias = b.weight.value.matmul(a.bias.value).add(b.bias.value)
    const both = L.linear(4, 3)
    L.loadStateDict(both, { weight, bias })
    const x = normal(key(3), [7, 4])
    const [one, two] = [await both(x).data(), await L.sequential(a, b)(x).data()]
    for (const [i, v] of one.entries()) expect(two[i]).toBeCloseTo(v, 5)
  })
  it('residual adds the input', async () => {
    const layer = L.residual(L.linear(3, 3, { init: L.zeros, biasInit: L.constant(2) }))
    expect(await layer(tensor([[1, 2, 3]])).array()).toEqual([[3, 4, 5]])
    expect(Object.keys(namedVariables(layer))).toEqual(['inner.weight', 'inner.bias'])
  })
  it('module hands on parts, mode and Variables', async () => {
    const net = L.module(
      { scale: new Variable(tensor([10])), drop: L.dropout(0.5, { seed: 1 }), layers: [L.identity()] },
      (m, x: Tensor<[number, 2], 'float32'>, mode) => m.drop(x, mode).mul(m.scale.value),
    )
    expect(await net(tensor([[1, 2]]), 'eval').array()).toEqual([[10, 20]])
    expect(net.modal).toBe(true)
    expect(() => (net as unknown as (x: Tensor) => Tensor)(ones([1, 2]))).toThrow('must be told whether it trains')
  })
  it('members of a chain are its properties', () => {
    const model = L.sequential(L.linear(4, 5), L.relu())
    expect(model[0].weight.shape).toEqual([5, 4])
    expect(Object.keys(model)).toEqual(['0', '1'])
  })
  it('a plain function joins by fn', async () => {
    const model = L.sequential(
      L.fn('double', (x) => x.mul(2)),
      L.fn('sum', (x) => x.sum(1)),
    )
    expect(await model(tensor([[1, 2]])).array()).toEqual([6])
  })
  it('says which argument is no layer', () => {
    expect(() => L.sequential(...([L.relu(), undefined] as unknown as L.AnyLayer[]))).toThrow(
      'argument 1 is not a layer, got undefined',
    )
  })
})

describe('dropout', () => {
  const x = ones([100, 100])
  it('keeps the expectation and scales what it keeps', async () => {
    const y = await L.dropout(0.2, { seed: 1 })(x, 'train').data()
    expect(new Set(y)).toEqual(new Set([0, 1.25]))
    expect(mean(y)).toBeCloseTo(1, 1)
  })
  it('does nothing in evaluation, and classic dropout multiplies (R4, R5)', async () => {
    expect(mean(await L.dropout(0.2)(x, 'eval').data())).toBe(1)
    expect(mean(await L.classicDropout(0.2)(x, 'eval').data())).toBeCloseTo(0.8, 6)
    expect(new Set(await L.classicDropout(0.2)(x, 'train').data())).toEqual(new Set([0, 1]))
    expect(mean(await L.classicDropout(0.2, { seed: 2 })(x, 'train').data())).toBeCloseTo(0.8, 1)
  })
  it('layers and calls have masks of their own, the same in every process', async () => {
    const build = () => L.sequential(L.dropout(0.5), L.dropout(0.5))
    const [model, again] = [build(), build()]
    const masks = [model[0](x, 'train'), model[1](x, 'train'), model[0](x, 'train')]
    const texts = await Promise.all(masks.map(async (m) => (await m.data()).join()))
    expect(new Set(texts).size).toBe(3)
    expect((await again[0](x, 'train').data()).join()).toBe(texts[0])
  })
  it('drops whole channels', async () => {
    const y = (await L.channelDropout(0.5, { seed: 1 })(ones([4, 8, 3, 3]), 'train')
      .sum([2, 3])
      .data()) as Float32Array
    expect(new Set(y)).toEqual(new Set([0, 18]))
  })
  it('alpha dropout keeps mean and variance', async () => {
    const y = await L.alphaDropout(0.3, { seed: 1 })(normal(key(5), [100, 100]), 'train').data()
    expect(mean(y)).toBeCloseTo(0, 1)
    expect(variance(y)).toBeCloseTo(1, 1)
  })
  it('passes gradients through what it keeps', async () => {
    const v = new Variable(ones([50]))
    const layer = L.dropout(0.5, { seed: 3 })
    const { value } = grad(() => layer(v.value, 'train').sum() as Tensor<[], 'float32'>, v)
    expect(new Set(await value?.data())).toEqual(new Set([0, 2]))
  })
})

describe('batch normalisation', () => {
  const x = normal(key(1), [64, 3, 4, 4], { mean: 5, std: 3 })
  it('normalises each channel in training', async () => {
    const y = L.batchNorm2d(3)(x, 'train')
    for (const m of await y.mean([0, 2, 3]).data()) expect(m).toBeCloseTo(0, 5)
    for (const s of await y.var([0, 2, 3], { correction: 0 }).data()) expect(s).toBeCloseTo(1, 4)
  })
  it('gamma = sigma and beta = mean restore the input (F17)', async () => {
    const layer = L.batchNorm2d(3, { eps: 1e-12 })
    layer.weight.assign(x.std([0, 2, 3], { correction: 0 }))
    layer.bias.assign(x.mean([0, 2, 3]))
    const [y, want] = [await layer(x, 'train').data(), await x.data()]
    for (let i = 0; i < want.length; i += 97) expect(y[i]).toBeCloseTo(want[i] as number, 4)
  })
  it('evaluation uses running statistics, or those of a pass over the data', async () => {
    const layer = L.batchNorm1d(2, { affine: false })
    const batches = [1, 2, 3, 4].map((i) => normal(key(i), [50, 2], { mean: i }))
    await L.recalibrate(layer, () => {
      for (const b of batches) layer(b, 'train')
    })
    const means = await Promise.all(batches.map((b) => b.mean(0).data()))
    const got = await layer.runningMean.value.data()
    for (const c of [0, 1]) expect(got[c]).toBeCloseTo(mean(means.map((m) => m[c] as number)), 5)
    expect(await layer.numBatchesTracked.value.item()).toBe(4)
    const y = await layer(got.length === 2 ? layer.runningMean.value.unsqueeze(0) : zeros([1, 2]), 'eval').data()
    expect(Array.from(y)).toEqual([0, 0])
    layer(batches[0] as Tensor<[50, 2], 'float32'>, 'train')
    const after = await layer.runningMean.value.data()
    expect(after[0]).toBeCloseTo(0.9 * (got[0] as number) + 0.1 * (means[0]?.[0] as number), 5)
  })
  it('cannot train on one value', () => {
    expect(() => L.batchNorm1d(2)(ones([1, 2]), 'train')).toThrow('more than one value per channel')
  })
})

describe('activations', () => {
  it('selu keeps mean 0 and variance 1 through 50 layers', async () => {
    let x: Tensor = normal(key(9), [64, 128])
    for (let i = 0; i < 50; i++)
      x = L.sequential(L.linear(128, 128, { init: L.lecunNormal(), biasInit: L.zeros, seed: i }), L.selu())(x) as Tensor
    const y = await x.data()
    expect(Math.abs(mean(y))).toBeLessThan(0.15)
    expect(variance(y)).toBeGreaterThan(0.7)
    expect(variance(y)).toBeLessThan(1.4)
  })
  it('sign, step and prelu', async () => {
    const x = tensor([[-2, 0, 3]])
    expect(await L.sign()(x).array()).toEqual([[-1, 0, 1]])
    expect(await L.step()(x).array()).toEqual([[0, 1, 1]])
    expect(await L.prelu()(x).array()).toEqual([[-0.5, 0, 3]])
    expect(await L.prelu(3, { init: 0.5 })(x).array()).toEqual([[-1, 0, 3]])
  })
  it('softmax holds at +-1e4 (F19)', async () => {
    expect(await L.softmax()(tensor([[1e4, -1e4, 1e4]])).array()).toEqual([[0.5, 0, 0.5]])
  })
})

describe('embedding', () => {
  it('keeps the padding row at zero without a gradient', async () => {
    const table = L.embedding(4, 2, { paddingIndex: 1, seed: 0 })
    const index = tensor([1, 2], 'int32')
    expect(((await table(index).array()) as number[][])[0]).toEqual([0, 0])
    const { weight } = grad(() => table(index).sum() as Tensor<[], 'float32'>, table)
    expect(await weight?.array()).toEqual([
      [0, 0],
      [0, 0],
      [1, 1],
      [0, 0],
    ])
  })
})

describe('shapes', () => {
  it('flatten and unflatten', () => {
    expect(L.flatten()(zeros([2, 3, 4])).shape).toEqual([2, 12])
    expect(L.flatten(0, 1)(zeros([2, 3, 4])).shape).toEqual([6, 4])
    expect(L.unflatten(1, [2, 3])(zeros([4, 6])).shape).toEqual([4, 2, 3])
    expect(L.unflatten(-1, [2, 3])(zeros([4, 6])).shape).toEqual([4, 2, 3])
  })
  it('global and adaptive pooling', async () => {
    const x = uniform(key(0), [2, 3, 4, 4])
    const [a, b] = [await L.globalAvgPool2d()(x).data(), await L.adaptiveAvgPool2d(1)(x).data()]
    for (const [i, v] of a.entries()) expect(b[i]).toBeCloseTo(v, 6)
  })
})

describe('mistakes', () => {
  // What people write who do not read types.
  const uncalled = (...layers: unknown[]) =>
    (L.sequential as unknown as (...layers: unknown[]) => (x: unknown) => unknown)(...layers)(ones([1, 2]))
  const cases: readonly [string, () => unknown, string][] = [
    [
      'features',
      () => L.linear(400, 120)(zeros([8, 256]) as never),
      'expects 400 features, the input has 256 (shapes [8, 256] and [120, 400])',
    ],
    ['flatten forgotten', () => L.linear(784, 10)(zeros([8, 28, 28]) as never), 'Put flatten() before it'],
    ['channels', () => L.conv2d(1, 6, 5)(zeros([8, 3, 28, 28]) as never), 'expects 1 channel, the input has 3'],
    ['channels last', () => L.conv2d(3, 6, 5)(zeros([8, 28, 28, 3]) as never), 'Channels come before height and width'],
    ['no batch axis', () => L.conv2d(1, 6, 5)(zeros([1, 28, 28]) as never), 'x.unsqueeze(0)'],
    ['empty batch', () => L.linear(4, 2)(zeros([0, 4])), 'the batch is empty'],
    ['kernel too large', () => L.conv2d(1, 6, 5)(zeros([8, 1, 4, 4]) as never), '[conv'],
    ['kernel sizes', () => L.conv2d(1, 6, [5] as never), 'the kernel [5] needs 2 sizes'],
    ['groups', () => L.conv2d(3, 6, 5, { groups: 2 }), 'do not split into 2 groups'],
    ['stride', () => L.conv2d(1, 6, 5, { stride: 0 }), '[conv2d] stride must be a whole number of at least 1, got 0'],
    ['padding', () => L.conv2d(1, 6, 5, { padding: -1 }), "at least 0, got -1. Or 'same' or 'valid'."],
    [
      'a word',
      () => L.conv2d(1, 6, 5, { padding: 'full' as never }),
      "padding must be a whole number of at least 0, got full. Or 'same' or 'valid'.",
    ],
    ['strides', () => L.conv2d(1, 6, 5, { stride: [1, 1, 1] as never }), 'stride [1, 1, 1] needs 2 entries'],
    [
      'dilation',
      () => L.convTranspose1d(1, 6, 5, { dilation: 0.5 }),
      'dilation must be a whole number of at least 1, got 0.5',
    ],
    ['window', () => L.maxPool2d(2, { stride: 0 }), '[maxPool2d] stride must be a whole number of at least 1'],
    ['option', () => L.conv2d(1, 6, 5, { strides: 2 } as never), "there is no option 'strides'"],
    ['size', () => L.linear(0, 3), 'inFeatures must be a whole number of at least 1, got 0'],
    ['probability', () => L.dropout(1), 'must be in [0, 1), got 1'],
    ['seed', () => L.linear(2, 2, { seed: -1 }), '[seed]'],
    ['norm', () => L.batchNorm2d(3)(zeros([2, 4, 5, 5]) as never, 'eval'), 'expects 3 channels, the input has 4'],
    ['input', () => L.input(1, 28, 28)(zeros([2, 3, 28, 28]) as never), 'the model expects other inputs'],
    ['unflatten', () => L.unflatten(1, [2, 3])(zeros([4, 5]) as never), 'expects 6 features, the input has 5'],
    ['embedding of floats', () => L.embedding(3, 2)(zeros([4])), 'integers'],
    ['a factory not called', () => uncalled(L.linear(2, 3), L.relu), 'layer 1 gave function'],
    ['a factory not called, inside', () => uncalled(L.relu, L.linear(2, 3)), 'relu() instead'],
    ['initialiser', () => L.linear(2, 2, { init: () => zeros([3]) }), 'made another shape'],
  ]
  it.each(cases)('%s', (_, run, message) => {
    expect(run).toThrow(OpError)
    expect(run).toThrow(message)
  })
  it('names the layer by its path', () => {
    const model = L.sequential(
      L.relu(),
      L.sequential(
        L.linear(3, 4),
        L.module({ fc: L.linear(5, 2) }, (m, x) => m.fc(x)),
      ),
    )
    const call = () => model(zeros([2, 3]))
    expect(call).toThrow(L.LayerError)
    expect(call).toThrow('(layer 1.1.fc)')
  })
  it('takes images as bytes', async () => {
    const y = L.sequential(L.flatten(), L.linear(4, 2, { init: L.ones, biasInit: L.zeros }))(ones([1, 2, 2], 'uint8'))
    expect(y.dtype).toBe('float32')
    expect(await y.array()).toEqual([[4, 4]])
  })
})
