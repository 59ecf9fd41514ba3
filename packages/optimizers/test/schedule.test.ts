import { grad } from '@tessella/autograd'
import { compile, disposeBackend, OpError, scalar, type Tensor, tensor, useBackend, Variable } from '@tessella/tensor'
import { reference } from '@tessella/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as o from '../src/index.ts'

beforeAll(() => useBackend(reference()))
afterAll(disposeBackend)

async function rates(schedule: o.Schedule, steps: readonly number[]): Promise<number[]> {
  const at = compile((step: Tensor<[], 'float32'>) => schedule(step))
  const found: number[] = []
  for (const s of steps) found.push(Number((await at(s).item()).toPrecision(5)))
  return found
}

describe('schedules', () => {
  it.each<[string, o.Schedule, number[], number[]]>([
    ['constant', o.constantSchedule(0.3), [0, 1000], [0.3, 0.3]],
    [
      'cosine stays down',
      o.cosineDecay(1, { totalSteps: 10, minimum: 0.1 }),
      [0, 5, 10, 15, 1e6],
      [1, 0.55, 0.1, 0.1, 0.1],
    ],
    ['linear stays', o.linearSchedule(2, { startFactor: 0.5, totalSteps: 4 }), [0, 2, 4, 9], [1, 1.5, 2, 2]],
    ['polynomial stays at 0', o.polynomialDecay(1, { totalSteps: 4, power: 2 }), [0, 2, 4, 9], [1, 0.25, 0, 0]],
    ['gamma 0', o.stepDecay(1, { stepSize: 2, gamma: 0 }), [0, 1, 2, 9], [1, 1, 0, 0]],
    ['restarts without growth', o.cosineWarmRestarts(1, { period: 4 }), [0, 2, 4, 6, 8], [1, 0.5, 1, 0.5, 1]],
    [
      'restarts late, on their own step',
      o.cosineWarmRestarts(1, { period: 10, factor: 2 }),
      [10, 30, 70, 10230],
      [1, 1, 1, 1],
    ],
    ['warmup', o.warmup(4, 1, o.exponentialDecay(1, 0.5)), [0, 1, 3, 4, 5, 6], [0.25, 0.5, 1, 1, 0.5, 0.25]],
    [
      'joined',
      o.joinSchedules([o.constantSchedule(1), o.exponentialDecay(2, 0.5), o.constantSchedule(7)], [2, 4]),
      [0, 1, 2, 3, 4, 5],
      [1, 1, 2, 1, 7, 7],
    ],
    ['one cycle past its end', o.oneCycle({ maximum: 1, totalSteps: 10 }), [9, 50], [4e-6, 4e-6]],
  ])('%s', async (_, schedule, steps, expected) => {
    expect(await rates(schedule, steps)).toEqual(expected)
  })

  it.each<[string, () => unknown, RegExp]>([
    ['a rate below 0', () => o.stepDecay(-1, { stepSize: 1 }), /stepDecay.*the rate/],
    ['no steps', () => o.cosineDecay(1, { totalSteps: 0 }), /totalSteps must be a positive integer, got 0/],
    ['a part of a step', () => o.stepDecay(1, { stepSize: 1.5 }), /stepSize/],
    ['a negative gamma', () => o.exponentialDecay(1, -0.5), /gamma/],
    ['one cycle without a climb', () => o.oneCycle({ maximum: 1, totalSteps: 3 }), /no step to climb/],
    ['one cycle without a fall', () => o.oneCycle({ maximum: 1, totalSteps: 9, pctStart: 1 }), /none to fall/],
    ['a boundary too many', () => o.joinSchedules([o.constantSchedule(1)], [1]), /1 schedules and 1 boundaries/],
    [
      'boundaries out of order',
      () => o.joinSchedules([1, 2, 3].map(o.constantSchedule), [5, 5]),
      /ascending, got \[5, 5\]/,
    ],
    ['plateau: a factor of 1', () => o.reduceOnPlateau(1, { factor: 1 }), /factor must be between 0 and 1/],
    ['plateau: a negative patience', () => o.reduceOnPlateau(1, { patience: -1 }), /patience/],
  ])('%s is refused', (_, run, message) => {
    expect(run).toThrow(OpError)
    expect(run).toThrow(message)
  })

  it('is followed by a compiled step without another recording', async () => {
    const w = new Variable(tensor([0]))
    const opt = o.optimizer(o.sgd(o.exponentialDecay(1, 0.5)), { w })
    const step = compile(() => opt.update(grad(() => w.value.sum(), { w })))
    const seen: unknown[] = []
    for (let i = 0; i < 4; i++) {
      step()
      seen.push(await w.value.item())
    }
    expect(seen).toEqual([-1, -1.5, -1.75, -1.875])
    expect(step.programs().length).toBe(1)
  })
})

describe('reduceOnPlateau', () => {
  it('is followed by a compiled step without another recording', async () => {
    const w = new Variable(tensor([0]))
    const plateau = o.reduceOnPlateau(1, { factor: 0.5, patience: 0 })
    const opt = o.optimizer(o.sgd(plateau.schedule), { w })
    const step = compile(() => opt.update({ w: tensor([1]) }))
    step()
    plateau.update(3)
    step()
    expect(plateau.update(3)).toBe(0.5)
    step()
    expect(await w.value.item()).toBe(-2.5)
    expect(step.programs().length).toBe(1)
  })

  it('waits, cools down, keeps to its minimum, and can watch for more', () => {
    const plateau = o.reduceOnPlateau(1, { factor: 0.1, patience: 1, cooldown: 2, minimum: 0.05, mode: 'max' })
    const metrics = [1, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 2, 2, 2]
    expect(metrics.map((m) => plateau.update(m))).toEqual([1, 1, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05])
    expect(plateau.update(Number.NaN)).toBe(0.05)
  })

  it('shows the rate as a schedule', async () => {
    expect(await o.reduceOnPlateau(0.25).schedule(scalar(9)).item()).toBe(0.25)
  })
})
