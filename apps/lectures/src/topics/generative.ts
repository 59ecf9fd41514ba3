import { grad } from '@tessella/autograd'
import { leakyRelu, linear, relu, sequential } from '@tessella/layers'
import { binaryCrossEntropyWithLogits } from '@tessella/losses'
import { adam, optimizer } from '@tessella/optimizers'
import {
  compile,
  foldIn,
  Generator,
  key,
  normal,
  onesLike,
  type Tensor,
  tensor,
  uniform,
  zerosLike,
} from '@tessella/tensor'
import { formatNumber } from '@tessella/training'
import { gridPoints, signPicture } from '../pages/field.ts'
import { formulas } from '../pages/formula.ts'
import { lineChart, type Point } from '../pages/lineChart.ts'
import { legend, plane, planes } from '../pages/plane.ts'
import { snippet } from '../pages/snippet.ts'
import type { Context, Page, Topic } from '../pages/topic.ts'
import { html } from '../report/html.ts'
import { percent } from '../report/numbers.ts'
import { pause } from '../runTopic.ts'

const modes = 8
const deviation = 0.1
const rows = 128
const centres = Array.from({ length: modes }, (_, k) => [
  2 * Math.cos((2 * Math.PI * k) / modes),
  2 * Math.sin((2 * Math.PI * k) / modes),
]) as readonly (readonly [number, number])[]

/** Points of eight clouds on a ring. */
function real(k: Tensor<[2], 'uint32'>, n: number): Tensor {
  const which = (uniform(foldIn(k, 0), [n]) as Tensor)
    .mul(modes)
    .floor()
    .mul((2 * Math.PI) / modes) as Tensor
  const ring = which
    .cos()
    .unsqueeze(1)
    .mul(tensor([2, 0]))
    .add(
      which
        .sin()
        .unsqueeze(1)
        .mul(tensor([0, 2])) as Tensor,
    )
  return ring.add(normal(foldIn(k, 1), [n, 2], { std: deviation }) as Tensor) as Tensor
}

interface Snapshot {
  readonly step: number
  readonly points: readonly Point[]
  /** What the critic says over the plane: above 0 for real. */
  readonly field: ArrayLike<number>
  readonly covered: number
  /** Share of the points within four deviations of a centre. */
  readonly good: number
}

const view = { x: [-3.2, 3.2] as const, y: [-3.2, 3.2] as const }
const size = 90

async function run(context: Context): Promise<Page> {
  const { quick, seed } = context
  const steps = quick ? 30 : 6000
  // show: networks
  const maker = sequential(linear(8, 96, { seed }), relu(), linear(96, 96, { seed: seed + 1 }), relu(), linear(96, 2))
  const critic = sequential(
    linear(2, 96, { seed: seed + 2 }),
    leakyRelu(0.2),
    linear(96, 96, { seed: seed + 3 }),
    leakyRelu(0.2),
    linear(96, 1, { seed: seed + 4 }),
  )
  // end
  const generator = new Generator(seed)
  const make = (n: number): Tensor => maker(normal(generator.next(), [n, 8]) as never) as Tensor
  // show: game
  const judge = (x: Tensor): Tensor => critic(x as never) as Tensor
  const [makerOpt, criticOpt] = [
    optimizer(adam(1e-3, { beta1: 0.5 }), maker),
    optimizer(adam(1e-3, { beta1: 0.5 }), critic),
  ]
  const round = compile(() => {
    const [given, made] = [real(generator.next(), rows), make(rows)]
    const doubt = () => {
      const [a, b] = [judge(given), judge(made)]
      return binaryCrossEntropyWithLogits(a, onesLike(a)).add(binaryCrossEntropyWithLogits(b, zerosLike(b)))
    }
    criticOpt.update(grad(doubt, critic) as never)
    const fool = () => {
      const score = judge(make(rows))
      return binaryCrossEntropyWithLogits(score, onesLike(score))
    }
    makerOpt.update(grad(fool, maker) as never)
    return [doubt(), fool()] as const
  })
  // end
  const at = tensor(gridPoints(size, view.x, view.y), [size * size, 2]) as Tensor
  const snapshot = async (step: number): Promise<Snapshot> => {
    const list = Array.from(await make(500).data(), Number)
    const points = Array.from({ length: 500 }, (_, i): Point => [list[2 * i] as number, list[2 * i + 1] as number])
    const near = points.map((p) => centres.findIndex((c) => Math.hypot(p[0] - c[0], p[1] - c[1]) < 4 * deviation))
    const counts = centres.map((_, k) => near.filter((n) => n === k).length)
    return {
      step,
      points,
      field: Array.from(await judge(at).data(), Number),
      covered: counts.filter((c) => c >= 10).length,
      good: near.filter((n) => n >= 0).length / points.length,
    }
  }
  const stops = [0, Math.round(steps / 30), Math.round(steps / 6), steps]
  const shots: Snapshot[] = []
  const course: { readonly step: number; readonly good: number; readonly covered: number }[] = []
  const losses: { readonly step: number; readonly critic: number; readonly maker: number }[] = []
  for (let i = 0; i <= steps; i++) {
    if (stops.includes(i)) shots.push(await snapshot(i))
    if (i % Math.max(1, Math.round(steps / 60)) === 0) {
      const { good, covered } = await snapshot(i)
      course.push({ step: i, good, covered })
      const [a, b] = round()
      losses.push({ step: i, critic: await a.item(), maker: await b.item() })
    } else round()
    await pause(context)
  }
  const end = shots.at(-1) as Snapshot
  const start = shots[0] as Snapshot
  const truth = Array.from(await real(key(seed + 9), 400).data(), Number)
  const realPoints = Array.from({ length: 400 }, (_, i): Point => [truth[2 * i] as number, truth[2 * i + 1] as number])
  const late = losses.slice(-20)
  const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / list.length
  const criticEnd = mean(late.map((l) => l.critic))
  return {
    found: `After ${steps} rounds ${percent(end.good)} of the made points lie in a cloud, and ${end.covered} of the ${modes} clouds are made; at the start ${percent(start.good)}.`,
    picture: html`${planes(
      shots.slice(1).map((s) =>
        plane({
          label: `Real and made points after ${s.step} rounds`,
          title: `after ${s.step} rounds`,
          ...view,
          xName: 'x',
          yName: 'y',
          picture: signPicture({ size, values: s.field }, 4, 90),
          points: [
            ...realPoints.slice(0, 160).map((p) => ({ at: p, tone: 't7' })),
            ...s.points.slice(0, 250).map((p) => ({ at: p, tone: 't3' })),
          ],
        }),
      ),
    )}${legend([
      { name: 'real', tone: 't7' },
      { name: 'made', tone: 't3' },
    ])}`,
    caption: `Two networks play against each other: one makes points from noise, the critic tells real from made. Warm where the critic says real, cold where it says made.`,
    claims: [
      {
        said: 'A network learns to make what looks like the data, against a critic that tells them apart.',
        row: 'GAN',
        measured: `${percent(end.good)} of the points within 4 deviations of a centre, ${end.covered} of ${modes} clouds`,
        agrees: end.good > 0.7 && end.covered >= 6,
        remark: 'A later row of the course: no slide has numbers for it. Real points lie there to more than 99.9 %.',
      },
      {
        said: 'At the end the critic cannot tell: its loss is 2 ln 2.',
        row: 'GAN',
        measured: `mean of the last third ${formatNumber(criticEnd, 3)}; 2 ln 2 = ${formatNumber(2 * Math.log(2), 3)}`,
        agrees: Math.abs(criticEnd - 2 * Math.log(2)) < 0.15,
        remark: 'The two go on circling about each other: nothing settles as with one loss.',
      },
    ],
    numbers: { good: end.good, covered: end.covered, start: start.good, critic: criticEnd },
    sections: [
      {
        title: 'Formulas',
        lede: 'G makes points from noise z, D gives scores (Goodfellow et al., 2014).',
        body: formulas(
          [String.raw`\min_D \; -\mathsf{E}_x \ln \sigma(D(x)) - \mathsf{E}_z \ln (1 - \sigma(D(G(z))))`, 'the critic'],
          [
            String.raw`\min_G \; -\mathsf{E}_z \ln \sigma(D(G(z)))`,
            'the maker, in the form whose gradient does not fade while it is bad',
          ],
        ),
      },
      {
        title: 'Made points by round',
        lede: 'Share of 500 made points within 4 deviations of a centre, and share of the clouds with at least 10 of them.',
        body: html`<figure class="card">${lineChart({
          label: 'Quality of made points by round',
          x: { name: 'round' },
          y: { name: '%', domain: [0, 100] },
          series: [
            { name: 'in a cloud', tone: 't3', points: course.map((c): Point => [c.step, 100 * c.good]) },
            { name: 'clouds', tone: 't1', points: course.map((c): Point => [c.step, (100 * c.covered) / modes]) },
          ],
        })}</figure>`,
      },
      {
        title: 'Losses',
        lede: 'Of the critic and of the maker.',
        body: html`<figure class="card">${lineChart(
          {
            label: 'Losses of critic and maker by round',
            x: { name: 'round' },
            y: { name: 'loss' },
            series: [
              { name: 'critic', tone: 't1', points: losses.map((l): Point => [l.step, l.critic]) },
              { name: 'maker', tone: 't3', points: losses.map((l): Point => [l.step, l.maker]) },
            ],
          },
          0.8,
        )}</figure>`,
      },
      {
        title: 'Code',
        lede: 'The networks; and one round of the game.',
        body: html`${snippet(import.meta.url, 'networks')}${snippet(import.meta.url, 'game')}`,
      },
    ],
  }
}

/** A generative adversarial network on points of the plane. */
export const generative: Topic = {
  name: 'generative',
  title: 'A generative adversarial network',
  about: 'A network makes points like those of eight clouds, against a critic.',
  rows: ['GAN'],
  run,
}
