import { batches } from '@tessella/datasets'
import { crossEntropy } from '@tessella/losses'
import { optimizer, sgd } from '@tessella/optimizers'
import { conv1d, full, tensor } from '@tessella/tensor'
import { trainStep } from '@tessella/training'
import { type Batch, network } from '../models.ts'
import { lineChart } from '../pages/lineChart.ts'
import { snippet } from '../pages/snippet.ts'
import type { Claim, Context, Section } from '../pages/topic.ts'
import { html } from '../report/html.ts'
import { percent } from '../report/numbers.ts'
import { pause } from '../runTopic.ts'

/** Losses of small batches: as rough as the lecture says. */
async function lossCurve(context: Context): Promise<readonly number[]> {
  const { train } = await context.mnist()
  const steps = context.quick ? 20 : 120
  const model = network('mlp', context.seed)
  const step = trainStep<Batch>({
    model,
    optimizer: optimizer(sgd(0.1), model),
    loss: ({ images, labels }) => crossEntropy(model(images.cast('float32').div(255)), labels),
  })
  const losses: number[] = []
  for await (const batch of batches(train.take(32 * steps), { size: 32, shuffle: true, seed: context.seed })) {
    losses.push(await step(batch).item())
    await pause(context)
  }
  return losses
}

/** Mean size of the jumps from one value to the next. */
const roughness = (values: readonly number[]): number =>
  values.slice(1).reduce((sum, v, i) => sum + Math.abs(v - (values[i] as number)), 0) / (values.length - 1)

/** The lecture's use of a convolution: a moving average of a loss curve. */
export async function smoothing(
  context: Context,
): Promise<{ readonly section: Section; readonly claim: Claim; readonly left: number; readonly less: string }> {
  const losses = await lossCurve(context)
  // show: moving average
  const curve = tensor(losses, [1, 1, losses.length])
  const average = (k: number) => conv1d(curve, full([1, 1, k], 1 / k), { padding: 'same' })
  const three = await average(3).data()
  // end
  // 'same' fills the ends with zeros, so the first and last place are too low: they are left out.
  const smooth = Array.from(three as Float32Array).slice(1, -1)
  const left = roughness(smooth) / roughness(losses.slice(1, -1))
  return {
    left,
    less: percent(1 - left),
    claim: {
      said: 'The kernel (1/3, 1/3, 1/3) smooths the curve of a noisy loss.',
      row: 'F7',
      measured: `jumps between steps shrink to ${percent(left)} of what they were`,
      agrees: left < 0.75,
    },
    section: {
      title: 'A moving average is a convolution (F7)',
      lede: `Losses of ${losses.length} training steps on MNIST with batches of 32, and their mean over three.`,
      body: html`<figure class="card">${lineChart({
        label: `Loss of ${losses.length} steps, and smoothed`,
        x: { name: 'step' },
        y: { name: 'loss' },
        series: [
          { name: '', tone: 't0', faint: true, points: losses.map((v, i) => [i, v]) },
          { name: 'mean of 3', tone: 't0', points: smooth.map((v, i) => [i + 1, v]) },
        ],
      })}</figure>${snippet(import.meta.url, 'moving average')}`,
    },
  }
}
