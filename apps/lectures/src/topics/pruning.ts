import { featureSalience, optimalBrainDamage, perFeature } from '@tessella/regularizers'
import { key, type Tensor, uniform } from '@tessella/tensor'
import { formulas } from '../pages/formula.ts'
import { lineChart, type Point } from '../pages/lineChart.ts'
import { heatTiles, tile, tiles } from '../pages/pixels.ts'
import { plainTable } from '../pages/plainTable.ts'
import { median, ranges } from '../pages/ranges.ts'
import { snippet } from '../pages/snippet.ts'
import type { Context, Page, Topic } from '../pages/topic.ts'
import { html, type Markup } from '../report/html.ts'
import { count, percent } from '../report/numbers.ts'
import { weightPicture } from '../report/pictures.ts'
import { curve, type Pruned, pruned, type Sets, type Stage, type Way, ways, weightCount } from './pruningRuns.ts'

interface Curves {
  readonly way: Way
  readonly retrained: boolean
  /** One list of stages for every seed. */
  readonly runs: readonly (readonly Stage[])[]
}

const floats = async (t: Tensor): Promise<Float32Array> => (await t.data()) as Float32Array
const firstOf = <T>(byName: Readonly<Record<string, T>>): T => Object.values(byName)[0] as T

/** Rounds by the lectures' rule: remove, train on, take back and stop when a criterion worsens. */
async function byTheRule(net: Pruned, sets: Sets, epochs: number, rounds: number) {
  const told: { left: number; train: number; validation: number; undone: boolean }[] = []
  // show: rule
  const criterion = async () => [(await net.measure(sets.train)).errors, (await net.measure(sets.validation)).errors]
  const before = await criterion()
  const worsened = ([train = 0, validation = 0]: readonly number[], now: readonly number[]) =>
    (now[0] as number) > train + 0.01 || (now[1] as number) > validation + 0.01
  for await (const r of optimalBrainDamage({
    pruning: net.kept,
    scores: () => net.salience(),
    count: (left) => Math.round(0.2 * left),
    retrain: () => net.retrain(epochs),
    criterion,
    worsened,
    rounds,
  }))
    told.push({ left: r.remaining, train: r.criterion[0] ?? 0, validation: r.criterion[1] ?? 0, undone: r.undone })
  // end
  return { before, told, after: await criterion() }
}

/** Whole inputs go, those of the least salience first. */
async function features(net: Pruned, sets: Sets, steps: readonly number[], epochs: number) {
  const found: { pixels: number; errors: number; mask: Float32Array }[] = []
  for (const pixels of steps) {
    // show: features
    const all = await net.salience()
    const [first, second] = Object.keys(all) as [string, string]
    const scores = {
      [first]: perFeature(all[first] as Tensor), // S_j = sum over the units of S_hj, for each weight of input j
      [second]: (all[second] as Tensor).mul(0).add(1e30) as Tensor, // stays
    }
    const left = (await net.kept.remaining()) - 400
    await net.kept.removeLeast(scores, left - 40 * pixels)
    await net.retrain(epochs)
    // end
    const mask = await floats(firstOf(net.kept.masks).value.sum(0).div(40) as Tensor)
    found.push({ pixels, errors: (await net.measure(sets.test)).errors, mask })
  }
  return found
}

async function run(context: Context): Promise<Page> {
  const { quick, seed } = context
  const data = await context.mnist()
  const rows = quick ? 200 : 5000
  const held = quick ? 100 : 2000
  const sets: Sets = {
    train: data.train.take(rows),
    validation: data.train.slice(rows, rows + held),
    test: data.test.take(quick ? 200 : 10_000),
  }
  const [epochs, again, rounds] = quick ? [3, 1, 3] : [30, 2, 22]
  const seeds = Array.from({ length: quick ? 1 : 3 }, (_, i) => seed + 10 * i)
  const curves: Curves[] = [true, false].flatMap((retrained) => ways.map((way) => ({ way, retrained, runs: [] })))
  const scratch: number[] = []
  const gradual: number[] = []
  const ticket: number[] = []
  const at = Math.round(0.7 * rounds)
  let first: Pruned | undefined
  let undo = (): void => {}
  for (const s of seeds) {
    const net = pruned(sets, s, context)
    const drawn = net.kept.remember()
    await net.retrain(epochs)
    const trained = net.kept.remember()
    for (const c of curves) {
      trained()
      const stages = await curve(c.way, net, sets, { rounds, share: 0.2, retrain: c.retrained ? again : 0 })
      ;(c.runs as (readonly Stage[])[]).push(stages)
      context.note(
        `seed ${s}, ${c.way}${c.retrained ? ', trained on' : ''}: ${percent(stages.at(-1)?.errors ?? 0)} errors at the end`,
      )
    }
    trained()
    await curve('OBD', net, sets, { rounds: at, share: 0.2, retrain: again })
    gradual.push((await net.measure(sets.test)).errors)
    const masks = Object.entries(net.kept.masks).map(([name, m]) => [name, m.value] as const)
    const left = await net.kept.remaining()
    // Thin from the beginning: weights as drawn, the mask of gradual removal, then one by chance; as many epochs.
    drawn()
    for (const [name, value] of masks) net.kept.masks[name]?.assign(value)
    net.kept.apply()
    await net.retrain(epochs + at * again)
    ticket.push((await net.measure(sets.test)).errors)
    drawn()
    const chance = Object.entries(net.kept.masks).map(([name, m], i) => [name, uniform(key(s + i), m.shape)] as const)
    await net.kept.removeLeast(Object.fromEntries(chance) as Record<string, Tensor>, weightCount - left)
    await net.retrain(epochs + at * again)
    scratch.push((await net.measure(sets.test)).errors)
    trained()
    if (first === undefined) [first, undo] = [net, trained]
  }
  const net = first as Pruned
  const pixels = await floats(featureSalience(firstOf(await net.salience())) as Tensor)
  const rule = await byTheRule(net, sets, again, rounds)
  undo()
  const steps = quick ? [400, 100] : [584, 392, 250, 160, 100, 64, 40, 24]
  const thin = await features(net, sets, steps, 2 * again)
  const weights = await floats(net.net.first.weight.value as Tensor)

  const name = (c: Curves): string => `${c.way === 'OBD' ? 'OBD' : 'by size'}${c.retrained ? ', trained' : ''}`
  const middle = (c: Curves): readonly Point[] =>
    (c.runs[0] as readonly Stage[]).map(
      (stage, i): Point => [(100 * stage.left) / weightCount, 100 * median(c.runs.map((r) => (r[i] as Stage).errors))],
    )
  const of = (way: Way, retrained: boolean): Curves =>
    curves.find((c) => c.way === way && c.retrained === retrained) as Curves
  const full = middle(of('OBD', true))[0]?.[1] as number
  // The fewest weights with errors at most a percent above those of the whole net.
  const fewest = (c: Curves): number => {
    const fine = middle(c).filter(([, e]) => e <= full + 1)
    return (fine.at(-1)?.[0] ?? 100) / 100
  }
  const half = Math.round(rounds / 2)
  const errorsAt = (c: Curves, i: number): number => (middle(c)[i]?.[1] as number) / 100
  const leftAt = (i: number): number => (middle(of('OBD', false))[i]?.[0] as number) / 100
  const tones = ['t0', 't1', 't0', 't1'] as const
  const stop = rule.told.at(-1)
  const wrongAt = (i: number): number | undefined => thin[i]?.errors
  return {
    found: `With training in between, Optimal Brain Damage removes ${percent(1 - fewest(of('OBD', true)))} of the weights at less than one percentage point more errors, removal by size ${percent(1 - fewest(of('magnitude', true)))}. Without training on: ${percent(1 - fewest(of('OBD', false)))} and ${percent(1 - fewest(of('magnitude', false)))}.`,
    picture: lineChart({
      label: 'Test errors over the share of weights that are left, four ways',
      x: {
        name: 'weights left, %',
        log: true,
        domain: [100, (100 * (curves[0]?.runs[0]?.at(-1)?.left ?? 1)) / weightCount],
        ticks: [100, 50, 20, 10, 5, 2, 1],
      },
      y: { name: 'test errors, %', domain: [0, 60] },
      series: curves.map((c, i) => ({
        name: name(c),
        tone: tones[i] as string,
        dashed: !c.retrained,
        dots: true,
        points: middle(c),
      })),
    }),
    caption: `Test errors over the weights that are left, in rounds that remove a fifth of them each: medians of ${seeds.length} seeds. 784-40-10 with tanh, softmax cross entropy, ${count(rows)} images of MNIST; ${again} epochs after each round where it is trained on (dashed: not). Values above the axis are drawn on its edge.`,
    claims: [
      {
        said: 'Salience, w² ∂²Q/∂w², tells what can go: better than the size of a weight.',
        row: 'R9',
        measured: `without training on, ${percent(leftAt(half))} of the weights left: ${percent(errorsAt(of('OBD', false), half))} errors, by size ${percent(errorsAt(of('magnitude', false), half))}`,
        agrees: errorsAt(of('OBD', false), half) < errorsAt(of('magnitude', false), half),
        remark: `Training on makes up for much of it: ${percent(errorsAt(of('OBD', true), half))} and ${percent(errorsAt(of('magnitude', true), half))} there.`,
      },
      {
        said: 'Remove, run backpropagation again.',
        row: 'R9',
        measured: `${percent(leftAt(half))} left: ${percent(errorsAt(of('OBD', true), half))} errors with training on, ${percent(errorsAt(of('OBD', false), half))} without`,
        agrees: errorsAt(of('OBD', true), half) < errorsAt(of('OBD', false), half),
      },
      {
        said: 'If the criterion got much worse, take back the last removal and stop.',
        row: 'R9',
        measured: `${rule.told.length} rounds; validation errors ${percent(rule.before[1] as number)} before, ${percent(stop?.validation ?? 0)} in the last round, ${percent(rule.after[1] as number)} after ${stop?.undone ? 'taking it back' : 'the end'}, ${percent((stop?.left ?? 0) / weightCount)} of the weights left`,
        agrees: (stop?.undone ?? false) && (rule.after[1] as number) <= (rule.before[1] as number) + 0.01,
      },
      {
        said: 'Gradual thinning is usually better than training a net that was thin from the start.',
        row: 'R9',
        measured: `${percent(leftAt(at))} left: ${percent(median(gradual))} errors gradually, ${percent(median(scratch))} with as many weights chosen by chance from the start, with as many epochs`,
        agrees: median(gradual) < median(scratch),
        remark: `With the mask that gradual thinning found, but the weights as they were drawn: ${percent(median(ticket))}. So it is the mask that is worth having (the “lottery ticket” of Frankle and Carbin, 2019).`,
      },
      {
        said: 'Features are selected by S_j, the sum of the saliences of what leaves input j.',
        row: 'R9',
        measured: thin.map((t) => `${t.pixels} pixels ${percent(t.errors)}`).join(', '),
        agrees: (wrongAt(1) as number) < full / 100 + 0.02,
      },
    ],
    numbers: {
      full: full / 100,
      obdFewest: fewest(of('OBD', true)),
      magnitudeFewest: fewest(of('magnitude', true)),
      obdPlainFewest: fewest(of('OBD', false)),
      magnitudePlainFewest: fewest(of('magnitude', false)),
      gradual,
      scratch,
      ticket,
      ruleLeft: stop?.left ?? 0,
      featureErrors: thin.map((t) => t.errors),
    },
    sections: [
      {
        title: 'Formulas',
        lede: 'At a minimum the gradient is 0, so the second derivatives tell what removing a weight costs.',
        body: formulas(
          [
            String.raw`Q(w + \delta) = Q(w) + \tfrac{1}{2}\, \delta^{\mathsf T} Q''(w)\, \delta + o(\|\delta\|^2)`,
            'around a minimum',
          ],
          [
            String.raw`S_{jh} = w_{jh}^2\, \frac{\partial^2 Q(w)}{\partial w_{jh}^2}`,
            'salience; Q′′ taken as diagonal',
          ],
          [String.raw`S_j = \sum_{h=1}^{H} S_{jh}`, 'what input j is worth'],
        ),
      },
      {
        title: 'Features: pixels',
        lede: 'What each pixel is worth to the trained net, and which pixels are left when whole inputs go and the net trains on.',
        body: tiles([
          heatTiles('S of each pixel', pixels.map(Math.sqrt)),
          ...thin.map((t) =>
            tile(
              html`${t.pixels} pixels<br>${percent(t.errors)} errors`,
              weightPicture(Array.from(t.mask), 28, 28, 1),
              `The ${t.pixels} pixels that are left`,
            ),
          ),
          heatTiles(
            `size of the weights at the end`,
            Float64Array.from({ length: 784 }, (_, j) =>
              Math.sqrt(
                Array.from({ length: 40 }, (_, h) => (weights[784 * h + j] as number) ** 2).reduce((a, b) => a + b),
              ),
            ),
          ),
        ]),
      },
      {
        title: 'The rule with its undo',
        lede: 'Errors by round. A round in which training or validation errors are more than one percent above those at the start is taken back, and is the last.',
        body: plainTable(
          'Rounds of the rule',
          ['round', 'weights left', 'training errors', 'validation errors', ''],
          rule.told.map((r, i): (string | Markup)[] => [
            String(i + 1),
            count(r.left),
            percent(r.train),
            percent(r.validation),
            r.undone ? 'taken back' : '',
          ]),
        ),
      },
      {
        title: 'Every seed',
        lede: `Test errors with ${percent(leftAt(at))} of the weights left.`,
        body: html`<figure class="card">${ranges('Test errors of every seed with few weights left', 'test errors, %', [
          ...curves
            .filter((c) => c.retrained)
            .map((c, i) => ({
              name: name(c),
              tone: tones[i] as string,
              values: c.runs.map((r) => 100 * (r[at] as Stage).errors),
            })),
          { name: 'thin from the start', tone: 't2', values: scratch.map((e) => 100 * e) },
          { name: 'OBD’s mask from the start', tone: 't3', values: ticket.map((e) => 100 * e) },
        ])}</figure>`,
      },
      {
        title: 'Code',
        lede: 'Second derivatives and saliences; the rule; whole inputs.',
        body: html`${snippet(new URL('./pruningRuns.ts', import.meta.url).href, 'salience')}${snippet(import.meta.url, 'rule')}${snippet(import.meta.url, 'features')}`,
      },
    ],
  }
}

/** R9: Optimal Brain Damage beside removal by size, its undo rule, and the features it selects. */
export const pruningTopic: Topic = {
  name: 'pruning',
  title: 'Optimal Brain Damage',
  about: 'Errors over removed weights by salience and by size, the undo rule, and the pixels that matter.',
  rows: ['R9'],
  run,
}
