import { valueAndGrad } from '@tessella/autograd'
import { cpu } from '@tessella/backend-cpu'
import { adam, chain, maskUpdates, optimizer } from '@tessella/optimizers'
import { compile, disposeBackend, key, normal, type Tensor, tensor, useBackend, Variable } from '@tessella/tensor'
import { reference } from '@tessella/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type BrainDamageRound,
  denseCurvature,
  featureSalience,
  halfSquaredError,
  magnitudes,
  optimalBrainDamage,
  perFeature,
  pruning,
  saliences,
} from '../src/index.ts'

const numbers = async (t: Tensor): Promise<number[]> => Array.from(await t.data(), (v) => Number(v) + 0)
const matrix = (...rows: number[][]) => new Variable(tensor(rows) as Tensor)

/** Six inputs of which two matter, a hidden layer of tanh, one output. */
function regression() {
  const x = normal(key(1), [64, 6]) as Tensor
  const y = x
    .narrow(1, 0, 1)
    .mul(1.5)
    .tanh()
    .sub(x.narrow(1, 3, 1) as never)
    .add(normal(key(9), [64, 1]).mul(0.05) as never) as Tensor
  const model = {
    first: {
      weight: new Variable(normal(key(2), [4, 6]).mul(0.4) as Tensor),
      bias: new Variable(tensor([0, 0, 0, 0]) as Tensor),
    },
    second: {
      weight: new Variable(normal(key(3), [1, 4]).mul(0.5) as Tensor),
      bias: new Variable(tensor([0]) as Tensor),
    },
  }
  const { first, second } = model
  const output = () =>
    x
      .matmul(first.weight.value.transpose())
      .add(first.bias.value)
      .tanh()
      .matmul(second.weight.value.transpose())
      .add(second.bias.value)
  const loss = () => output().sub(y).square().sum().div(2) as Tensor<[], 'float32'>
  const curvature = () => {
    const [a, b] = denseCurvature(
      [
        { weight: first.weight.value, bias: first.bias.value, activation: 'tanh' },
        { weight: second.weight.value, bias: second.bias.value },
      ],
      x,
      halfSquaredError(y),
    )
    return { 'first.weight': a?.weight as Tensor, 'second.weight': b?.weight as Tensor }
  }
  return { model, loss, curvature }
}

describe.each(Object.entries({ reference, cpu }))('on %s', (_, create) => {
  beforeAll(() => useBackend(create()))
  afterAll(disposeBackend)

  it('removes what scores least, over all weights, biases left out', async () => {
    const model = {
      a: { weight: matrix([3, -1], [0.5, 2]), bias: new Variable(tensor([0.01])) },
      b: { weight: matrix([-0.2, 4]) },
    }
    const kept = pruning(model)
    expect(await kept.removeLeast(magnitudes(kept), 3)).toBe(3)
    expect(await numbers(model.a.weight.value)).toEqual([3, 0, 0, 2])
    expect(await numbers(model.b.weight.value)).toEqual([0, 4])
    expect(await numbers(model.a.bias.value)).toEqual([expect.closeTo(0.01)])
    expect(await kept.remaining()).toBe(3)
    // What is gone is no candidate again.
    expect(await kept.removeLeast(magnitudes(kept), 5)).toBe(3)
    expect(await kept.removeLeast(magnitudes(kept), 1)).toBe(0)
  })

  it('salience is w^2 h, and disagrees with magnitude where the criterion is flat', async () => {
    const model = { w: matrix([3, -1]) }
    const kept = pruning(model)
    const scores = saliences(kept, { w: tensor([[0.01, 5]]) as Tensor })
    expect(await numbers(scores.w as Tensor)).toEqual([expect.closeTo(0.09, 5), 5])
    await kept.removeLeast(scores, 1)
    expect(await numbers(model.w.value)).toEqual([0, -1])
  })

  it('takes back masks and weights, also after compiled steps', async () => {
    const model = { w: matrix([3, -1, 2]) }
    const kept = pruning(model)
    const step = compile(() => {
      model.w.assign(model.w.value.add(1) as Tensor)
      kept.apply()
    })
    const undo = kept.remember()
    await kept.removeLeast(magnitudes(kept), 2)
    step()
    step()
    expect(await numbers(model.w.value)).toEqual([5, 0, 0])
    undo()
    expect(await numbers(model.w.value)).toEqual([3, -1, 2])
    expect(await kept.remaining()).toBe(3)
    step()
    expect(await numbers(model.w.value)).toEqual([4, 0, 3])
  })

  it('the optimizer keeps removed weights and their moments at 0, in the program made before they went', async () => {
    const model = { w: matrix([3, -1, 2]), bias: new Variable(tensor([1])) }
    const kept = pruning(model)
    const opt = optimizer(chain(maskUpdates(kept.masks), adam(0.1)), model)
    const step = compile(() => {
      const [loss, grads] = valueAndGrad(
        () => model.w.value.sub(5).square().sum().add(model.bias.value.sum()) as Tensor<[], 'float32'>,
        model,
      )
      opt.update(grads)
      return loss
    })
    step()
    await kept.removeLeast(magnitudes(kept), 1)
    for (let i = 0; i < 5; i++) step()
    const [a, b, c] = await numbers(model.w.value)
    // Adam goes on with the moment of the first step, so the mask belongs behind it as well.
    expect(b).not.toBe(0)
    const both = optimizer(chain(maskUpdates(kept.masks), adam(0.1), maskUpdates(kept.masks)), model)
    kept.apply()
    const again = compile(() => {
      const [, grads] = valueAndGrad(
        () => model.w.value.sub(5).square().sum().add(model.bias.value.sum()) as Tensor<[], 'float32'>,
        model,
      )
      both.update(grads)
    })
    for (let i = 0; i < 5; i++) again()
    const after = await numbers(model.w.value)
    expect(after[1]).toBe(0)
    expect(after[0]).toBeGreaterThan(a as number)
    expect(after[2]).toBeGreaterThan(c as number)
    expect(again.programs()).toHaveLength(1)
  })

  it('optimal brain damage thins a net out and stops before it hurts', async () => {
    const { model, loss, curvature } = regression()
    const kept = pruning(model)
    const opt = optimizer(adam(0.02), model)
    const step = compile(() => {
      const [value, grads] = valueAndGrad(loss, model)
      opt.update(grads)
      kept.apply()
      return value
    })
    const retrain = (): void => {
      for (let i = 0; i < 100; i++) step()
    }
    const criterion = async (): Promise<number[]> => [Number(await loss().item())]
    for (let i = 0; i < 5; i++) retrain()
    const [start] = (await criterion()) as [number]
    const history: BrainDamageRound[] = []
    const run = optimalBrainDamage({
      pruning: kept,
      scores: () => saliences(kept, curvature()),
      count: 4,
      retrain,
      criterion,
      worsened: ([a = 0], [b = 0]) => b > 2 * a + 0.1,
    })
    for await (const round of run) history.push(round)

    const last = history.at(-1) as BrainDamageRound
    expect(history.length).toBeGreaterThan(2)
    expect(last.undone).toBe(true)
    expect(history.slice(0, -1).every((r) => !r.undone)).toBe(true)
    expect(history.map((r) => r.remaining)).toEqual([
      ...history.slice(0, -1).map((_, i) => 28 - 4 * (i + 1)),
      28 - 4 * (history.length - 1),
    ])
    const [end] = (await criterion()) as [number]
    expect(end).toBeLessThanOrEqual(2 * start + 0.1)
    // The inputs that do not matter have gone first.
    const worth = await numbers(featureSalience(saliences(kept, curvature())['first.weight'] as Tensor))
    const order = [...worth.keys()].toSorted((a, b) => (worth[b] as number) - (worth[a] as number))
    expect(new Set(order.slice(0, 2))).toEqual(new Set([0, 3]))
  })

  it('whole features go together when weights score as their input', async () => {
    const model = { w: matrix([1, 0.1, 3], [1, 0.2, 0.1]) }
    const kept = pruning(model)
    await kept.removeLeast({ w: perFeature(magnitudes(kept).w as Tensor) }, 4)
    expect(await numbers(model.w.value)).toEqual([0, 0, 3, 0, 0, expect.closeTo(0.1)])
  })
})

describe('bad input', () => {
  beforeAll(() => useBackend(reference()))

  it('is told', async () => {
    const model = { w: matrix([1, 2]) }
    const kept = pruning(model)
    await expect(kept.removeLeast({}, 1)).rejects.toThrow("needs a score for every weight of 'w'")
    await expect(kept.removeLeast({ w: tensor([[Number.NaN, 1]]) as Tensor }, 1)).rejects.toThrow('NaN')
    await expect(kept.removeLeast(magnitudes(kept), 1.5)).rejects.toThrow('whole number')
    expect(() => saliences(kept, {})).toThrow("no second derivatives of 'w'")
    expect(() => featureSalience(tensor([1]) as Tensor)).toThrow('[units, inputs]')
    expect(() => pruning({ b: new Variable(tensor([1])) })).toThrow('selected none')
    expect(() => optimizer(maskUpdates({ other: model.w }), model)).toThrow("no parameter 'other'")
  })
})
