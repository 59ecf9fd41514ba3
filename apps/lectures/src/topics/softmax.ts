import { grad } from '@tessella/autograd'
import { blobs } from '@tessella/datasets'
import { linear } from '@tessella/layers'
import { crossEntropy } from '@tessella/losses'
import { adam, optimizer } from '@tessella/optimizers'
import { compile, type Tensor, tensor } from '@tessella/tensor'
import { formatNumber } from '@tessella/training'
import { gridPoints } from '../pages/field.ts'
import { formulas } from '../pages/formula.ts'
import { lineChart, type Point, panel } from '../pages/lineChart.ts'
import { legend, plane, planes } from '../pages/plane.ts'
import { snippet } from '../pages/snippet.ts'
import { toneOf } from '../pages/tones.ts'
import type { Context, Page, Topic } from '../pages/topic.ts'
import { html } from '../report/html.ts'
import { percent, tiny } from '../report/numbers.ts'
import type { Picture } from '../report/png.ts'
import { pause } from '../runTopic.ts'

const tonesRgb = [
  [181, 80, 26],
  [23, 112, 143],
  [79, 122, 42],
] as const
const view = { x: [-8, 8] as const, y: [-8, 8] as const }

/** Three classes in the plane, their scores learned as linear functions. */
async function regions(context: Context) {
  const points = blobs({
    n: 300,
    centers: [
      [-3, -2],
      [3, -1.5],
      [0, 3],
    ],
    noise: 1.7,
    seed: context.seed,
  })
  const x = tensor(points.columns.points.data as Float32Array, [points.length, 2])
  const y = tensor(points.columns.labels.data as Uint8Array, [points.length])
  // show: regions
  const model = linear(2, 3, { seed: context.seed })
  const opt = optimizer(adam(0.1), model)
  const step = compile(() => opt.update(grad(() => crossEntropy(model(x), y), model)))
  for (let i = 0; i < 200; i++) step()
  const probabilities = (at: Tensor<[number, 2], 'float32'>) => model(at).softmax(1)
  // end
  await pause(context)
  const size = 160
  const values = Array.from(await probabilities(tensor(gridPoints(size, view.x, view.y), [size * size, 2])).data())
  const pixels = new Uint8Array(4 * size * size)
  for (let i = 0; i < size * size; i++) {
    const p = values.slice(3 * i, 3 * i + 3)
    const best = p.indexOf(Math.max(...p))
    pixels.set(tonesRgb[best] as readonly number[], 4 * i)
    // Clear where classes are equally likely.
    pixels[4 * i + 3] = Math.round(150 * (((p[best] as number) - 1 / 3) / (2 / 3)))
  }
  const picture: Picture = { width: size, height: size, channels: 4, pixels }
  const found = probabilities(x)
  const answers = Array.from(await found.argmax(1).data())
  const sure = Array.from(await found.max(1).data())
  const labels = Array.from(points.columns.labels.data as Uint8Array)
  const right = answers.map((a, i) => a === labels[i])
  const share = (list: readonly boolean[]): number => list.filter(Boolean).length / Math.max(1, list.length)
  const doubtful = right.filter((_, i) => (sure[i] as number) < 0.8)
  const certain = right.filter((_, i) => (sure[i] as number) >= 0.8)
  const coordinates = Array.from(points.columns.points.data as Float32Array)
  return {
    picture,
    points: labels.map((l, i) => ({
      at: [coordinates[2 * i] as number, coordinates[2 * i + 1] as number] as Point,
      tone: toneOf(l),
    })),
    accuracy: share(right),
    doubtful: share(doubtful),
    certain: share(certain),
  }
}

async function run(context: Context): Promise<Page> {
  const scores = Array.from({ length: 121 }, (_, i) => -6 + i / 10)
  // show: softmax
  const moved = tensor(
    scores.flatMap((z) => [z, 0, 1]),
    [scores.length, 3],
  )
  const probabilities = Array.from(await moved.softmax(1).data())
  const answers = Array.from(await moved.argmax(1).data())
  // end
  const line = (k: number, of: readonly number[]): readonly Point[] =>
    scores.map((z, i) => [z, of[3 * i + k] as number])
  const sums = scores.map((_, i) => [0, 1, 2].reduce((s, k) => s + (probabilities[3 * i + k] as number), 0))
  const off = Math.max(...sums.map((s) => Math.abs(s - 1)))
  const changes = answers.indexOf(0)
  const far = Array.from(
    await tensor([
      [1e4, -1e4, 1e4],
      [-1e4, -1e4, 0],
    ])
      .softmax(1)
      .data(),
  )
  const logs = Array.from(
    await tensor([[1e4, 0]])
      .logSoftmax(1)
      .data(),
  )
  const z = tensor([[0.4, -1.2, 2]])
  const shift = await z.softmax(1).sub(z.add(1000).softmax(1)).abs().max().item()
  // dP_k / dz_i = P_k (1[k = i] - P_i)
  const p = Array.from(await z.softmax(1).data())
  let jacobian = 0
  for (const k of [0, 1, 2]) {
    const row = Array.from(await grad((v: typeof z) => v.softmax(1).slice(0, k).sum())(z).data())
    for (const i of [0, 1, 2])
      jacobian = Math.max(
        jacobian,
        Math.abs((row[i] as number) - (p[k] as number) * ((k === i ? 1 : 0) - (p[i] as number))),
      )
  }
  const temperatures = [0.25, 1, 4]
  const warm: { readonly t: number; readonly values: readonly number[] }[] = []
  for (const t of temperatures) warm.push({ t, values: Array.from(await moved.div(t).softmax(1).data()) })
  const two = await tensor([[1.3, 0]])
    .softmax(1)
    .slice(0, 0)
    .sub(tensor(1.3).sigmoid())
    .abs()
    .item()
  const found = await regions(context)
  const names = ['P(0), whose score moves', 'P(1), score 0', 'P(2), score 1']
  return {
    found: `Probabilities sum to 1 up to ${tiny(off)}; argmax changes from class 2 to class 0 at a score of ${formatNumber(scores[changes] as number, 2)}. Where softmax says less than 80 %, ${percent(found.doubtful)} of the answers are right, else ${percent(found.certain)}.`,
    picture: html`${lineChart({
      label: 'Probabilities of three classes as one score moves',
      x: { name: 'score of class 0' },
      y: { name: 'probability', domain: [0, 1] },
      marks: [{ at: 1, text: 'argmax changes' }],
      series: [0, 1, 2].map((k) => ({ name: `P(${k})`, tone: toneOf(k), points: line(k, probabilities) })),
    })}${legend(names.map((name, k) => ({ name, tone: toneOf(k) })))}`,
    caption: 'Softmax of three scores, of which the first moves and the others are 0 and 1.',
    claims: [
      {
        said: 'P(k|x) = exp(z_k) / Σ exp(z_i): probabilities.',
        row: 'F19',
        measured: `sums differ from 1 by at most ${tiny(off)}; adding 1,000 to all scores changes ${tiny(shift)}`,
        agrees: off < 1e-6 && shift < 1e-4,
        remark: 'Of the second number all is rounding of the scores themselves.',
      },
      {
        said: 'The answer is argmax over the activations.',
        row: 'F19',
        measured: `class 0 from a score of ${formatNumber(scores[changes] as number, 2)} on, where it passes the largest other`,
        agrees: Math.abs((scores[changes] as number) - 1) < 0.11 && answers.slice(changes + 1).every((a) => a === 0),
        remark: 'Softmax keeps the order of scores, so argmax of scores and of probabilities are the same.',
      },
      {
        said: 'Scores of any size.',
        row: 'F19',
        measured: `scores ±10,000: ${far.join(', ')}; logarithms ${logs.join(', ')}`,
        agrees: far.join() === '0.5,0,0.5,0,0,1' && logs.join() === '0,-10000',
        remark:
          'The largest score is subtracted first; the slide’s formula as written would divide infinity by infinity.',
      },
      {
        said: 'Of two classes it is the sigmoid of the difference.',
        row: 'F19',
        measured: `they differ by ${tiny(two)}; derivatives P_k (1[k = i] − P_i) by ${tiny(jacobian)} from autograd`,
        agrees: two < 1e-6 && jacobian < 1e-6,
      },
    ],
    numbers: { off, shift, jacobian, accuracy: found.accuracy, doubtful: found.doubtful, certain: found.certain },
    sections: [
      {
        title: 'Formulas',
        lede: 'z are the scores of the last layer.',
        body: formulas(
          [
            String.raw`P(k|x) = \frac{e^{z_k}}{\sum_i e^{z_i}} = \frac{e^{z_k - m}}{\sum_i e^{z_i - m}}, \quad m = \max_i z_i`,
            'softmax, and how it is computed',
          ],
          [String.raw`k = \operatorname*{argmax}_i \, a_i(x)`, 'the answer'],
          [String.raw`\frac{\partial P_k}{\partial z_i} = P_k \left([k = i] - P_i\right)`, 'its derivative'],
        ),
      },
      {
        title: 'Temperature',
        lede: 'Scores divided by T: small T comes near argmax, large T near equal parts.',
        body: html`<div class="card">${planes(
          warm.map(({ t, values }) =>
            panel(`T = ${t}`, {
              label: `Softmax at temperature ${t}`,
              x: { name: 'score' },
              y: { name: 'probability', domain: [0, 1] },
              series: [0, 1, 2].map((k) => ({ name: '', tone: toneOf(k), points: line(k, values) })),
            }),
          ),
        )}</div>`,
      },
      {
        title: 'Three classes in the plane',
        lede: `Linear scores, softmax cross entropy, ${percent(found.accuracy)} right. The colour is the answer, the paler the less sure.`,
        body: html`<div class="card"><div class="planes one">${plane({
          label: 'Regions of three classes with their points',
          ...view,
          xName: 'x',
          yName: 'y',
          picture: found.picture,
          points: found.points,
        })}</div></div>`,
      },
      {
        title: 'Code',
        lede: 'The curves; and the plane.',
        body: html`${snippet(import.meta.url, 'softmax')}${snippet(import.meta.url, 'regions')}`,
      },
    ],
  }
}

/** F19: softmax and argmax. */
export const softmax: Topic = {
  name: 'softmax',
  title: 'Softmax and argmax',
  about: 'Probabilities from scores, their stability and derivative, temperature, three classes in the plane.',
  rows: ['F19'],
  run,
}
