import { valueAndGrad } from '@tessella/autograd'
import { initialize, linear, xavierNormal } from '@tessella/layers'
import { foldIn, key, normal, sigmoid, softmax, type Tensor } from '@tessella/tensor'
import { formulas } from '../pages/formula.ts'
import { lineChart } from '../pages/lineChart.ts'
import { plainTable } from '../pages/plainTable.ts'
import { snippet } from '../pages/snippet.ts'
import { toneOf } from '../pages/tones.ts'
import type { Context, Page, Topic } from '../pages/topic.ts'
import { html } from '../report/html.ts'

type Rows = Tensor<[number, number], 'float32'>
const sizes = [6, 8, 7, 4] as const
const rows = 16
export type Cost = 'mse' | 'cross entropy'

/** One gradient by hand and by autograd: the largest difference, relative to the largest of them. */
export interface Compared {
  readonly name: string
  readonly difference: number
  readonly size: number
}

/** The lecture's formulas on a random network beside autograd, for one cost. */
export async function compared(cost: Cost, seed: number): Promise<readonly Compared[]> {
  const net = { one: linear(6, 8), two: linear(8, 7), three: linear(7, 4) }
  initialize(net, { weight: xavierNormal(), seed })
  const x: Rows = normal(foldIn(key(seed), 1), [rows, sizes[0]])
  const y: Rows = softmax(normal(foldIn(key(seed), 2), [rows, sizes[3]]), 1) as Rows
  // show: by hand
  const z1 = net.one(x)
  const a1 = sigmoid(z1)
  const z2 = net.two(a1)
  const a2 = sigmoid(z2)
  const z3 = net.three(a2)
  const a3 = cost === 'mse' ? sigmoid(z3) : softmax(z3, 1)
  const slope = (a: Tensor): Tensor => a.mul(a.neg().add(1)) // f'(z) of the sigmoid
  const d3: Tensor = cost === 'mse' ? a3.sub(y).mul(slope(a3)) : a3.sub(y) // (6), (7)
  const d2 = d3.matmul(net.three.weight.value).mul(slope(a2)) // (8)
  const d1 = d2.matmul(net.two.weight.value).mul(slope(a1))
  const bias = (d: Tensor): Tensor => d.mean(0) // (12)
  const weight = (d: Tensor, a: Tensor): Tensor => d.T.matmul(a).div(rows) // (13)
  const hand: Readonly<Record<string, Tensor>> = {
    'one.weight': weight(d1, x),
    'one.bias': bias(d1),
    'two.weight': weight(d2, a1),
    'two.bias': bias(d2),
    'three.weight': weight(d3, a2),
    'three.bias': bias(d3),
  }
  // end
  // show: autograd
  const loss = (): Tensor<[], 'float32'> => {
    const scores = net.three(sigmoid(net.two(sigmoid(net.one(x)))))
    if (cost === 'mse')
      return sigmoid(scores)
        .sub(y)
        .square()
        .sum()
        .div(2 * rows) as Tensor<[], 'float32'>
    return softmax(scores, 1).log().mul(y).sum().div(-rows) as Tensor<[], 'float32'>
  }
  const [, grads] = valueAndGrad(loss, net)
  // end
  const found: Compared[] = []
  const byPath = grads as unknown as Readonly<Record<string, Tensor>>
  for (const [name, g] of Object.entries(hand)) {
    const auto = (await (byPath[name] as Tensor).data()) as Float32Array
    const ours = (await g.data()) as Float32Array
    const size = ours.reduce((m, v) => Math.max(m, Math.abs(v)), 0)
    const difference = ours.reduce((m, v, i) => Math.max(m, Math.abs(v - (auto[i] as number))), 0)
    found.push({ name, difference: difference / size, size })
  }
  return found
}

async function run(context: Context): Promise<Page> {
  const [squares, entropy] = [await compared('mse', context.seed), await compared('cross entropy', context.seed)]
  const worst = (list: readonly Compared[]): number => Math.max(...list.map((c) => c.difference))
  const both = [
    ['mean square', squares],
    ['cross entropy', entropy],
  ] as const
  return {
    found: `All ${squares.length + entropy.length} gradients by the lecture’s formulas equal those of autograd, to ${Math.max(worst(squares), worst(entropy)).toExponential(1)} of their size.`,
    picture: lineChart(
      {
        label: 'Relative difference between gradients by hand and by autograd',
        x: {
          name: 'parameter',
          domain: [0.5, 6.5],
          ticks: [1, 2, 3, 4, 5, 6],
          format: (v) => `${v % 2 === 1 ? 'W' : 'b'}${Math.ceil(v / 2)}`,
        },
        y: {
          name: 'relative difference',
          log: true,
          domain: [1e-9, 1],
          ticks: [1e-9, 1e-7, 1e-5, 1e-3, 0.1],
          format: (v) => v.toExponential(0),
        },
        series: [
          ...both.map(([name, list], i) => ({
            name,
            tone: toneOf(i),
            dots: true,
            scatter: true,
            points: list.map((c, n) => [n + 1, Math.max(c.difference, 1e-9)] as const),
          })),
          {
            name: 'float32 rounding',
            tone: 't7',
            dashed: true,
            points: [
              [0.5, 2 ** -24],
              [6.5, 2 ** -24],
            ],
          },
        ],
      },
      0.8,
    ),
    caption:
      'Largest difference of each gradient, relative to its largest element, on a logarithmic axis; equal ones stand at the lower edge. Dashed: the rounding of one float32 operation.',
    claims: [
      {
        said: 'MSE: δ = (a − y) ⊙ f′(z).',
        row: 'backpropagation',
        measured: `differs by ${worst(squares).toExponential(1)} for the cost ½|a − y|²`,
        agrees: worst(squares) < 1e-4,
        remark: 'The cost on the slide before, |a − y|² without a half, has twice this delta.',
      },
      {
        said: 'Cross entropy: δ = a − y.',
        row: 'backpropagation',
        measured: `differs by ${worst(entropy).toExponential(1)} with softmax`,
        agrees: worst(entropy) < 1e-4,
      },
      {
        said: 'δ^l = ((W^{l+1})ᵀ δ^{l+1}) ⊙ f′(z^l), ∂C/∂b = δ, ∂C/∂W = δ aᵀ.',
        row: 'backpropagation',
        measured: 'all weights and biases of three layers, averaged over 16 rows',
        agrees: worst(squares) < 1e-4 && worst(entropy) < 1e-4,
      },
      {
        said: '∂C/∂b = b − η ∂C₀/∂b (22).',
        row: 'backpropagation',
        measured: 'what is trained is b := b − η ∂C₀/∂b',
        agrees: false,
        remark:
          'A misprint: the right side is the new value of b, not a derivative. (11) also writes w^l where (8) has w^{l+1}.',
      },
    ],
    numbers: { mse: worst(squares), crossEntropy: worst(entropy) },
    sections: [
      {
        title: 'Formulas',
        lede: 'Numbered as in the lecture.',
        body: formulas(
          [
            String.raw`\delta^L = (a^L - y) \odot f'(z^L) \qquad \delta^L = a^L - y`,
            '(6) mean square, (7) cross entropy',
          ],
          [String.raw`\delta^l = \left( (W^{l+1})^\top \delta^{l+1} \right) \odot f'(z^l)`, '(8) back through a layer'],
          [
            String.raw`\frac{\partial C}{\partial b^l} = \delta^l \qquad \frac{\partial C}{\partial W^l} = \delta^l\, (a^{l-1})^\top`,
            '(12), (13)',
          ],
        ),
      },
      {
        title: 'Code',
        lede: 'By hand, line by line; then autograd, which needs the loss only.',
        body: html`${snippet(import.meta.url, 'by hand')}${snippet(import.meta.url, 'autograd')}`,
      },
      {
        title: 'In numbers',
        lede: 'Relative differences of each parameter.',
        body: plainTable(
          'Differences',
          ['parameter', 'mean square', 'cross entropy'],
          squares.map((c, i) => [
            c.name,
            c.difference.toExponential(1),
            (entropy[i] as Compared).difference.toExponential(1),
          ]),
        ),
      },
    ],
  }
}

/** Section 4: backpropagation by hand equals autograd. */
export const backprop: Topic = {
  name: 'backprop',
  title: 'Backpropagation by hand',
  about: 'The formulas of the lecture on a random network, beside autograd.',
  rows: ['backpropagation'],
  run,
}
