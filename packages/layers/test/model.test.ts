/** What is done with whole models: summaries, state dictionaries, receptive fields, training. */
import { grad, valueAndGrad } from '@tessella/autograd'
import {
  compile,
  findNonFinite,
  key,
  namedVariables,
  normal,
  ones,
  type Tensor,
  tensor,
  useBackend,
  Variable,
  zeros,
} from '@tessella/tensor'
import { reference } from '@tessella/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import * as L from '../src/index.ts'

beforeAll(() => useBackend(reference()))

/** The lectures' network for digits. */
const leNet = () =>
  L.sequential(
    L.input(1, 28, 28),
    L.conv2d(1, 6, 5),
    L.relu(),
    L.maxPool2d(2),
    L.conv2d(6, 16, 5),
    L.relu(),
    L.maxPool2d(2),
    L.flatten(),
    L.linear(256, 120),
    L.relu(),
    L.linear(120, 84),
    L.relu(),
    L.linear(84, 10),
  )

describe('summary', () => {
  it('of the lectures’ network', () => {
    expect(L.countParameters(leNet())).toBe(44426)
    expect(L.summary(leNet())).toMatchInlineSnapshot(`
      "input [1, 1, 28, 28]
      path   layer      output          parameters     MACs    FLOPs
      --------------------------------------------------------------
      0      input      [1, 1, 28, 28]           0        0        0
      1      conv2d     [1, 6, 24, 24]         156   86,400  176,256
      2      relu       [1, 6, 24, 24]           0        0    3,456
      3      maxPool2d  [1, 6, 12, 12]           0        0    2,592
      4      conv2d     [1, 16, 8, 8]        2,416  153,600  308,224
      5      relu       [1, 16, 8, 8]            0        0    1,024
      6      maxPool2d  [1, 16, 4, 4]            0        0      768
      7      flatten    [1, 256]                 0        0        0
      8      linear     [1, 120]            30,840   30,720   61,560
      9      relu       [1, 120]                 0        0      120
      10     linear     [1, 84]             10,164   10,080   20,244
      11     relu       [1, 84]                  0        0       84
      12     linear     [1, 10]                850      840    1,690
      --------------------------------------------------------------
      total             [1, 10]             44,426  281,640  576,018
      44,426 trainable parameters"
    `)
  })
  it('as data, for a batch', () => {
    const { rows, outputShape, macs, parameters } = L.summarize(leNet(), [64, 1, 28, 28])
    expect(outputShape).toEqual([64, 10])
    expect(parameters).toBe(44426)
    expect(rows[1]).toEqual({
      path: '1',
      name: 'conv2d',
      inputShape: [64, 1, 28, 28],
      outputShape: [64, 6, 24, 24],
      parameters: 156,
      macs: 64 * 6 * 24 * 24 * 25,
      // A multiplication and an addition for each, and the bias.
      flops: 64 * 6 * 24 * 24 * (2 * 25 + 1),
    })
    expect(macs).toBe(64 * (6 * 24 * 24 * 25 + 16 * 8 * 8 * 150 + 256 * 120 + 120 * 84 + 84 * 10))
  })
  it('sees layers inside modules and residuals, and counts tied ones once', () => {
    const tied = L.linear(4, 4)
    const model = L.module(
      { a: L.residual(tied), b: [tied, L.batchNorm1d(4)] as const },
      (m, x: Tensor<[number, 4]>, mode) => m.b[1](m.b[0](m.a(x)), mode),
    )
    const { rows, parameters, buffers } = L.summarize(model, [2, 4])
    expect(rows.map((r) => [r.path, r.parameters])).toEqual([
      ['a.inner', 20],
      ['b.0', 0],
      ['b.1', 8],
    ])
    expect(parameters).toBe(28)
    expect(buffers).toBe(9)
  })
  it('tells the output shape of lookups, and asks for a shape it cannot know', () => {
    expect(L.outputShape(L.sequential(L.embedding(100, 16), L.linear(16, 4)), [8, 5])).toEqual([8, 5, 4])
    expect(L.outputShape(leNet())).toEqual([1, 10])
    expect(() => L.summary(L.linear(3, 4))).toThrow('needs the shape of an input')
  })
  it('leaves Variables alone', async () => {
    const model = L.sequential(L.batchNorm1d(3), L.dropout(0.5))
    const before = await model[1].generator.value.data()
    L.summary(model, [4, 3])
    expect(await model[0].numBatchesTracked.value.item()).toBe(0)
    expect(await model[1].generator.value.data()).toEqual(before)
  })
})

describe('state dictionary', () => {
  const build = () => L.sequential(L.linear(3, 4), L.batchNorm1d(4), L.dropout(0.5), L.linear(4, 2))
  it('goes round', async () => {
    const [a, b] = [build(), build()]
    L.initialize(a, { seed: 5 })
    a(ones([8, 3]), 'train')
    const state = L.stateDict(a)
    expect(Object.keys(state)).not.toContain('2.generator')
    expect(L.loadStateDict(b, state)).toEqual({ missing: [], unexpected: [] })
    const x = normal(key(1), [5, 3])
    expect(await b(x, 'eval').data()).toEqual(await a(x, 'eval').data())
  })
  it('takes PyTorch’s names and dtypes', async () => {
    const layer = L.batchNorm1d(2)
    L.loadStateDict(layer, {
      weight: ones([2]),
      bias: zeros([2]),
      running_mean: tensor([1, 2], 'float64'),
      running_var: ones([2]),
      num_batches_tracked: tensor([3], 'int32').reshape([]),
    })
    expect(await layer.runningMean.value.array()).toEqual([1, 2])
    expect(await layer.numBatchesTracked.value.item()).toBe(3)
  })
  it('lists everything that does not fit and changes nothing', async () => {
    const model = L.sequential(L.linear(3, 4), L.linear(4, 2))
    const before = await model[0].bias.value.data()
    const state = { '0.bias': zeros([4]), '0.weight': zeros([3, 4]), '1.weight': zeros([2, 4]), '2.weight': zeros([1]) }
    let error: unknown
    try {
      L.loadStateDict(model, state)
    } catch (e) {
      error = e
    }
    expect(error).toBeInstanceOf(L.StateDictError)
    const { missing, unexpected, wrongShapes, message } = error as L.StateDictError
    expect(missing).toEqual(['1.bias'])
    expect(unexpected).toEqual(['2.weight'])
    expect(wrongShapes).toEqual([{ name: '0.weight', expected: [4, 3], got: [3, 4] }])
    expect(message).toContain("missing: '1.bias'; unexpected: '2.weight'; '0.weight' is [3, 4] instead of [4, 3]")
    expect(await model[0].bias.value.data()).toEqual(before)
    expect(() => L.loadStateDict(model, state, { strict: false })).toThrow(L.StateDictError)
    const { '0.weight': _, ...fits } = state
    expect(L.loadStateDict(model, fits, { strict: false }).unexpected).toEqual(['2.weight'])
    expect(await model[0].bias.value.array()).toEqual([0, 0, 0, 0])
  })
})

describe('receptive field', () => {
  it.each([
    ['one convolution', L.conv2d(1, 1, 5), [5, 5], [1, 1]],
    ['pooling between', L.sequential(L.conv2d(1, 2, 5), L.relu(), L.maxPool2d(2), L.conv2d(2, 3, 5)), [14, 14], [2, 2]],
    [
      'strides and dilation',
      L.sequential(L.conv1d(1, 1, 3, { stride: 2 }), L.conv1d(1, 1, 3, { dilation: 2 })),
      [11],
      [2],
    ],
    ['a linear layer along the width', L.sequential(L.conv2d(1, 1, 3), L.linear(4, 4)), [3, Infinity], [1, 0]],
    ['normalisation of each example', L.sequential(L.conv1d(1, 2, 3), L.groupNorm(1, 2)), [Infinity], [0]],
    ['residual', L.sequential(L.conv1d(1, 1, 3), L.residual(L.conv1d(1, 1, 5, { padding: 'same' }))), [7], [1]],
  ] as const)('%s', (_, model, size, stride) => {
    expect(L.receptiveField(model)).toEqual({ size, stride })
  })
  it('agrees with the support of the gradient', async () => {
    const init = { init: L.ones, biasInit: L.zeros }
    const model = L.sequential(
      L.conv1d(1, 1, 3, { ...init, stride: 2 }),
      L.avgPool1d(2),
      L.conv1d(1, 1, 3, { ...init, dilation: 2 }),
    )
    const x = new Variable(ones([1, 1, 64]))
    const { value } = grad(() => model(x.value).slice(0, 0, 2) as Tensor<[], 'float32'>, x)
    const support = Array.from((await value?.data()) ?? []).flatMap((g, i) => (g === 0 ? [] : [i]))
    const { size, stride } = L.receptiveField(model)
    expect((support.at(-1) as number) - (support[0] as number) + 1).toBe(size[0])
    expect(support[0]).toBe(2 * (stride[0] as number))
  })
  it('is everything behind flatten, and unknown through functions', () => {
    expect(L.receptiveField(leNet()).size).toEqual([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY])
    expect(() =>
      L.receptiveField(
        L.sequential(
          L.conv1d(1, 1, 3),
          L.fn('f', (x) => x),
        ),
      ),
    ).toThrow('does not know what f looks at')
    expect(() => L.receptiveField(L.linear(2, 2))).toThrow('found no convolution')
  })
})

describe('training', () => {
  it('compiles with dropout and batch normalisation: fresh masks, running statistics', async () => {
    const model = L.sequential(L.linear(4, 8), L.batchNorm1d(8), L.relu(), L.dropout(0.5), L.linear(8, 1))
    const step = compile((x: Tensor<[number, 4], 'float32'>) => {
      const [loss, grads] = valueAndGrad(() => model(x, 'train').square().mean() as Tensor<[], 'float32'>, model)
      for (const [name, v] of Object.entries(namedVariables(model, { trainable: true })))
        v.assign(v.value.sub((grads[name] as Tensor).mul(0.1)) as Tensor)
      return loss
    })
    const x = normal(key(2), [16, 4])
    const losses = []
    for (let i = 0; i < 30; i++) losses.push(await step(x).item())
    expect(losses.at(-1)).toBeLessThan((losses[0] as number) / 2)
    expect(await model[1].numBatchesTracked.value.item()).toBe(30)
    const masks = await Promise.all([0, 1].map(() => model[3](ones([1, 50]), 'train').data()))
    expect(masks[0]).not.toEqual(masks[1])
  })
  it('reports the layer that made NaN', async () => {
    const model = L.sequential(
      L.linear(2, 2),
      L.sequential(
        L.relu(),
        L.fn('log', (x) => x.sub(1e9).log()),
      ),
    )
    const found = await findNonFinite(() => [model(ones([1, 2]))])
    expect(JSON.stringify(found)).toContain('1.1')
  })
})
