import { randomStream } from '@tessella/datasets'
import { embedding, gelu, layerNorm, linear, multiheadAttention, residual, sequential } from '@tessella/layers'
import { crossEntropy } from '@tessella/losses'
import { adamw, chain, clipByGlobalNorm, cosineDecay, optimizer, warmup } from '@tessella/optimizers'
import { arange, compile, type Tensor, tensor } from '@tessella/tensor'
import { formatNumber, trainStep } from '@tessella/training'
import { formulas } from '../pages/formula.ts'
import { lineChart, type Point } from '../pages/lineChart.ts'
import { plainTable } from '../pages/plainTable.ts'
import { snippet } from '../pages/snippet.ts'
import type { Context, Page, Topic } from '../pages/topic.ts'
import { html } from '../report/html.ts'
import { pause } from '../runTopic.ts'
import { bits, documentation, ngram, type Text } from './textData.ts'

const length = 64
const features = 64
const rows = 16

function network(letters: number, seed: number) {
  // show: network
  const block = () =>
    sequential(
      residual(sequential(layerNorm(features), multiheadAttention(features, 4, { causal: true, dropout: 0.1 }))),
      residual(sequential(layerNorm(features), linear(features, 4 * features), gelu(), linear(4 * features, features))),
    )
  const model = {
    letters: embedding(letters, features, { seed }),
    places: embedding(length, features, { seed: seed + 1 }),
    blocks: sequential(block(), block()),
    out: sequential(layerNorm(features), linear(features, letters, { seed: seed + 2 })),
  }
  const scores = (text: Tensor, mode: 'train' | 'eval'): Tensor => {
    const place = model.places(arange(length).cast('int32'))
    const x = model.letters(text as never).add(place as never) as Tensor
    return model.out(model.blocks(x as never, mode) as never) as Tensor
  }
  // end
  return { model, scores }
}

/** Windows of the text with what follows each letter. */
function windows(letters: Int32Array, places: readonly number[]) {
  const part = (shift: number): Tensor =>
    tensor(Int32Array.from(places.flatMap((p) => Array.from(letters.subarray(p + shift, p + shift + length)))), [
      places.length,
      length,
    ])
  return { x: part(0), y: part(1) }
}

/** Draws a number by its probability. */
function pick(p: ArrayLike<number>, u: number): number {
  let sum = 0
  for (let i = 0; i < p.length; i++) {
    sum += p[i] as number
    if (u < sum) return i
  }
  return p.length - 1
}

async function run(context: Context): Promise<Page> {
  const { quick, seed } = context
  const data: Text = documentation(quick ? 4000 : 400_000)
  const letters = data.alphabet.length
  const steps = quick ? 10 : 3000
  const { model, scores } = network(letters, seed)
  const flat = (logits: Tensor, y: Tensor) =>
    crossEntropy(logits.reshape([-1, letters]) as Tensor, y.reshape([-1]) as Tensor)
  const schedule = warmup(Math.ceil(steps / 20), 0.003, cosineDecay(0.003, { totalSteps: steps }))
  const step = trainStep<{ readonly x: Tensor; readonly y: Tensor }>({
    model,
    optimizer: optimizer(chain(clipByGlobalNorm(1), adamw(schedule, { weightDecay: 0.01 })), model),
    loss: ({ x, y }) => flat(scores(x, 'train'), y),
  })
  const measured = compile((x: Tensor, y: Tensor) => flat(scores(x, 'eval'), y))
  const places = Array.from({ length: Math.floor((data.validation.length - 1) / length) }, (_, i) => length * i)
  const validate = async (): Promise<number> => {
    let [sum, count] = [0, 0]
    for (let i = 0; i + rows <= places.length || i === 0; i += rows) {
      const list = places.slice(i, i + rows)
      const { x, y } = windows(data.validation, list)
      sum += (await measured(x, y).item()) * list.length
      count += list.length
    }
    return sum / count / Math.LN2
  }
  const random = randomStream(seed, 1, 1)
  const curve: Point[] = []
  for (let i = 0; i <= steps; i++) {
    if (i % Math.max(1, Math.round(steps / 25)) === 0) curve.push([i, await validate()])
    if (i === steps) break
    const at = Array.from({ length: rows }, () => Math.floor(random.uniform() * (data.train.length - length - 1)))
    step(windows(data.train, at))
    await pause(context)
  }
  const own = curve.at(-1)?.[1] as number
  context.note(`GPT: ${formatNumber(own, 3)} bits a letter`)
  const orders = [1, 2, 3, 4, 5, 6]
  const counted = orders.map((order) => {
    const next = ngram(data, order)
    return { order, next, bits: bits(next, data.validation, length) }
  })
  const best = counted.reduce((a, b) => (b.bits < a.bits ? b : a))
  context.note(`${best.order}-gram: ${formatNumber(best.bits, 3)} bits a letter`)
  // Both go on from the same letters.
  const start = Array.from(data.validation.subarray(0, length))
  const made = quick ? 20 : 300
  const probabilities = compile((x: Tensor) => scores(x, 'eval').at(1, -1).softmax(1) as Tensor)
  const byNetwork = [...start]
  const byCounts = [...start]
  for (let i = 0; i < made; i++) {
    const x = tensor(Int32Array.from(byNetwork.slice(-length)), [1, length])
    byNetwork.push(pick(Array.from(await probabilities(x).data(), Number), random.uniform()))
    byCounts.push(pick(best.next(byCounts, byCounts.length), random.uniform()))
    await pause(context)
  }
  const written = (list: readonly number[]): string =>
    list
      .slice(length)
      .map((c) => data.alphabet[c] ?? '')
      .join('')
  const words = new Set(
    Array.from(data.train, (c) => data.alphabet[c])
      .join('')
      .split(/[^a-z]+/),
  )
  const real = (s: string): number => {
    const list = s.split(/[^a-z]+/).slice(1, -1)
    return list.filter((w) => words.has(w)).length / Math.max(1, list.length)
  }
  const [ofNetwork, ofCounts] = [written(byNetwork), written(byCounts)]
  return {
    found: `On text that neither has seen a small GPT needs ${formatNumber(own, 3)} bits a letter after ${steps} steps, the best model of counts (${best.order} letters at a time) ${formatNumber(best.bits, 3)}; ${formatNumber(Math.log2(letters), 3)} would do without any knowledge.`,
    picture: lineChart({
      label: 'Bits a letter by step of training, beside models of counts',
      x: { name: 'step' },
      y: { name: 'bits a letter' },
      series: [
        { name: 'GPT', tone: 't0', dots: true, points: curve },
        ...counted.map((c) => ({
          name: `${c.order}-gram`,
          tone: c === best ? 't1' : 't7',
          dashed: true,
          points: [0, steps].map((s): Point => [s, c.bits]),
        })),
      ],
    }),
    caption: `The text is the prose of this project’s guides and comments: ${(data.train.length + data.validation.length).toLocaleString('en-US')} characters of ${letters} kinds, the last tenth held back. Two blocks of causal attention, ${features} features, windows of ${length}, batches of ${rows}.`,
    claims: [
      {
        said: 'A small GPT that writes text, against an n-gram model.',
        row: 'text',
        measured: `${formatNumber(own, 3)} bits a letter; counts ${counted.map((c) => `${c.order}: ${formatNumber(c.bits, 3)}`).join(', ')}`,
        agrees: own < best.bits,
        remark: `A later row of the course: no slide has numbers for it. On little text and in little time counts are strong: they never forget what they saw once. The network had seen each letter about ${formatNumber((steps * rows * length) / data.train.length, 2)} times.`,
      },
      {
        said: 'It looks back further than an n-gram.',
        row: 'text',
        measured: `${length} letters instead of ${best.order - 1}`,
        agrees: best.order - 1 < length,
        remark: `Of the words written ${Math.round(100 * real(ofNetwork))} of 100 (GPT) and ${Math.round(100 * real(ofCounts))} of 100 (counts) stand in the training text.`,
      },
    ],
    numbers: { gpt: own, ngrams: counted.map((c) => c.bits), letters },
    sections: [
      {
        title: 'What they write',
        lede: `Going on after “…${start
          .slice(-40)
          .map((c) => data.alphabet[c])
          .join('')}”.`,
        body: plainTable(
          'Text written by both',
          ['model', 'text'],
          [
            ['GPT', html`<span style="white-space: normal; display: block; text-align: left">${ofNetwork}</span>`],
            [
              `${best.order}-gram`,
              html`<span style="white-space: normal; display: block; text-align: left">${ofCounts}</span>`,
            ],
          ],
        ),
      },
      {
        title: 'Formulas',
        lede: 'c are letters.',
        body: formulas(
          [String.raw`-\frac{1}{T} \sum_t \log_2 P(c_t | c_1, \dots, c_{t-1})`, 'bits a letter, on the part held back'],
          [
            String.raw`P(c|h) = \frac{n(hc) + u(h)\, P(c|h')}{n(h) + u(h)}`,
            'counts: n of a text, u different letters seen after h; h′ is h without its first letter',
          ],
          [
            String.raw`x := x + A(\mathrm{LN}(x)), \quad x := x + M(\mathrm{LN}(x))`,
            'a block: attention A, then two layers M',
          ],
        ),
      },
      {
        title: 'Code',
        lede: 'The network.',
        body: snippet(import.meta.url, 'network'),
      },
    ],
  }
}

/** Text: a small GPT against n-gram models. */
export const text: Topic = {
  name: 'text',
  title: 'A small GPT and counted letters',
  about: 'Two blocks of causal attention learn letters of a text, beside n-gram models; both write.',
  rows: ['text'],
  run,
}
