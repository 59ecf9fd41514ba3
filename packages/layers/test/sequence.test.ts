/** Recurrent layers and attention beyond PyTorch's cases, which run in the golden tests. */
import { grad } from '@tessella/autograd'
import { cpu } from '@tessella/backend-cpu'
import { adam, optimizer } from '@tessella/optimizers'
import {
  bernoulli,
  compile,
  concat,
  disposeBackend,
  Generator,
  key,
  namedVariables,
  normal,
  OpError,
  ones,
  type Tensor,
  tensor,
  useBackend,
  type Variable,
} from '@tessella/tensor'
import { reference } from '@tessella/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as L from '../src/index.ts'

const x = (seed: number, ...shape: number[]): Tensor => normal(key(seed), shape) as Tensor
async function expectClose(a: Tensor, b: Tensor, digits = 5): Promise<void> {
  expect(a.shape).toEqual(b.shape)
  const [p, q] = [await a.data(), await b.data()]
  for (const [i, v] of Array.from(p).entries()) expect(v).toBeCloseTo(Number(q[i]), digits)
}
const total = (y: Tensor): Tensor<[], 'float32'> => y.square().sum() as Tensor<[], 'float32'>

describe.each(Object.entries({ reference, cpu }))('on %s', (_, create) => {
  beforeAll(() => useBackend(create()))
  afterAll(disposeBackend)

  describe('recurrent layers', () => {
    const makers = { rnn: L.rnn, lstm: L.lstm, gru: L.gru } as const
    it.each(['rnn', 'lstm', 'gru'] as const)('%s goes on from its state as if never stopped', async (name) => {
      const layer = makers[name](3, 4, { layers: 2, seed: 1 })
      const input = x(1, 2, 6, 3)
      const [whole, end] = layer.run(input)
      const [first, middle] = layer.run(input.narrow(1, 0, 4) as Tensor)
      const [second, last] = layer.run(input.narrow(1, 4, 2) as Tensor, middle as never)
      await expectClose(concat([first, second], 1) as Tensor, whole)
      await expectClose(last.hidden, end.hidden)
      expect(last.hidden.shape).toEqual([2, 2, 4])
      expect(last.cell?.shape).toEqual(name === 'lstm' ? [2, 2, 4] : undefined)
    })

    it('a backward direction is the layer on the reversed sequence, reversed', async () => {
      const both = L.gru(3, 4, { bidirectional: true, seed: 1 })
      const back = L.gru(3, 4)
      const saved = L.stateDict(both)
      L.loadStateDict(
        back,
        Object.fromEntries(
          Object.entries(saved).flatMap(([name, t]) => (name.endsWith('Reverse') ? [[name.slice(0, -7), t]] : [])),
        ),
      )
      const input = x(2, 2, 5, 3)
      const y = both(input)
      await expectClose(y.narrow(2, 4, 4) as Tensor, back(input.flip(1)).flip(1) as Tensor)
    })

    it.each(['rnn', 'lstm', 'gru'] as const)(
      'dropout of %s acts between the layers, in training only',
      async (name) => {
        const options = { layers: 2, seed: 1 } as const
        const [plain, layer] = [makers[name](3, 4, options), makers[name](3, 4, { ...options, dropout: 0.4 })]
        const input = x(1, 2, 5, 3)
        await expectClose(layer(input, 'eval') as Tensor, plain(input) as Tensor)
        // The first layer, its outputs dropped by the layer's next key, then the second.
        const weights = L.stateDict(plain)
        const run = (at: number, y: Tensor): Tensor => {
          const one = makers[name](at === 0 ? 3 : 4, 4)
          const own = Object.entries(weights).filter(([key]) => key.endsWith(`L${at}`))
          L.loadStateDict(one, Object.fromEntries(own.map(([key, t]) => [key.replace(/L.$/, 'L0'), t])))
          return one(y as never) as Tensor
        }
        const generator = new Generator(0)
        generator.state.assign((layer as unknown as { generator: Variable<[2], 'uint32'> }).generator.value)
        const kept = bernoulli(generator.next(), [2, 5, 4], 0.6).cast('float32')
        await expectClose(
          layer(input, 'train') as Tensor,
          run(
            1,
            run(0, input)
              .mul(kept)
              .mul(1 / 0.6) as Tensor,
          ),
        )
        const [again] = layer.run(input, undefined, 'train')
        expect(Number(await layer(input, 'train').sub(again).abs().max().item())).toBeGreaterThan(1e-4)
      },
    )

    it('finite differences agree with the gradient of every weight', async () => {
      const layer = L.lstm(2, 3, { bidirectional: true, seed: 3 })
      const input = x(3, 2, 2, 2)
      const loss = compile(() => total(layer(input)))
      const grads = grad(() => total(layer(input)), layer)
      for (const [name, variable] of Object.entries(namedVariables(layer))) {
        const g = (await (grads as Record<string, Tensor>)[name]?.data()) as ArrayLike<number>
        const place = g.length - 1
        const before = Array.from(await variable.value.data(), Number)
        const at = async (step: number): Promise<number> => {
          variable.assign(
            tensor(
              before.map((v, i) => (i === place ? v + step : v)),
              variable.shape,
            ) as Tensor,
          )
          return Number(await loss().item())
        }
        const slope = ((await at(0.05)) - (await at(-0.05))) / 0.1
        await at(0)
        expect(g[place], name).toBeCloseTo(slope, 2)
      }
    })

    it('learns to remember the first number of a sequence', async () => {
      const net = L.module({ rnn: L.lstm(1, 8, { seed: 1 }), out: L.linear(8, 1, { seed: 2 }) }, (m, t: Tensor) =>
        m.out(m.rnn(t as never).at(1, -1) as Tensor),
      )
      const input = x(4, 16, 5, 1)
      const loss = () => net(input).sub(input.at(1, 0)).square().mean() as Tensor<[], 'float32'>
      const start = Number(await loss().item())
      const opt = optimizer(adam(0.05), net)
      const step = compile(() => opt.update(grad(loss, net) as Record<string, Tensor>))
      for (let i = 0; i < 60; i++) step()
      expect(Number(await loss().item())).toBeLessThan(0.2 * start)
    })

    it('says what does not fit', () => {
      const layer = L.lstm(3, 4)
      expect(() => layer(x(1, 2, 3) as never)).toThrow('[lstm] expects [n, time, features], the input has 2 dimensions')
      expect(() => layer(x(1, 2, 5, 4) as never)).toThrow('expects 3 features')
      expect(() => layer.run(x(1, 2, 5, 3), { hidden: x(1, 2, 4), cell: x(1, 2, 4) })).toThrow("state's hidden")
      expect(() => L.gru(3, 4, { layers: 0 })).toThrow(OpError)
      expect(() => L.gru(3, 4, { dropout: 0.2 })).toThrow('dropout acts between layers, and there is one')
      expect(() => L.gru(3, 4, { layers: 2, dropout: 1 })).toThrow('in [0, 1)')
      const noisy = L.lstm(3, 4, { layers: 2, dropout: 0.2 })
      expect(() => noisy.run(x(1, 2, 5, 3))).toThrow('[lstm] must be told whether it trains')
      expect(() => L.rnn(3, 4, { activation: 'tanh' } as never)).toThrow("no option 'activation'")
    })
  })

  describe('attention', () => {
    it('a causal output does not change with what comes later', async () => {
      const attention = L.multiheadAttention(6, 2, { causal: true, seed: 1 })
      const [a, b] = [x(1, 2, 5, 6), x(2, 2, 5, 6)]
      const mixed = concat([a.narrow(1, 0, 3), b.narrow(1, 3, 2)], 1) as Tensor
      await expectClose(attention(a).narrow(1, 0, 3) as Tensor, attention(mixed).narrow(1, 0, 3) as Tensor)
      const changed = attention(a).sub(attention(mixed)).narrow(1, 3, 2).abs().min() as Tensor
      expect(Number(await changed.item())).toBeGreaterThan(0)
    })

    it('keys that do not exist count for nothing', async () => {
      const attention = L.multiheadAttention(6, 3, { seed: 1 })
      const [q, memory] = [x(1, 2, 3, 6), x(2, 2, 5, 6)]
      const keyMask = tensor([
        [1, 1, 1, 0, 0],
        [1, 1, 1, 0, 0],
      ]).gt(0) as Tensor
      const short = memory.narrow(1, 0, 3) as Tensor
      await expectClose(
        attention.attend(q as never, memory, memory, { keyMask }) as Tensor,
        attention.attend(q as never, short, short) as Tensor,
      )
    })

    it('who may look at nothing gets zeros, and a finite gradient', async () => {
      const mask = tensor([
        [1, 0],
        [0, 0],
      ]).gt(0) as Tensor
      const run = (q: Tensor) => L.scaledDotProductAttention(q, x(2, 2, 3), x(3, 2, 4), { mask }) as Tensor
      const y = Array.from((await run(x(1, 2, 3)).data()) as Float32Array)
      expect(y.slice(4)).toEqual([0, 0, 0, 0])
      expect(y.slice(0, 4)).toEqual(Array.from((await x(3, 2, 4).at(0, 0).data()) as Float32Array))
      const g = await grad((q: Tensor) => total(run(q)))(x(1, 2, 3)).data()
      expect(Array.from(g, Number).every(Number.isFinite)).toBe(true)
    })

    it('dropout leaves the expectation of what is seen, and evaluation alone', async () => {
      const [q, k] = [x(1, 4000, 3).mul(0.1) as Tensor, x(2, 5, 3)]
      const value = ones([5, 1]) as Tensor
      const look = (dropoutP: number): Tensor =>
        L.scaledDotProductAttention(q, k, value, { dropoutP, dropoutKey: key(3) }) as Tensor
      const [whole, dropped] = [await look(0).data(), Array.from(await look(0.5).data(), Number)]
      expect(Math.max(...Array.from(whole, (v) => Math.abs(Number(v) - 1)))).toBeLessThan(1e-5)
      // Five weights near 1/5, each kept by a coin and doubled: mean 1, variance near 5 / 25.
      const mean = dropped.reduce((a, b) => a + b, 0) / dropped.length
      const variance = dropped.reduce((a, b) => a + (b - mean) ** 2, 0) / dropped.length
      expect(Math.abs(mean - 1)).toBeLessThan(4 * Math.sqrt(0.2 / 4000))
      expect(variance).toBeGreaterThan(0.17)
      expect(variance).toBeLessThan(0.25)
    })

    it('a layer with dropout draws new masks in every compiled step, and none in evaluation', async () => {
      const layer = L.multiheadAttention(6, 2, { dropout: 0.5, seed: 1 })
      const plain = L.multiheadAttention(6, 2, { seed: 1 })
      const input = x(1, 2, 5, 6)
      await expectClose(layer(input, 'eval'), plain(input))
      const step = compile(() => layer(input, 'train'))
      const [first, second] = [await step().data(), await step().data()]
      expect(Array.from(first)).not.toEqual(Array.from(second))
      expect(() => layer.attend(input as never, input, input)).toThrow('must be told whether it trains')
      expect(() => L.multiheadAttention(6, 2, { dropout: -1 })).toThrow('in [0, 1)')
      expect(() => L.scaledDotProductAttention(input, input, input, { dropoutP: 0.1 })).toThrow('needs a dropoutKey')
    })

    it('masks join: causal, pairs and keys', async () => {
      const attention = L.multiheadAttention(4, 2, { seed: 1 })
      const input = x(1, 1, 3, 4)
      const pairs = tensor([
        [1, 0, 0],
        [1, 1, 0],
        [1, 1, 1],
      ]).gt(0) as Tensor
      await expectClose(
        attention.attend(input as never, input, input, { causal: true }) as Tensor,
        attention.attend(input as never, input, input, { mask: pairs }) as Tensor,
      )
    })

    it('says what does not fit', () => {
      expect(() => L.multiheadAttention(6, 4)).toThrow('6 features do not split into 4 heads')
      expect(() => L.scaledDotProductAttention(x(1, 2, 3), x(1, 2, 4), x(1, 2, 3))).toThrow('differ in their features')
      expect(() => L.scaledDotProductAttention(x(1, 2, 3), x(1, 2, 3), x(1, 3, 3))).toThrow('a value for each key')
      expect(() => L.scaledDotProductAttention(x(1, 2, 3), x(1, 2, 3), x(1, 2, 3), { mask: x(1, 2, 2) })).toThrow(
        'the mask is bool',
      )
      const attention = L.multiheadAttention(6, 2)
      const input = x(1, 2, 3, 6)
      expect(() => attention.attend(input as never, input, input, { keyMask: x(1, 2, 4).gt(0) as Tensor })).toThrow(
        '[n, keys]',
      )
    })
  })
})
