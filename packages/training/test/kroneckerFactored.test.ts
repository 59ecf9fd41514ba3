import { valueAndGrad } from '@tessella/autograd'
import { crossEntropy } from '@tessella/losses'
import { optimizer, sgd } from '@tessella/optimizers'
import {
  compile,
  disposeBackend,
  Generator,
  key,
  normal,
  type Tensor,
  tensor,
  useBackend,
  Variable,
} from '@tessella/tensor'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kroneckerFactored } from '../src/index.ts'
import { inverseOf } from '../src/kroneckerFactored.ts'
import { backends } from './support/backends.ts'

type Scalar = Tensor<[], 'float32'>
const random = (seed: number, ...shape: number[]): Tensor => normal(key(seed), shape) as Tensor
const numbers = async (t: Tensor): Promise<number[]> => Array.from(await t.data(), Number)

/** Inputs of very different sizes, a hidden layer, three classes. */
function net() {
  const x = random(1, 40, 3).mul(tensor([1, 0.1, 5]) as never) as Tensor
  const teacher = x.mul(tensor([1, 10, 0.2]) as never).matmul(random(7, 3, 3)) as Tensor
  const y = teacher.argmax(1) as Tensor
  const model = {
    first: {
      weight: new Variable(random(2, 4, 3).mul(0.5) as Tensor),
      bias: new Variable(random(3, 4).mul(0.1) as Tensor),
    },
    out: { weight: new Variable(random(4, 3, 4).mul(0.5) as Tensor) },
  }
  const { first, out } = model
  const forward = (): Tensor =>
    x.matmul(first.weight.value.transpose()).add(first.bias.value).tanh().matmul(out.weight.value.transpose()) as Tensor
  const loss = () => crossEntropy(forward() as never, y as never) as unknown as Scalar
  return { x, y, model, forward, loss }
}

describe.each(backends)('on %s', (_, make) => {
  beforeAll(async () => useBackend(await make()))
  afterAll(disposeBackend)

  it('inverts matrices of large condition numbers', async () => {
    const m = tensor([
      [1000, 1, 0],
      [1, 1, 0.01],
      [0, 0.01, 0.01],
    ]) as Tensor
    const product = await numbers(m.matmul(inverseOf(m, 40)) as Tensor)
    for (const [i, v] of product.entries()) expect(Math.abs(v - (i % 4 === 0 ? 1 : 0))).toBeLessThan(2e-2)
  })

  it('keeps the moments of inputs and slopes: of one example they are the gradient, a d^T', async () => {
    const { x, model } = net()
    const { first, out } = model
    const one = x.narrow(0, 0, 1) as Tensor
    const loss = () =>
      crossEntropy(
        one
          .matmul(first.weight.value.transpose())
          .add(first.bias.value)
          .tanh()
          .matmul(out.weight.value.transpose()) as never,
        tensor([2], [1], 'int32') as never,
      ) as unknown as Scalar
    const fisher = kroneckerFactored(model, { decay: 0 })
    fisher.observe(loss, 1)
    const [, grads] = valueAndGrad(loss, model)
    const { layers } = fisher.state as { layers: { inputs: Variable; slopes: Variable }[] }
    const [inputs, slopes] = [
      await numbers(layers[0]?.inputs.value as Tensor),
      await numbers(layers[0]?.slopes.value as Tensor),
    ]
    const [a, g] = [await numbers(one), await numbers(grads['first.bias'] as Tensor)]
    const widened = [...a, 1]
    for (let i = 0; i < 4; i++)
      for (let j = 0; j < 4; j++) {
        expect(inputs[i * 4 + j]).toBeCloseTo((widened[i] as number) * (widened[j] as number), 4)
        expect(slopes[i * 4 + j]).toBeCloseTo((g[i] as number) * (g[j] as number), 4)
      }
    expect(layers[1]?.inputs.shape).toEqual([4, 4])
  })

  it('the step solves (G + g) D (A + a) = dW', async () => {
    const { model, loss } = net()
    const fisher = kroneckerFactored(model, { decay: 0.5, damping: 0.1 })
    fisher.observe(loss, 40)
    const [, grads] = valueAndGrad(loss, model)
    const d = fisher.precondition(grads)
    const { layers } = fisher.state as { layers: { inputs: Variable; slopes: Variable }[] }
    const [a, g] = [layers[1]?.inputs.value.mul(2) as Tensor, layers[1]?.slopes.value.mul(2) as Tensor]
    const trace = async (m: Tensor): Promise<number> => {
      const n = m.shape[0] as number
      return (await numbers(m)).reduce((sum, v, i) => sum + (i % (n + 1) === 0 ? v : 0), 0) / n
    }
    const pi = Math.sqrt((await trace(a)) / (await trace(g)))
    const damped = (m: Tensor, by: number): Tensor =>
      m.add(
        tensor(
          Array.from({ length: (m.shape[0] as number) ** 2 }, (_v, i) =>
            i % ((m.shape[0] as number) + 1) === 0 ? by : 0,
          ),
          m.shape,
        ) as never,
      ) as Tensor
    const back = damped(g, Math.sqrt(0.1) / pi)
      .matmul(d['out.weight'] as Tensor)
      .matmul(damped(a, Math.sqrt(0.1) * pi)) as Tensor
    const [found, expected] = [await numbers(back), await numbers(grads['out.weight'] as Tensor)]
    for (const [i, v] of expected.entries()) expect(found[i]).toBeCloseTo(v, 3)
  })

  it('ends where the gradient has hardly begun when inputs differ in size, in one program', async () => {
    const x = random(1, 40, 3).mul(tensor([1, 0.1, 5]) as never) as Tensor
    const y = x.matmul(
      tensor([
        [1, 30, 0.2],
        [-1, 20, 0.1],
      ]).transpose(),
    ) as Tensor
    const run = async (natural: boolean, rate: number): Promise<number> => {
      const model = {
        weight: new Variable(
          tensor([
            [0, 0, 0],
            [0, 0, 0],
          ]),
        ),
      }
      const forward = () => x.matmul(model.weight.value.transpose()) as Tensor
      const half = (target: Tensor) => () => forward().sub(target).square().sum().div(80) as Scalar
      const opt = optimizer(sgd(rate), model)
      const fisher = kroneckerFactored(model, { damping: 1e-6, decay: 0.8 })
      const generator = new Generator(1)
      const step = compile(() => {
        // The model's own answers: normal numbers of variance 1 around the outputs.
        const drawn = forward().add(normal(generator.next(), [40, 2]) as never) as Tensor
        if (natural) fisher.observe(half(drawn), 40)
        const [value, grads] = valueAndGrad(half(y), model)
        opt.update(natural ? fisher.precondition(grads) : grads)
        return value
      })
      for (let i = 0; i < 25; i++) step()
      expect(step.programs()).toHaveLength(1)
      return Number(await half(y)().item())
    }
    const plain = await Promise.all([0.005, 0.02, 0.05, 0.2].map((rate) => run(false, rate)))
    const best = Math.min(...plain.filter(Number.isFinite))
    expect(best).toBeGreaterThan(1)
    expect(await run(true, 0.5)).toBeLessThan(0.1 * best)
  })

  it('tells mistakes', () => {
    const { model } = net()
    expect(() => kroneckerFactored({ b: model.first.bias })).toThrow('found no trainable matrices')
    expect(() => kroneckerFactored(model, { damping: 0 })).toThrow('damping')
    const fisher = kroneckerFactored(model)
    expect(() => fisher.observe(() => model.first.bias.value.sum() as never, 1)).toThrow(
      'no product x W^T and no convolution',
    )
    expect(() => fisher.precondition({})).toThrow('no gradient')
  })
})
