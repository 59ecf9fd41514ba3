import { valueAndGrad } from '@tessella/autograd'
import { blobs } from '@tessella/datasets'
import { crossEntropy } from '@tessella/losses'
import { optimizer, sgd } from '@tessella/optimizers'
import {
  compile,
  disposeBackend,
  key,
  normal,
  oneHot,
  type Tensor,
  tensor,
  useBackend,
  Variable,
  zeros,
} from '@tessella/tensor'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { pretrainLayers } from '../src/index.ts'
import { backends } from './support/backends.ts'

const numbers = async (t: Tensor): Promise<number[]> => Array.from(await t.data(), Number)

/** Three clouds in the plane, and a net of two hidden layers and a third for the answers. */
function setup() {
  const { points, labels } = blobs({
    n: 90,
    centers: [
      [3, 0],
      [-3, 1],
      [0, -4],
    ],
    noise: 1,
    seed: 2,
  }).columns
  const x = tensor(points.data, [90, 2]) as Tensor
  const y = tensor(labels.data, [90]) as Tensor
  const dense = (seed: number, units: number, inputs: number) => ({
    weight: new Variable(normal(key(seed), [units, inputs], { std: 0.5 }) as Tensor),
    bias: new Variable(zeros([units]) as Tensor),
    activation: (z: Tensor) => z.tanh() as Tensor,
  })
  const layers = [dense(1, 7, 2), dense(2, 6, 7)]
  return { x, y, targets: oneHot(y as never, 3) as Tensor, layers }
}

describe.each(backends)('on %s', (_, make) => {
  beforeAll(async () => useBackend(await make()))
  afterAll(disposeBackend)

  it.each(['subsample', 'inputs', 'start'] as const)(
    'every unit tells its class, and units of one class differ: %s',
    async (vary) => {
      const { x, y, targets, layers } = setup()
      await pretrainLayers({ layers, x, targets, vary, share: 0.6, key: key(5) })
      const classes = await numbers(y)
      const [first, second] = layers as [(typeof layers)[0], (typeof layers)[0]]
      const hidden = x.matmul(first.weight.value.transpose()).add(first.bias.value).tanh() as Tensor
      const z = (await hidden.matmul(second.weight.value.transpose()).add(second.bias.value).array()) as number[][]
      for (let h = 0; h < 6; h++) {
        const right = z.filter((row, i) => (row[h] as number) > 0 === (classes[i] === h % 3)).length
        expect(right / 90, `unit ${h}`).toBeGreaterThan(0.85)
      }
      const weights = (await second.weight.value.array()) as number[][]
      for (const h of [0, 1, 2]) expect(weights[h]).not.toEqual(weights[h + 3])
      const zeros = weights.flat().filter((w) => w === 0).length
      if (vary === 'inputs') expect(zeros).toBeGreaterThan(5)
      else expect(zeros).toBe(0)
    },
  )

  it('is fixed by its key, and training goes on from a better place', async () => {
    const [a, b, plain] = [setup(), setup(), setup()]
    for (const { layers, x, targets } of [a, b]) await pretrainLayers({ layers, x, targets, key: key(5) })
    expect(await numbers(a.layers[1]?.weight.value as Tensor)).toEqual(
      await numbers(b.layers[1]?.weight.value as Tensor),
    )
    const trained = async ({ layers, x, y }: ReturnType<typeof setup>): Promise<number> => {
      const model = { layers, out: new Variable(normal(key(9), [3, 6], { std: 0.3 }) as Tensor) }
      const loss = () => {
        const h = layers.reduce(
          (v, l) => l.activation(v.matmul(l.weight.value.transpose()).add(l.bias.value) as Tensor),
          x,
        )
        return crossEntropy(h.matmul(model.out.value.transpose()) as never, y as never) as Tensor<[], 'float32'>
      }
      const opt = optimizer(sgd(0.1), model)
      const step = compile(() => opt.update(valueAndGrad(loss, model)[1]))
      for (let i = 0; i < 10; i++) step()
      return Number(await loss().item())
    }
    expect(await trained(a)).toBeLessThan(0.7 * (await trained(plain)))
  })

  it('tells mistakes', async () => {
    const { x, targets, layers, y } = setup()
    await expect(pretrainLayers({ layers, x, targets: y, key: key(1) })).rejects.toThrow('targets [n, classes]')
    await expect(pretrainLayers({ layers: layers.slice(1), x, targets, key: key(1) })).rejects.toThrow(
      'layer 0 does not fit',
    )
    await expect(pretrainLayers({ layers, x, targets, share: 0, key: key(1) })).rejects.toThrow('share')
  })
})
