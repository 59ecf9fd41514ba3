import { cpu } from '@tessella/backend-cpu'
import { disposeBackend, useBackend } from '@tessella/tensor'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { heatTable } from '../src/pages/heatTable.ts'
import { median, ranges } from '../src/pages/ranges.ts'
import type { Context, Page } from '../src/pages/topic.ts'
import { tables } from '../src/tables.ts'
import { augmentation } from '../src/topics/augmentation.ts'
import { apart, choose } from '../src/topics/chosen.ts'
import { constraints } from '../src/topics/constraints.ts'
import { stepDifference } from '../src/topics/dropoutDecay.ts'
import { imageFolderTopic } from '../src/topics/imageFolderTopic.ts'
import { mixing } from '../src/topics/mixing.ts'
import { pruningTopic } from '../src/topics/pruning.ts'
import { variational } from '../src/topics/variational.ts'
import { bars } from './support/samples.ts'
import { markupProblems } from './support/wellFormed.ts'

const data = { train: bars(700, 1), test: bars(300, 2) }
const context: Context = {
  seed: 1,
  quick: true,
  signal: new AbortController().signal,
  note: () => {},
  mnist: () => Promise.resolve(data),
  fashion: () => Promise.resolve(data),
}
const agreed = (page: Page, said: string): boolean => page.claims.find((c) => c.said.startsWith(said))?.agrees ?? false

beforeAll(async () => {
  await useBackend(cpu())
})
afterAll(() => disposeBackend())

describe('median and ranges', () => {
  it.each([
    [[3, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
    [[7], 7],
    [[], Number.NaN],
  ])('the median of %j is %d', (values, middle) => expect(median(values)).toBe(middle))

  it('draws a dot for every run and the median, whatever is missing', () => {
    const { markup } = ranges('errors', '%', [
      { name: 'a <b>', tone: 't0', values: [1, 2, 4] },
      { name: 'none', tone: 't1', values: [Number.NaN] },
    ])
    expect(markupProblems(`<div>${markup}</div>`)).toEqual([])
    expect(markup.match(/<circle/g)).toHaveLength(6)
    expect(markup).not.toContain('NaN')
    expect(markup).toContain('a &lt;b&gt;')
  })

  it('marks the least of a grid', () => {
    const grid = { label: 'x', rowName: 'r', rows: ['1', '2'], columns: ['3'], values: [[5], [4]], format: String }
    expect(heatTable(grid).markup).toMatch(/class="least"[^>]*>4</)
  })
})

describe('choose', () => {
  it('takes the least median on the validation set, and only that one to the test set', async () => {
    const asked: string[] = []
    const errors: Readonly<Record<string, number>> = { 'a validation': 3, 'b validation': 1, 'c validation': 2 }
    const found = await choose(
      ['a', 'b', 'c'],
      async (setting, seed, on) => {
        asked.push(`${setting} ${seed} ${on}`)
        return (errors[`${setting} ${on}`] ?? 10) + seed
      },
      { choosing: [1, 2, 3], testing: [7, 8] },
    )
    expect(found).toEqual({ setting: 'b', validation: [5, 3, 4], test: [17, 18] })
    expect(asked.filter((a) => a.endsWith('test'))).toEqual(['b 7 test', 'b 8 test'])
  })

  it('does not ask the validation set where there is nothing to choose', async () => {
    const found = await choose([1], async (_, seed) => seed, { choosing: [1], testing: [5] })
    expect(found).toEqual({ setting: 1, validation: [], test: [5] })
    expect(apart([1, 2], [3, 4])).toBe(true)
    expect(apart([1, 3], [3, 4])).toBe(false)
  })
})

describe('what is exact on the pages', { timeout: 60_000 }, () => {
  it.each([1, 2, 3])('R6: a step with dropout and L2 is the slide’s, seed %i', async (seed) => {
    const { off, size } = await stepDifference(0.4, 0.2, 0.5, seed)
    expect(size).toBeGreaterThan(0.01)
    expect(off).toBeLessThan(1e-6)
  })

  it('R7: noise drawn for sums has the mean and the variance of noise on weights', async () => {
    const page = await variational.run(context)
    expect(agreed(page, 'Noise on the input')).toBe(true)
    expect(page.numbers.variance).toBeGreaterThan(0.9)
    expect(page.numbers.variance).toBeLessThan(1.1)
  })

  it('R8: an image is changed alike alone and in a batch, and anew in every epoch', async () => {
    const page = await augmentation.run(context)
    expect(page.numbers.same).toBe(9)
    expect(agreed(page, 'The change of an image depends on')).toBe(true)
  })

  it('R9: weights go round by round, and whole pixels', async () => {
    const page = await pruningTopic.run(context)
    expect(page.numbers.featureErrors).toHaveLength(2)
    expect(page.numbers.ruleLeft).toBeLessThan(784 * 40 + 400)
    expect(page.numbers.obdPlainFewest).toBeLessThanOrEqual(1)
  })

  it('mixed targets stay probabilities', async () => {
    expect(agreed(await mixing.run(context), 'Targets stay probabilities')).toBe(true)
  })

  it('constraints hold after every epoch', async () => {
    const { numbers } = await constraints.run(context)
    const [free, max, unit] = numbers.longest as readonly number[]
    expect(free).toBeGreaterThan(1.1)
    expect(max).toBeLessThan(1 + 1e-5)
    expect(unit).toBeCloseTo(1, 5)
    expect(numbers.negative).toBe(0)
  })

  it('pictures come back from PNG files as they were', async () => {
    const { numbers } = await imageFolderTopic.run(context)
    expect(numbers.differing).toBe(0)
  })
})

describe('the tables', () => {
  it('are whole', async () => {
    const [cars, wine, digits] = [await tables.cars(), await tables.wine(), await tables.digits()]
    expect([cars.length, cars.complete().length]).toEqual([398, 392])
    expect(cars.classes('origin').names).toEqual(['Europe', 'Japan', 'USA'])
    const cultivars = Array.from(wine.classes('cultivar').labels.data)
    expect([0, 1, 2].map((c) => cultivars.filter((x) => x === c).length)).toEqual([59, 71, 48])
    const { labels, names } = digits.classes('digit')
    expect(names.map((_, d) => labels.data.filter((x) => x === d).length)).toEqual([
      178, 182, 177, 183, 181, 182, 181, 179, 174, 180,
    ])
    const pixels = digits.numbers(...digits.names.filter((n) => n !== 'digit'))
    expect([Math.min(...pixels.data), Math.max(...pixels.data)]).toEqual([0, 16])
  })
})
