import { compile, type Tensor, tensor, Variable, zeros } from '@tessella/tensor'
import { field2 } from '../pages/field.ts'
import { formulas } from '../pages/formula.ts'
import { plainTable } from '../pages/plainTable.ts'
import { legend, type Path, plane, planes } from '../pages/plane.ts'
import { snippet } from '../pages/snippet.ts'
import type { Claim, Context, Page, Topic } from '../pages/topic.ts'
import { html } from '../report/html.ts'
import { plural } from '../report/numbers.ts'
import { signNetwork } from './signNetwork.ts'

const corners = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
] as const
const gates = { AND: [0, 0, 0, 1], OR: [0, 1, 1, 1], XOR: [0, 1, 1, 0] } as const
export type Gate = keyof typeof gates

type Example = Tensor<[3], 'float32'>
type Target = Tensor<[], 'float32'>

/** How learning one gate went. */
export interface Learned {
  readonly gate: Gate
  /** Weights (bias first) and mistakes after every epoch. */
  readonly epochs: readonly { readonly weights: readonly number[]; readonly mistakes: number }[]
  readonly solved: boolean
  /** The epoch whose weights came back, which proves that it never ends. */
  readonly cycle?: { readonly from: number; readonly to: number }
}

/** Rosenblatt's rule on the four rows of a gate, until no mistake or until the weights repeat. */
export async function learn(gate: Gate, most = 60): Promise<Learned> {
  // show: rule
  const w = new Variable(zeros([3]))
  const answer = (x: Example) => w.value.dot(x).gt(0).cast('float32')
  const step = compile((x: Example, y: Target) => {
    const error = y.sub(answer(x))
    w.assign(w.value.add(x.mul(error))) // eta = 1: it only scales w
    return error.abs()
  })
  // end
  const rows = corners.map(([a, b], i) => [tensor([1, a, b]), gates[gate][i] as number] as const)
  const epochs: { weights: readonly number[]; mistakes: number }[] = []
  while (epochs.length < most) {
    for (const [x, y] of rows) await step(x as Example, y).item()
    let mistakes = 0
    for (const [x, y] of rows) mistakes += (await answer(x as Example).item()) === y ? 0 : 1
    const weights = Array.from(await w.value.data())
    // The rows always come in one order, so weights that return bring the same epochs again, for ever.
    const from = epochs.findIndex((e) => e.weights.every((v, i) => v === weights[i]))
    epochs.push({ weights, mistakes })
    if (mistakes === 0) return { gate, epochs, solved: true }
    if (from >= 0) return { gate, epochs, solved: false, cycle: { from: from + 1, to: epochs.length } }
  }
  return { gate, epochs, solved: false }
}

/** The line w0 + w1 a + w2 b = 0 across the picture. */
function boundary([w0 = 0, w1 = 0, w2 = 0]: readonly number[]): Path['points'] {
  if (w2 !== 0) return [-1, 2].map((a) => [a, -(w0 + w1 * a) / w2] as const)
  if (w1 !== 0) return [-1, 2].map((b) => [-w0 / w1, b] as const)
  return []
}

function picture({ gate, epochs, solved }: Learned) {
  const last = epochs.at(-1)?.weights ?? []
  const view = [-0.6, 1.6] as const
  return plane({
    label: `${gate}: the line after ${plural(epochs.length, 'epoch')}, ${solved ? 'no mistake' : 'mistakes remain'}`,
    title: solved ? `${gate}: learned in ${plural(epochs.length, 'epoch')}` : `${gate}: never learned`,
    x: view,
    y: view,
    xName: 'a',
    yName: 'b',
    picture: field2(view, view, (a, b) => (last[0] ?? 0) + (last[1] ?? 0) * a + (last[2] ?? 0) * b),
    sharp: true,
    paths: [
      ...epochs.slice(0, -1).map((e) => ({ points: boundary(e.weights), tone: 't7', dashed: true })),
      { points: boundary(last), tone: 't2' },
    ],
    points: corners.map(([a, b], i) => ({
      at: [a, b] as const,
      tone: gates[gate][i] === 1 ? 't0' : 't1',
      large: true,
      text: `${gate}(${a}, ${b}) = ${gates[gate][i]}`,
    })),
  })
}

const told = ({ solved, epochs, cycle }: Learned): string =>
  solved
    ? `no mistake after ${plural(epochs.length, 'epoch')}, w = (${epochs.at(-1)?.weights.join(', ')})`
    : cycle === undefined
      ? `mistakes left after ${plural(epochs.length, 'epoch')}`
      : `the weights after epoch ${cycle.to} are those after epoch ${cycle.from}: it repeats for ever, never without a mistake`

async function run(_context: Context): Promise<Page> {
  const all = [await learn('AND'), await learn('OR'), await learn('XOR')]
  const [and, or, xor] = all as [Learned, Learned, Learned]
  const network = await signNetwork()
  const claims: readonly Claim[] = [
    { said: 'One neuron learns AND.', row: 'F4', measured: told(and), agrees: and.solved },
    { said: 'One neuron learns OR.', row: 'F4', measured: told(or), agrees: or.solved },
    {
      said: 'One neuron cannot learn XOR.',
      row: 'F4',
      measured: told(xor),
      agrees: !xor.solved && xor.cycle !== undefined,
    },
    network.claim,
  ]
  return {
    found: `AND is learned in ${plural(and.epochs.length, 'epoch')}, OR in ${or.epochs.length}; on XOR the weights come back after ${xor.epochs.length} epochs and go round in a circle: no line separates it.`,
    picture: html`${planes(all.map(picture))}${legend([
      { name: 'answer should be 1', tone: 't0' },
      { name: 'answer should be 0', tone: 't1' },
      { name: 'decision line at the end', tone: 't2' },
      { name: 'lines of earlier epochs', tone: 't7' },
    ])}`,
    caption:
      'Warm where the neuron says 1, cold where it says 0. For XOR every line leaves a corner on the wrong side.',
    claims,
    numbers: {
      andEpochs: and.epochs.length,
      orEpochs: or.epochs.length,
      xorCycle: xor.epochs.length,
      signClass: network.share,
    },
    sections: [
      {
        title: 'Formula',
        lede: 'Where the answer is wrong the weights move towards the input or away from it; where it is right they stay.',
        body: formulas(
          [
            String.raw`\hat y = [\,\langle w, x \rangle > 0\,], \qquad x = (1, a, b)`,
            'the neuron; the first input carries the threshold',
          ],
          [String.raw`w \leftarrow w + \eta\,(y - \hat y)\,x`, "Rosenblatt's rule"],
        ),
      },
      {
        title: 'Code',
        lede: 'The neuron and its rule; the four rows pass through it in order.',
        body: snippet(import.meta.url, 'rule'),
      },
      {
        title: 'Epoch by epoch',
        lede: 'Weights (w0, w1, w2) and mistakes after every epoch.',
        body: plainTable(
          'Weights and mistakes',
          ['epoch', ...all.flatMap((l) => [`${l.gate} weights`, 'mistakes'])],
          Array.from({ length: Math.max(...all.map((l) => l.epochs.length)) }, (_, i) => [
            String(i + 1),
            ...all.flatMap((l) => {
              const e = l.epochs[i]
              return e === undefined ? ['', ''] : [e.weights.join(', ').replaceAll('-', '−'), String(e.mistakes)]
            }),
          ]),
        ),
      },
      network.section,
    ],
  }
}

/** F3 and F4: the perceptron with what it can and cannot learn, and the sign network by hand. */
export const perceptron: Topic = {
  name: 'perceptron',
  title: 'One neuron: Rosenblatt’s perceptron',
  about: 'AND and OR are learned, XOR is not; two neurons and a sum cut out a region that one cannot.',
  rows: ['F3', 'F4'],
  run,
}
