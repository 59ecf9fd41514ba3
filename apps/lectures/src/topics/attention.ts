import { grad } from '@tessella/autograd'
import { embedding, linear, multiheadAttention } from '@tessella/layers'
import { crossEntropy, errorCount } from '@tessella/losses'
import { adam, optimizer } from '@tessella/optimizers'
import { arange, compile, foldIn, key, normal, type Tensor, uniform } from '@tessella/tensor'
import { formatNumber, trainStep } from '@tessella/training'
import { formulas } from '../pages/formula.ts'
import { lineChart, type Point } from '../pages/lineChart.ts'
import { plane, planes } from '../pages/plane.ts'
import { snippet } from '../pages/snippet.ts'
import type { Context, Page, Topic } from '../pages/topic.ts'
import { html } from '../report/html.ts'
import { percent, tiny } from '../report/numbers.ts'
import { weightPicture } from '../report/pictures.ts'
import { pause } from '../runTopic.ts'

const places = 8
const features = 16

interface Batch {
  /** Keys of the places, a permutation each, [n, places]. */
  readonly keys: Tensor
  readonly values: Tensor
  /** The key that is asked for, [n, 1]. */
  readonly asked: Tensor
  /** The value of that key, [n]. */
  readonly answer: Tensor
}

/** Places with a key and a value each, and a key to look up. */
function lookups(seed: number, n: number): Batch {
  const keys = (uniform(foldIn(key(seed), 0), [n, places]) as Tensor).argsort(1) as Tensor
  const values = (uniform(foldIn(key(seed), 1), [n, places]) as Tensor).mul(places).cast('int32') as Tensor
  const asked = (uniform(foldIn(key(seed), 2), [n, 1]) as Tensor).mul(places).cast('int32') as Tensor
  const here = keys.cast('int32').eq(asked).cast('int32')
  return { keys: keys.cast('int32') as Tensor, values, asked, answer: values.mul(here).sum(1).cast('int32') as Tensor }
}

function network(seed: number) {
  // show: network
  const model = {
    keys: embedding(places, features, { seed }),
    values: embedding(places, features, { seed: seed + 1 }),
    asked: embedding(places, features, { seed: seed + 2 }),
    attention: multiheadAttention(features, 1, { seed }),
    out: linear(features, places, { seed }),
  }
  const scores = ({ keys, values, asked }: Batch): Tensor => {
    const memory = model.keys(keys).add(model.values(values)) as Tensor
    const seen = model.attention.attend(model.asked(asked) as never, memory, memory) as Tensor
    return model.out(seen.squeeze(1) as never) as Tensor
  }
  // end
  /** What each query sees of each place, [n, queries, places]. */
  const weights = ({ keys, values }: Batch, asked: Tensor): Tensor => {
    const memory = model.keys(keys).add(model.values(values)) as Tensor
    const project = (x: Tensor, part: number): Tensor => {
      const [w, b] = [model.attention.inProjWeight.value, model.attention.inProjBias?.value]
      const y = x.matmul(w.narrow(0, part * features, features).transpose() as never) as Tensor
      return b === undefined ? y : (y.add(b.narrow(0, part * features, features)) as Tensor)
    }
    const products = project(model.asked(asked) as Tensor, 0).matmul(project(memory, 1).transpose(-2, -1) as never)
    return products.mul(1 / Math.sqrt(features)).softmax(-1) as Tensor
  }
  return { model, scores, weights }
}

async function run(context: Context): Promise<Page> {
  const { quick, seed } = context
  const steps = quick ? 30 : 300
  const { model, scores, weights } = network(seed)
  const test = lookups(100_000 + seed, 500)
  const shownBatch = lookups(200_000 + seed, 1)
  const every = arange(places).cast('int32').reshape([1, places]) as Tensor
  const seen = async (): Promise<readonly number[]> => Array.from(await weights(shownBatch, every).data(), Number)
  const before = await seen()
  const step = trainStep<Batch>({
    model,
    optimizer: optimizer(adam(0.01), model),
    loss: (batch) => crossEntropy(scores(batch), batch.answer),
  })
  const wrong = compile(() => errorCount(scores(test), test.answer))
  const curve: Point[] = []
  for (let i = 0; i < steps; i++) {
    if (i % 5 === 0) curve.push([i, (100 * (await wrong().item())) / 500])
    step(lookups(1000 * seed + i, 64))
    await pause(context)
  }
  const errors = (await wrong().item()) / 500
  curve.push([steps, 100 * errors])
  const after = await seen()
  const keys = Array.from(await shownBatch.keys.data(), Number)
  const right = keys.map((k, place) => after[places * k + place] as number)
  const least = Math.min(...right)
  const sums = Array.from({ length: places }, (_, q) =>
    after.slice(places * q, places * (q + 1)).reduce((a, b) => a + b, 0),
  )
  const off = Math.max(...sums.map((s) => Math.abs(s - 1)))
  const about = await properties(seed)
  const map = (title: string, values: readonly number[]) =>
    plane({
      label: `What each query sees of each place, ${title}`,
      title,
      x: [0, places],
      y: [0, places],
      xName: 'place',
      yName: 'key asked for',
      sharp: true,
      // The plane counts upwards.
      picture: weightPicture(
        Array.from({ length: places }, (_, r) => values.slice(places * (places - 1 - r), places * (places - r))).flat(),
        places,
        places,
        1,
      ),
      points: keys.map((k, place) => ({
        at: [place + 0.5, k + 0.5] as Point,
        tone: 't1',
        text: `key ${k} is at place ${place}: seen with weight ${formatNumber(values[places * k + place] as number, 2)}`,
      })),
    })
  return {
    found: `After ${steps} steps attention looks at the place that has the key with a weight of at least ${formatNumber(least, 2)}; ${percent(errors)} of the look-ups are wrong, ${percent(1 - 1 / places)} by guessing.`,
    picture: planes([map('before training', before), map('after training', after)]),
    caption: `One memory of ${places} places, each with a key and a value; a row for each key that may be asked for. The fuller the colour the more it is looked at; dots mark where the key is.`,
    claims: [
      {
        said: 'Attention looks a key up: softmax(q kᵀ / √d) v.',
        row: 'attention',
        measured: `${percent(errors)} wrong; the right place has at least ${formatNumber(least, 2)} of the weight`,
        agrees: errors < 0.05 && least > 0.5,
        remark:
          'A later row of the course: no slide has numbers for it. Keys, values and queries are learned embeddings.',
      },
      {
        said: 'Weights are probabilities.',
        row: 'attention',
        measured: `rows sum to 1 up to ${tiny(off)}`,
        agrees: off < 1e-5,
      },
      {
        said: '1 / √d keeps the scores from growing with the features.',
        row: 'attention',
        measured: `variance of scores of random queries and keys with 4, 64 and 1,024 features: ${about.plain.map((v) => formatNumber(v, 2)).join(', ')}; divided: ${about.scaled.map((v) => formatNumber(v, 2)).join(', ')}`,
        agrees: about.scaled.every((v) => Math.abs(v - 1) < 0.3),
      },
      {
        said: 'A causal mask hides what comes later.',
        row: 'attention',
        measured: `the derivative of place 3 by the places after it is ${tiny(about.later)}, by those up to it ${formatNumber(about.earlier, 2)}`,
        agrees: about.later === 0 && about.earlier > 1e-4,
      },
    ],
    numbers: { errors, least, off, later: about.later, plain: about.plain, scaled: about.scaled },
    sections: [
      {
        title: 'Formulas',
        lede: 'For queries Q, keys K and values V, one in a row.',
        body: formulas(
          [
            String.raw`\mathrm{softmax}\left(\frac{Q K^{\top}}{\sqrt d}\right) V`,
            'scaled-dot-product attention (Vaswani et al., 2017)',
          ],
          [
            String.raw`Q = X_q W_Q^\top, \quad K = X W_K^\top, \quad V = X W_V^\top`,
            'a head projects what it is given; several heads side by side, then one more product',
          ],
        ),
      },
      {
        title: 'Wrong look-ups by step',
        lede: '500 memories that training does not see; Adam with rate 0.01, batches of 64 new ones.',
        body: html`<figure class="card">${lineChart({
          label: 'Wrong look-ups by step',
          x: { name: 'step' },
          y: { name: 'wrong, %', domain: [0, 100] },
          series: [{ name: '', tone: 't0', points: curve }],
        })}</figure>`,
      },
      { title: 'Code', lede: 'The network that looks up.', body: snippet(import.meta.url, 'network') },
    ],
  }
}

/** Variances of scores, and what a causal layer sees. */
async function properties(seed: number) {
  const plain: number[] = []
  for (const d of [4, 64, 1024]) {
    const [q, k] = [normal(key(seed), [64, d]), normal(key(seed + 1), [64, d])]
    plain.push(await q.matmul(k.transpose()).var().item())
  }
  const causal = multiheadAttention(8, 2, { causal: true, seed })
  const x = normal(key(seed), [1, 6, 8])
  const slopes = grad((v: typeof x) => causal(v).slice(null, 3).square().sum())(x)
  const sizes = Array.from(await slopes.square().sum([0, 2]).data())
  return {
    plain,
    scaled: plain.map((v, i) => v / ([4, 64, 1024][i] as number)),
    later: Math.max(...sizes.slice(4)),
    earlier: Math.sqrt(sizes.slice(0, 4).reduce((a, b) => a + b, 0)),
  }
}

/** Attention as a look-up that is learned. */
export const attention: Topic = {
  name: 'attention',
  title: 'Attention looks things up',
  about: 'A head of attention learns to look up keys in a memory; its weights before and after, masks, scale.',
  rows: ['attention'],
  run,
}
