import { valueAndGrad } from '@tessella/autograd'
import { compile, disposeBackend, type Tensor, tensor, useBackend, Variable } from '@tessella/tensor'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as o from '../src/index.ts'
import { backends } from './support/backends.ts'
import { rosenbrock } from './support/rosenbrock.ts'

/** A rate for the parabola, and one for Rosenbrock's valley with the loss that 800 steps reach from 4. */
const table: readonly (readonly [string, o.Transform, o.Transform, number])[] = [
  ['sgd', o.sgd(0.1), o.sgd(2e-3), 0.2],
  ['sgd with momentum', o.sgd(0.05, { momentum: 0.9 }), o.sgd(2e-3, { momentum: 0.9 }), 1e-5],
  ['the lectures’ momentum', o.momentum(0.3), o.momentum(2e-2), 1e-5],
  ['nesterov', o.nesterov(0.05), o.nesterov(1e-3), 1e-3],
  ['adam', o.adam(0.1), o.adam(0.1), 1e-5],
  ['adam with amsgrad', o.adam(0.1, { amsgrad: true }), o.adam(0.1, { amsgrad: true }), 1e-5],
  ['adamw', o.adamw(0.1, { weightDecay: 1e-4 }), o.adamw(0.1, { weightDecay: 1e-4 }), 1e-5],
  ['adamax', o.adamax(0.2), o.adamax(0.5), 0.02],
  ['nadam', o.nadam(0.1), o.nadam(0.05), 0.1],
  ['radam', o.radam(0.1), o.radam(5e-3), 1],
  [
    'rmsprop',
    o.rmsprop(o.cosineDecay(0.1, { totalSteps: 800 })),
    o.rmsprop(o.cosineDecay(0.02, { totalSteps: 800 })),
    0.1,
  ],
  ['adagrad', o.adagrad(1), o.adagrad(0.5), 0.2],
  ['adadelta', o.adadelta(5), o.adadelta(5), 2],
  ['lion', o.lion(o.cosineDecay(0.1, { totalSteps: 800 })), o.lion(o.cosineDecay(0.02, { totalSteps: 800 })), 0.1],
  ['lookahead around adam', o.lookahead(o.adam(0.1)), o.lookahead(o.adam(0.1)), 1e-3],
  ['rprop', o.rprop(0.1), o.rprop(0.01), 0.02],
  ['asgd', o.asgd(0.1), o.asgd(2e-3), 0.2],
  [
    'a chain of clipping, momentum and a schedule',
    o.chain(o.clipByGlobalNorm(1), o.sgd(o.cosineDecay(0.1, { totalSteps: 800 }), { momentum: 0.9 })),
    o.chain(o.clipByGlobalNorm(1), o.sgd(o.cosineDecay(0.01, { totalSteps: 800 }), { momentum: 0.9 })),
    1e-4,
  ],
]

async function minimise(loss: (w: Tensor) => Tensor, start: readonly number[], transform: o.Transform, steps: number) {
  const w = new Variable(tensor([...start]))
  const opt = o.optimizer(transform, { w })
  const step = compile(() => {
    const [value, grads] = valueAndGrad(() => loss(w.value), { w })
    opt.update(grads)
    return value
  })
  for (let i = 0; i < steps; i++) step()
  return { loss: Number(await loss(w.value).item()), programs: step.programs().length }
}

describe.each(backends)('on %s', (_, make) => {
  beforeAll(async () => useBackend(await make()))
  afterAll(disposeBackend)

  describe.each(table)('%s', (_name, forParabola, forValley, reached) => {
    it('minimises a parabola, recorded once', async () => {
      const parabola = (w: Tensor): Tensor =>
        w
          .sub(tensor([3, -1]))
          .square()
          .sum()
      const { loss, programs } = await minimise(parabola, [0, 0], forParabola, 800)
      expect(loss).toBeLessThan(1e-3)
      expect(programs).toBe(1)
    })

    it('walks down Rosenbrock’s valley, recorded once', async () => {
      const { loss, programs } = await minimise(rosenbrock, [-1, 1], forValley, 800)
      expect(loss).toBeLessThan(reached)
      expect(programs).toBe(1)
    })
  })

  it('goes the same way compiled and not', async () => {
    for (const [, transform] of table) {
      const run = async (compiled: boolean): Promise<unknown> => {
        const w = new Variable(tensor([-1, 1]))
        const opt = o.optimizer(transform, { w })
        const plain = (): void => opt.update(valueAndGrad(() => rosenbrock(w.value), { w })[1])
        const step = compiled ? compile(plain) : plain
        for (let i = 0; i < 4; i++) step()
        return w.value.array()
      }
      expect(await run(true)).toEqual(await run(false))
    }
  })
})
