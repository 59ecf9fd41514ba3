import { describe, expect, it } from 'vitest'
import {
  bestTrial,
  choice,
  gridSearch,
  integerIn,
  logUniformIn,
  randomSearch,
  successiveHalving,
  TrainingError,
  type Trial,
  uniformIn,
} from '../src/index.ts'

async function all<C>(trials: AsyncIterable<Trial<C>>, most = Number.POSITIVE_INFINITY): Promise<Trial<C>[]> {
  const found: Trial<C>[] = []
  for await (const trial of trials) {
    found.push(trial)
    if (found.length >= most) break
  }
  return found
}
const saved = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T

describe('gridSearch', () => {
  const space = { rate: choice([0.1, 1]), size: choice([8, 16, 32]) }

  it('tries every combination once, the last name fastest', async () => {
    const trials = await all(gridSearch({ space, evaluate: ({ rate, size }) => Math.abs(rate * size - 15) }))
    expect(trials.map(({ configuration: c }) => [c.rate, c.size])).toEqual([
      [0.1, 8],
      [0.1, 16],
      [0.1, 32],
      [1, 8],
      [1, 16],
      [1, 32],
    ])
    expect(bestTrial(trials)).toEqual({ trial: 4, configuration: { rate: 1, size: 16 }, budget: 1, score: 1 })
    expect(bestTrial(trials, 'max').configuration).toEqual({ rate: 1, size: 32 })
  })

  it('goes on from a history that went through JSON, and evaluates nothing twice', async () => {
    const seen: number[] = []
    const evaluate = ({ size }: { size: number }, { trial }: { trial: number }) => {
      seen.push(trial)
      return trial === 1 ? Number.NaN : size
    }
    const first = saved(await all(gridSearch({ space, evaluate }), 3))
    expect(first.map((t) => t.score)).toEqual([8, null, 32])
    const rest = await all(gridSearch({ space, evaluate, history: first }))
    expect(seen).toEqual([0, 1, 2, 3, 4, 5])
    expect(rest.map((t) => t.trial)).toEqual([3, 4, 5])
    expect(bestTrial([...first, ...rest]).trial).toBe(0)
  })

  it('needs lists, and the history of the same space', async () => {
    await expect(all(gridSearch({ space: { rate: uniformIn(0, 1) }, evaluate: () => 0 }))).rejects.toThrow(
      "'rate' has no list",
    )
    const history = await all(gridSearch({ space: { size: choice<number>([4]) }, evaluate: () => 0 }))
    await expect(all(gridSearch({ space: { size: choice<number>([5]) }, evaluate: () => 0, history }))).rejects.toThrow(
      'another configuration',
    )
  })

  it('hands on errors of the evaluation', async () => {
    const evaluate = () => Promise.reject(new RangeError('out of memory'))
    await expect(all(gridSearch({ space, evaluate }))).rejects.toThrow(RangeError)
  })
})

describe('randomSearch', () => {
  const space = {
    rate: logUniformIn(1e-4, 1),
    momentum: uniformIn(0.5, 0.9),
    units: integerIn(3, 6),
    bias: choice([true, false]),
  }
  const evaluate = ({ rate }: { rate: number }) => Math.abs(Math.log10(rate) + 2)

  it('draws from the ranges, the same from the same seed, and more trials add to the first', async () => {
    const many = await all(randomSearch({ space, trials: 200, seed: 3, evaluate }))
    const few = await all(randomSearch({ space, trials: 20, seed: 3, evaluate }))
    expect(many.slice(0, 20)).toEqual(few)
    const values = many.map((t) => t.configuration)
    expect(values.every((v) => v.rate >= 1e-4 && v.rate < 1 && v.momentum >= 0.5 && v.momentum < 0.9)).toBe(true)
    expect(new Set(values.map((v) => v.units))).toEqual(new Set([3, 4, 5, 6]))
    // Evenly by the logarithm: half of the rates are below 0.01.
    const below = values.filter((v) => v.rate < 0.01).length
    expect(below).toBeGreaterThan(75)
    expect(below).toBeLessThan(125)
    expect(Math.log10(bestTrial(many).configuration.rate)).toBeCloseTo(-2, 1)
    expect(await all(randomSearch({ space, trials: 1, seed: 4, evaluate }))).not.toEqual(many.slice(0, 1))
  })
})

describe('successiveHalving', () => {
  const space = { quality: uniformIn(0, 1) }
  const options = (seen: [number, number][] = []) => ({
    space,
    trials: 9,
    seed: 1,
    evaluate: ({ quality }: { quality: number }, { trial, budget }: { trial: number; budget: number }) => {
      seen.push([trial, budget])
      return quality + 0.1 / budget
    },
  })

  it('gives the best third three times as much, until one is left', async () => {
    const trials = await all(successiveHalving(options()))
    expect(trials.map((t) => t.budget)).toEqual([...new Array<number>(9).fill(1), 3, 3, 3, 9])
    const order = trials.slice(0, 9).toSorted((a, b) => (a.score as number) - (b.score as number))
    expect(trials.slice(9, 12).map((t) => t.trial)).toEqual(order.slice(0, 3).map((t) => t.trial))
    expect(bestTrial(trials).trial).toBe(order[0]?.trial)
    expect(bestTrial(trials).budget).toBe(9)
  })

  it.each([[3], [9], [11], [12]])('goes on after %d trials as if never stopped', async (stopped) => {
    const whole = await all(successiveHalving(options()))
    const seen: [number, number][] = []
    const history = saved(await all(successiveHalving(options()), stopped))
    const rest = await all(successiveHalving({ ...options(seen), history }))
    expect([...history, ...rest]).toEqual(whole)
    expect(seen).toEqual(whole.slice(stopped).map((t) => [t.trial, t.budget]))
  })

  it('what failed does not go on', async () => {
    const trials = await all(
      successiveHalving({
        ...options(),
        mode: 'max',
        evaluate: (_, { trial }) => (trial % 2 === 0 ? Number.NaN : trial),
      }),
    )
    expect(trials.slice(9).map((t) => t.trial)).toEqual([7, 5, 3, 7])
  })
})

it('bad options are told', async () => {
  expect(() => choice([])).toThrow(TrainingError)
  expect(() => uniformIn(2, 1)).toThrow('low < high')
  expect(() => logUniformIn(0, 1)).toThrow('0 < low < high')
  expect(() => integerIn(0.5, 2)).toThrow('whole numbers')
  expect(() => bestTrial([])).toThrow('no trials')
  await expect(all(randomSearch({ space: {}, trials: 0, evaluate: () => 0 }))).rejects.toThrow('trials')
  await expect(all(successiveHalving({ space: {}, trials: 2, factor: 1, evaluate: () => 0 }))).rejects.toThrow('factor')
})
