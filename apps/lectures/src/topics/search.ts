import { split } from '@tessella/datasets'
import { flatten, heNormal, initialize, input, linear, relu, sequential, zeros } from '@tessella/layers'
import { sgd } from '@tessella/optimizers'
import {
  bestTrial,
  choice,
  formatNumber,
  gridSearch,
  logUniformIn,
  randomSearch,
  successiveHalving,
  type Trial,
} from '@tessella/training'
import { formulas } from '../pages/formula.ts'
import { lineChart, type Point } from '../pages/lineChart.ts'
import { plainTable } from '../pages/plainTable.ts'
import { legend, plane, planes } from '../pages/plane.ts'
import { snippet } from '../pages/snippet.ts'
import { toneOf } from '../pages/tones.ts'
import type { Context, Page, Topic } from '../pages/topic.ts'
import { html } from '../report/html.ts'
import { percent } from '../report/numbers.ts'
import { train } from './course.ts'

/** What is looked for: the rate, the size of a batch, and the number of hidden units. */
interface Setting {
  readonly rate: number
  readonly size: number
  readonly units: number
}
type Tried = Trial<Setting>

const network = (units: number) =>
  sequential(input(1, 28, 28), flatten(), linear(784, units), relu(), linear(units, 10))

/** A search by its trials; `epochs` counts all that were trained. */
interface Search {
  readonly name: string
  readonly trials: readonly Tried[]
  readonly best: Tried
  readonly epochs: number
}

async function run(context: Context): Promise<Page> {
  const { quick, seed } = context
  const data = await context.mnist()
  const rows = quick ? 300 : 3000
  const parts = split(data.train.take(rows), { validation: 1 / 3, seed, stratify: 'labels' })
  const testSet = data.test.take(quick ? 200 : 2000)
  let [onTest, onValidation] = [0, 0]
  const errors = async ({ rate, size, units }: Setting, epochs: number, test = parts.validation): Promise<number> => {
    const model = network(Math.round(units))
    initialize(model, { weight: heNormal(), bias: zeros, seed })
    const course = { model, transform: sgd(rate), train: parts.train, test, epochs, size: Math.round(size) }
    const found = await train({ ...course, scores: (images) => model(images) }, context)
    if (test === testSet) onTest++
    else onValidation++
    const last = found.at(-1)?.testErrors ?? Number.NaN
    return Number.isFinite(found.at(-1)?.loss) ? last : 1
  }
  const evaluate = (setting: Setting, { budget }: { readonly budget: number }) => errors(setting, budget)
  const budget = quick ? 1 : 4
  // show: searches
  const grid = gridSearch({
    space: { rate: choice([0.001, 0.03, 1]), size: choice([10, 50, 250]), units: choice([8, 32, 128]) },
    budget,
    evaluate,
  })
  const space = { rate: logUniformIn(1e-3, 3), size: logUniformIn(10, 250), units: logUniformIn(8, 128) }
  const random = randomSearch({ space, trials: 27, seed, budget, evaluate })
  const halving = successiveHalving({ space, trials: 27, seed: seed + 1, budget: 1, factor: 3, evaluate })
  // end
  const searches: Search[] = []
  for (const [name, search] of [
    ['grid', grid],
    ['random', random],
    ['halving', halving],
  ] as const) {
    const trials: Tried[] = []
    for await (const trial of search) {
      trials.push(trial as Tried)
      if (quick && name === 'grid' && trials.length === 9) break
    }
    const best = bestTrial(trials)
    searches.push({ name, trials, best, epochs: trials.reduce((sum, t) => sum + t.budget, 0) })
    context.note(`${name}: ${percent(best.score ?? 1)} validation errors`)
  }
  const [ofGrid, ofRandom, ofHalving] = searches as [Search, Search, Search]
  const winner = searches.reduce((a, b) => ((b.best.score ?? 1) < (a.best.score ?? 1) ? b : a))
  // Once, at the very end.
  const test = await errors(winner.best.configuration, winner.best.budget, testSet)
  const all = searches.flatMap((s) => s.trials)
  const distinct = (s: Search): number => new Set(s.trials.map((t) => t.configuration.rate)).size
  const least = Math.max(winner.best.score ?? 1, 0.001)
  // By the logarithm, from the best to guessing.
  const bucket = (score: number | null): number => {
    const share = Math.log(Math.max(score ?? 1, least) / least) / Math.log(0.9 / least)
    return Math.min(7, Math.floor(8 * (Number.isFinite(share) ? Math.max(0, share) : 1)))
  }
  const spread = (pick: (c: Setting) => number): number => {
    // How far mean scores lie apart between the thirds of the random trials by one hyper-parameter.
    const sorted = ofRandom.trials.toSorted((a, b) => pick(a.configuration) - pick(b.configuration))
    const third = Math.ceil(sorted.length / 3)
    const means = [0, 1, 2].map((k) => {
      const part = sorted.slice(k * third, (k + 1) * third)
      return part.reduce((sum, t) => sum + (t.score ?? 1), 0) / part.length
    })
    return Math.max(...means) - Math.min(...means)
  }
  const spreads = { rate: spread((c) => c.rate), size: spread((c) => c.size), units: spread((c) => c.units) }
  const best = (s: Search): number => s.best.score ?? 1
  const shownAs = (c: Setting): string =>
    `rate ${formatNumber(c.rate, 2)}, batches of ${Math.round(c.size)}, ${Math.round(c.units)} units`
  const drawn = (s: Search) =>
    plane({
      label: `Settings that the search '${s.name}' tried`,
      title: `${s.name}: ${s.trials.length} trials, ${s.epochs} epochs`,
      x: [-3.2, 0.6],
      y: [0.9, 2.5],
      xName: 'log10 of the rate',
      yName: 'log10 of the batch size',
      points: s.trials.map((t) => ({
        at: [Math.log10(t.configuration.rate), Math.log10(t.configuration.size)] as Point,
        tone: `s${bucket(t.score)}`,
        large: t === s.best,
        text: `${percent(t.score ?? 1)} after ${t.budget} epochs: ${shownAs(t.configuration)}`,
      })),
    })
  return {
    found: `Best on the validation set: grid ${percent(best(ofGrid))}, random ${percent(best(ofRandom))}, successive halving ${percent(best(ofHalving))} errors, with ${ofGrid.epochs}, ${ofRandom.epochs} and ${ofHalving.epochs} epochs of training. The test set, touched once: ${percent(test)}.`,
    picture: html`${scale}${planes(searches.map(drawn))}${legend([
      { name: 'fewest errors', tone: 's0' },
      { name: 'some', tone: 's3' },
      { name: 'as many as by guessing', tone: 's7' },
    ])}`,
    caption: `Every point is a setting; the large one is the best. A network with one hidden layer on ${parts.train.length} images of MNIST, errors on ${parts.validation.length} others. The number of hidden units is the third axis, not drawn.`,
    claims: [
      {
        said: 'Hyper-parameters are chosen on the validation set: the rate, the size of batches, the architecture.',
        row: 'T11',
        measured: `best: ${shownAs(winner.best.configuration)}; ${percent(best(winner))} validation errors, ${percent(test)} on the test set`,
        agrees: Math.abs(test - best(winner)) < 0.05,
        remark: 'The validation score of a winner is a little too good: it was chosen for it.',
      },
      {
        said: 'The test set is touched at the very end only.',
        row: 'T10',
        measured: `${onTest} of ${onTest + onValidation} trainings was measured on it`,
        agrees: onTest === 1 && onValidation >= all.length,
      },
      {
        said: 'Random search finds good settings sooner than a grid where few hyper-parameters matter.',
        row: 'T11',
        measured: `${distinct(ofRandom)} different rates instead of ${distinct(ofGrid)}; best ${percent(best(ofRandom))} and ${percent(best(ofGrid))}`,
        agrees: best(ofRandom) <= best(ofGrid) + 0.005,
        remark: `Thirds of the random trials differ by ${percent(spreads.rate)} along the rate, ${percent(spreads.size)} along the batch size and ${percent(spreads.units)} along the units. One seed: differences below ${percent(2 * Math.sqrt((best(winner) * (1 - best(winner))) / parts.validation.length))} may be chance.`,
      },
      {
        said: 'Successive halving spends its time on the best.',
        row: 'T11',
        measured: `${percent(best(ofHalving))} errors for ${ofHalving.epochs} epochs, the winner with ${ofHalving.best.budget} of them; random search ${percent(best(ofRandom))} for ${ofRandom.epochs}`,
        agrees: best(ofHalving) <= best(ofRandom) + 0.01,
      },
    ],
    numbers: {
      grid: best(ofGrid),
      random: best(ofRandom),
      halving: best(ofHalving),
      test,
      epochs: searches.map((s) => s.epochs),
      spreads: [spreads.rate, spreads.size, spreads.units],
    },
    sections: [
      {
        title: 'Formulas',
        lede: 'What is chosen where.',
        body: formulas(
          [
            String.raw`w(h) = \operatorname*{argmin}_w Q_{\text{train}}(w; h), \qquad h^* = \operatorname*{argmin}_h Q_{\text{val}}(w(h))`,
            'weights on the training set, hyper-parameters h on the validation set',
          ],
          [String.raw`\ln h \sim U(\ln a, \ln b)`, 'rates and sizes are drawn by their logarithm'],
        ),
      },
      {
        title: 'The best so far',
        lede: 'Least validation errors by epochs of training spent.',
        body: html`<figure class="card">${lineChart({
          label: 'Best validation errors by epochs spent',
          x: { name: 'epochs spent' },
          y: { name: 'validation errors, %', log: true },
          series: searches.map((s, i) => ({ name: s.name, tone: toneOf(i), points: soFar(s) })),
        })}</figure>`,
      },
      {
        title: 'The best of each',
        lede: 'With the budget that the search gave it.',
        body: plainTable(
          'The best trial of each search',
          ['search', 'rate', 'batch size', 'units', 'epochs', 'validation errors'],
          searches.map(({ name, best: { configuration: c, budget: epochs, score } }) => [
            name,
            formatNumber(c.rate, 2),
            String(Math.round(c.size)),
            String(Math.round(c.units)),
            String(epochs),
            percent(score ?? 1),
          ]),
        ),
      },
      {
        title: 'Code',
        lede: 'A trial is plain data: a search that was stopped goes on from its history.',
        body: snippet(import.meta.url, 'searches'),
      },
    ],
  }
}

/** The least errors by what was spent, in percent, as steps. */
function soFar(search: Search): readonly Point[] {
  const found: Point[] = []
  let [spent, least] = [0, Number.POSITIVE_INFINITY]
  for (const t of search.trials) {
    spent += t.budget
    if (found.length > 0) found.push([spent, 100 * least])
    least = Math.min(least, t.score ?? 1)
    found.push([spent, 100 * least])
  }
  return found
}

/** Tones from few errors to many. */
const scale = html`<style>${[0, 1, 2, 3, 4, 5, 6, 7]
  .map((i) => `.s${i} { --tone: color-mix(in oklab, var(--t1) ${Math.round((100 * (7 - i)) / 7)}%, var(--t0)); }`)
  .join(' ')}</style>`

/** T11: grid, random and successive-halving search over rate, batch size and width. */
export const search: Topic = {
  name: 'search',
  title: 'Searching for hyper-parameters',
  about: 'Grid, random search and successive halving over rate, batch size and width, on a validation set.',
  rows: ['T11', 'T10'],
  run,
}
