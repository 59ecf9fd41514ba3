import { grad } from '@tessella/autograd'
import { cpu } from '@tessella/backend-cpu'
import { mse } from '@tessella/losses'
import { adam, cosineDecay, optimizer } from '@tessella/optimizers'
import {
  compile,
  disposeBackend,
  full,
  Generator,
  key,
  namedVariables,
  normal,
  type Tensor,
  tensor,
  uniform,
  useBackend,
} from '@tessella/tensor'
import { reference } from '@tessella/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as L from '../src/index.ts'

const mean = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0) / xs.length
const variance = (xs: readonly number[]): number => mean(xs.map((x) => (x - mean(xs)) ** 2))
const numbers = async (t: Tensor): Promise<number[]> => Array.from(await t.data(), Number)

/** E log|1 + sqrt(alpha) e| by the midpoint rule, fine enough for the pole at 0. */
function exactKl(logAlpha: number): number {
  const [s, n, width] = [Math.exp(logAlpha / 2), 400_001, 9]
  let sum = 0
  for (let i = 0; i < n; i++) {
    const e = -width + (2 * width * (i + 0.5)) / n
    sum += Math.log(Math.abs(1 + s * e)) * Math.exp((-e * e) / 2)
  }
  const expectation = (sum * 2 * width) / n / Math.sqrt(2 * Math.PI)
  return expectation - logAlpha / 2
}

describe.each(Object.entries({ reference, cpu }))('on %s', (_, create) => {
  beforeAll(() => useBackend(create()))
  afterAll(disposeBackend)

  it.each(['layer', 'unit', 'weight'] as const)(
    'an output has the mean and the variance of noisy weights, per %s',
    async (per) => {
      const inner = L.linear(3, 1, { seed: 1 })
      L.loadStateDict(inner, { weight: tensor([[1, -2, 0.5]]), bias: tensor([3]) })
      const layer = L.variationalDropout(inner, { per, alpha: 0.25, seed: 2 })
      const x = tensor([2, 1, -4]).expand([4000, 3]) as Tensor
      const y = await numbers(layer(x as never, 'train'))
      expect(mean(y)).toBeCloseTo(3 + 2 - 2 - 2, 1)
      // alpha (4 + 4 + 4)
      expect(variance(y)).toBeCloseTo(3, 0)
      expect(Math.abs(variance(y) - 3)).toBeLessThan(0.12)
      expect(await numbers(layer(tensor([[2, 1, -4]]) as never, 'eval'))).toEqual([1])
    },
  )

  it('a convolution too', async () => {
    const inner = L.conv2d(1, 1, 2, { bias: false })
    L.loadStateDict(inner, { weight: full([1, 1, 2, 2], 1) })
    const layer = L.variationalDropout(inner, { per: 'layer', alpha: 0.5, seed: 2 })
    const y = await numbers(layer(full([1, 1, 61, 61], 1) as never, 'train'))
    expect(mean(y)).toBeCloseTo(4, 1)
    expect(Math.abs(variance(y) - 2)).toBeLessThan(0.1)
  })

  it('the divergence is the exact one but for a constant, within 0.02', async () => {
    const kls: number[] = []
    const logs = [-6, -3, -1, 0, 1, 3]
    for (const logAlpha of logs) {
      const layer = L.variationalDropout(L.linear(2, 3), { per: 'layer', alpha: Math.exp(logAlpha) })
      kls.push(Number(await L.variationalKl(layer).item()) / 6)
    }
    const exact = logs.map(exactKl)
    // The prior is improper: only differences mean something. At log alpha = 3 almost nothing is left.
    const shift = (kls[5] as number) - (exact[5] as number)
    for (const [i, kl] of kls.entries()) expect(Math.abs(kl - (exact[i] as number) - shift)).toBeLessThan(0.02)
  })

  it.each(['layer', 'unit', 'weight'] as const)('finite differences agree with the gradients, per %s', async (per) => {
    const inner = L.linear(3, 2, { init: (k, shape) => uniform(k, shape, { low: 0.4, high: 0.9 }), seed: 1 })
    const layer = L.variationalDropout(inner, { per, alpha: 0.3, seed: 2 })
    const state = layer.generator.value
    const x = normal(key(3), [4, 3])
    const loss = () => {
      layer.generator.assign(state)
      return layer(x as never, 'train')
        .square()
        .sum()
        .add(L.variationalKl(layer)) as Tensor<[], 'float32'>
    }
    const grads = grad(loss, layer) as Record<string, Tensor>
    for (const [name, variable] of Object.entries(namedVariables(layer, { trainable: true }))) {
      const [g, before] = [await numbers(grads[name] as Tensor), await numbers(variable.value)]
      for (const place of [0, g.length - 1]) {
        const at = async (step: number): Promise<number> => {
          variable.assign(
            tensor(
              before.map((v, i) => (i === place ? v + step : v)),
              variable.shape,
            ) as Tensor,
          )
          return Number(await loss().item())
        }
        const slope = ((await at(0.01)) - (await at(-0.01))) / 0.02
        await at(0)
        expect(Math.abs((g[place] as number) - slope), `${name} ${place}`).toBeLessThan(
          0.02 * Math.max(1, Math.abs(slope)),
        )
      }
    }
  })

  it('finds the inputs that matter: the others’ weights get a large alpha and leave', async () => {
    const model = L.sequential(L.variationalDropout(L.linear(6, 1, { seed: 1 }), { seed: 2 }))
    const x = normal(key(1), [256, 6])
    const y = x.mul(tensor([2, 0, 0, -1, 0, 0])).sum(1, { keepdim: true }) as Tensor
    const noisy = y.add(normal(key(2), [256, 1]).mul(0.3)) as Tensor
    const opt = optimizer(adam(cosineDecay(0.05, { totalSteps: 800 })), model)
    const loss = () =>
      mse(model(x as never, 'train') as never, noisy as never)
        .mul(1 / (2 * 0.09))
        .add(L.variationalKl(model).mul(1 / 256)) as Tensor<[], 'float32'>
    const step = compile(() => opt.update(grad(loss, model)))
    for (let i = 0; i < 800; i++) step()
    const learned = L.learnedAlphas(model)['0'] as L.LearnedDropout
    expect((await numbers(learned.alpha)).map((a) => a > Math.exp(3))).toEqual([false, true, true, false, true, true])
    expect(Number(await learned.sparsity.item())).toBeCloseTo(4 / 6, 6)
    const kept = await numbers(
      model(tensor([[0, 1, 1, 0, 1, 1]]) as never, 'eval').sub(model[0].bias.value as never) as Tensor,
    )
    expect(kept[0]).toBeCloseTo(0, 6)
    expect(await numbers(model(tensor([[1, 0, 0, 0, 0, 0]]) as never, 'eval') as Tensor)).toEqual([
      expect.closeTo(2, 0),
    ])
  })
})

describe('in a model', () => {
  beforeAll(() => useBackend(reference()))

  it('keeps PyTorch’s names, starts by its place and draws fresh noise', async () => {
    const make = () => L.sequential(L.variationalDropout(L.linear(3, 2)), L.variationalDropout(L.linear(2, 2)))
    const [a, b] = [make(), make()]
    expect(Object.keys(L.stateDict(a))).toEqual(['0.weight', '0.bias', '0.noise', '1.weight', '1.bias', '1.noise'])
    const x = normal(key(1), [2, 3])
    const first = await numbers(a(x as never, 'train'))
    expect(await numbers(b(x as never, 'train'))).toEqual(first)
    expect(await numbers(a(x as never, 'train'))).not.toEqual(first)
    L.initialize(a, { weight: L.normal({ std: 2 }), seed: 3 })
    const { alpha } = L.learnedAlphas(a)['0'] as L.LearnedDropout
    for (const v of await numbers(alpha)) expect(v).toBeCloseTo(0.1, 4)
  })

  it('fixed Gaussian noise has dropout’s mean and variance', async () => {
    const y = await numbers(L.gaussianDropout(0.2, { generator: new Generator(1) })(full([4000], 1) as never, 'train'))
    expect(mean(y)).toBeCloseTo(1, 1)
    expect(variance(y)).toBeCloseTo(0.25, 1)
  })

  it('says what does not fit', () => {
    expect(() => L.variationalDropout(L.embedding(3, 2) as never)).toThrow('wraps linear layers and convolutions')
    expect(() => L.variationalDropout(L.linear(3, 2), { alpha: 0 })).toThrow('alpha must start above 0')
    expect(() => L.variationalDropout(L.linear(3, 2), { per: 'filter' as never })).toThrow(
      "'layer', 'unit' or 'weight'",
    )
    expect(() => L.variationalDropout(L.conv2d(4, 4, 3, { groups: 2 }), { per: 'unit' })).toThrow('one group')
    expect(() => L.variationalKl(L.linear(2, 2))).toThrow('found no variational dropout')
  })
})
