import { cpu } from '@tessella/backend-cpu'
import { disposeBackend, useBackend } from '@tessella/tensor'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { renderIndex } from '../src/pages/indexPage.ts'
import type { Context, Page, Topic } from '../src/pages/topic.ts'
import { renderTopic } from '../src/pages/topicPage.ts'
import { compared } from '../src/topics/backprop.ts'
import { examples } from '../src/topics/convolution.ts'
import { collapse } from '../src/topics/graph.ts'
import { topics } from '../src/topics/index.ts'
import { learn } from '../src/topics/perceptron.ts'
import { measured } from '../src/topics/receptive.ts'
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

beforeAll(async () => {
  await useBackend(cpu())
})
afterAll(() => disposeBackend())

const pages = new Map<Topic, Promise<Page>>()
const pageOf = (topic: Topic): Promise<Page> => {
  const page = pages.get(topic) ?? topic.run(context)
  pages.set(topic, page)
  return page
}
const named = (name: string): Topic => topics.find((t) => t.name === name) as Topic

describe('every topic', { timeout: 30_000 }, () => {
  it.each(topics.map((t) => [t.name, t] as const))(
    '%s runs on few data and gives a well-formed page',
    async (_, topic) => {
      const page = await pageOf(topic)
      const text = renderTopic(topic, page, [['command', `lecture ${topic.name} <&>`]], 'quick')
      expect(markupProblems(text.replace('<!doctype html>\n', '').trim())).toEqual([])
      // Pictures are letters at random.
      expect(text.replaceAll(/base64,[^"]*/g, '')).not.toMatch(/NaN|undefined|Infinity/)
      expect(page.claims.length).toBeGreaterThan(0)
      expect(page.picture.markup).toMatch(/<svg|<table|<img/)
      expect(Object.values(page.numbers).flat().every(Number.isFinite)).toBe(true)
    },
  )

  it('has a name of its own and a row of the list', () => {
    expect(new Set(topics.map((t) => t.name)).size).toBe(topics.length)
    expect(topics.every((t) => /^[a-z]+$/.test(t.name) && t.rows.length > 0 && t.name !== 'all')).toBe(true)
  })

  // What is exact, or falls by far more than chance, must come out in a quick run too.
  it.each([
    'activations',
    'filters',
    'receptive',
    'perceptron',
    'graph',
    'universal',
    'polynomial',
    'softmax',
    'standardisation',
  ])('all that the lectures say of %s is measured', async (name) => {
    const { claims } = await pageOf(named(name))
    expect(claims.filter((c) => !c.agrees)).toEqual([])
  })

  it('stands in the index, run or not', async () => {
    const [first, second, ...rest] = topics as [Topic, Topic, ...Topic[]]
    const text = renderIndex(
      [
        { topic: first, page: await pageOf(first) },
        { topic: second, failed: 'no <data>' },
        ...rest.map((topic, i) => ({ topic, ...(i === 0 && { missing: 'get <them>' }) })),
      ],
      true,
      'a <quick> run',
    )
    expect(text).toContain('a &lt;quick&gt; run')
    expect(markupProblems(text.replace('<!doctype html>\n', '').trim())).toEqual([])
    expect(text).toContain('Failed: no &lt;data&gt;')
    expect(text).toContain('<p>get &lt;them&gt;</p>')
    expect(text).toContain(`href="${first.name}.html"`)
    expect(text).not.toContain(`href="${second.name}.html"`)
  })
})

describe('convolution', () => {
  it('gives the numbers of the slides exactly', async () => {
    for (const { title, expected, result } of await examples()) expect(result, title).toEqual(expected)
  })
})

describe('perceptron', () => {
  it.each(['AND', 'OR'] as const)('learns %s', async (gate) => {
    const { solved, epochs } = await learn(gate)
    expect(solved).toBe(true)
    expect(epochs.at(-1)?.mistakes).toBe(0)
  })

  it('goes round in a circle on XOR, with mistakes in every epoch', async () => {
    const { solved, cycle, epochs } = await learn('XOR')
    expect(solved).toBe(false)
    expect(epochs[(cycle?.to ?? 0) - 1]?.weights).toEqual(epochs[(cycle?.from ?? 0) - 1]?.weights)
    expect(epochs.every((e) => e.mistakes > 0)).toBe(true)
  })
})

describe('backpropagation by hand', () => {
  it.each([
    ['mse', 1],
    ['mse', 7],
    ['cross entropy', 1],
    ['cross entropy', 7],
  ] as const)('equals autograd for %s, seed %i', async (cost, seed) => {
    const all = await compared(cost, seed)
    expect(all).toHaveLength(6)
    for (const { name, difference, size } of all) {
      expect(size, name).toBeGreaterThan(1e-4)
      expect(difference, name).toBeLessThan(1e-5)
    }
  })
})

describe('other exact results', () => {
  it('the receptive field is where the gradient is not 0', async () => {
    const all = await measured()
    expect(all.map((m) => m.seen)).toEqual(all.map((m) => m.told))
    expect(all.map((m) => m.seen)).toEqual([3, 5, 9, 7, 15, 16])
  })

  it('linear layers collapse, with tanh between they do not', async () => {
    const { linear, tanh } = await collapse(3)
    expect(linear).toBeLessThan(1e-5)
    expect(tanh).toBeGreaterThan(0.01)
  })

  it('the error of two layers falls with width', async () => {
    const rms = (await pageOf(named('universal'))).numbers.rms as readonly number[]
    expect(rms).toEqual([...rms].sort((a, b) => b - a))
    expect(rms.at(-1)).toBeLessThan((rms[0] as number) / 2)
  })

  it('SELU keeps mean 0 and variance 1, the bound 1/sqrt(h) loses a third of the variance per layer', async () => {
    const { seluMean, seluVariance, uniformPerLayer } = (await pageOf(named('initialisation'))).numbers
    expect(Math.abs(seluMean as number)).toBeLessThan(0.3)
    expect(seluVariance).toBeGreaterThan(0.6)
    expect(seluVariance).toBeLessThan(1.5)
    expect(uniformPerLayer).toBeLessThan(0.65)
  })

  it('both forms of dropout agree with inference as far as chance allows', async () => {
    const { classic, inverted, chance } = (await pageOf(named('dropout'))).numbers
    expect(classic).toBeLessThan(1.5 * (chance as number))
    expect(inverted).toBeLessThan(1.5 * (chance as number))
  })

  it('gamma = sigma and beta = mean undo batch normalisation', async () => {
    expect((await pageOf(named('batchnorm'))).numbers.undone).toBeLessThan(1e-5)
  })

  it('the natural gradient does not mind in which units inputs are measured, the gradient does', async () => {
    const { naturalShift, plainShift } = (await pageOf(named('natural'))).numbers
    expect(naturalShift).toBeLessThan(1e-3)
    expect(plainShift).toBeGreaterThan(0.01)
  })

  it('no clipped step is longer than the limit times the rate', async () => {
    const { held, thrown, clippedNorm } = (await pageOf(named('clipping'))).numbers
    expect(held).toBeLessThan(0.5 * 0.1 * 1.001)
    expect(thrown).toBeGreaterThan(0)
    expect(clippedNorm).toBeCloseTo(1, 5)
  })

  it('deltas and extreme scores of the losses are exact, and outliers draw the line of squares away', async () => {
    const { claims, numbers } = await pageOf(named('losses'))
    expect([claims[0]?.agrees, claims[3]?.agrees]).toEqual([true, true])
    expect(numbers.offHuber).toBeLessThan((numbers.offMse as number) / 2)
  })

  it('groups and gathered gradients are exact, and L-BFGS needs a fraction of the evaluations', async () => {
    const { numbers, claims } = await pageOf(named('relatives'))
    expect([numbers.grouped, numbers.held]).toEqual([0, 0])
    expect(numbers.gathered).toBeLessThan(1e-5)
    expect(numbers.ungathered).toBeGreaterThan(1e-3)
    expect(numbers.signs).toBeLessThan(1e-3)
    expect(claims[0]?.agrees).toBe(true)
  })

  it('a start by data gives every layer variance 1', async () => {
    expect((await pageOf(named('starts'))).numbers.lsuvOff).toBeLessThan(1e-3)
  })

  it('weight normalisation has the length asked for; group normalisation ends in instance and layer', async () => {
    const { norm, cosine, instance, whole } = (await pageOf(named('norms'))).numbers
    for (const far of [norm, cosine, instance, whole]) expect(far).toBeLessThan(1e-4)
  })

  it('a causal mask leaves nothing of what comes later', async () => {
    expect((await pageOf(named('attention'))).numbers.later).toBe(0)
  })
})
