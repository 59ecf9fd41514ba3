import { grad } from '@tessella/autograd'
import { avgPool2d, constant, conv2d, initialize, receptiveField, sequential } from '@tessella/layers'
import { ones, type Tensor } from '@tessella/tensor'
import { signPicture } from '../pages/field.ts'
import { formulas } from '../pages/formula.ts'
import { plainTable } from '../pages/plainTable.ts'
import { plane, planes } from '../pages/plane.ts'
import { snippet } from '../pages/snippet.ts'
import type { Context, Page, Topic } from '../pages/topic.ts'

const side = 33
type Image = Tensor<[1, 1, number, number], 'float32'>
type Net = (x: Image) => Tensor

const chains: readonly { readonly name: string; readonly net: Net & object }[] = [
  { name: 'one 3×3', net: sequential(conv2d(1, 1, 3)) },
  { name: 'two 3×3', net: sequential(conv2d(1, 1, 3), conv2d(1, 1, 3)) },
  { name: 'four 3×3', net: sequential(conv2d(1, 1, 3), conv2d(1, 1, 3), conv2d(1, 1, 3), conv2d(1, 1, 3)) },
  { name: 'two 3×3, stride 2', net: sequential(conv2d(1, 1, 3, { stride: 2 }), conv2d(1, 1, 3)) },
  {
    name: 'three 3×3, stride 2',
    net: sequential(conv2d(1, 1, 3, { stride: 2 }), conv2d(1, 1, 3, { stride: 2 }), conv2d(1, 1, 3)),
  },
  { name: 'the lectures’ CNN', net: sequential(conv2d(1, 1, 5), avgPool2d(2), conv2d(1, 1, 5), avgPool2d(2)) },
].map(({ name, net }) => ({ name, net: net as unknown as Net & object }))

interface Measured {
  readonly name: string
  /** By the function. */
  readonly told: number
  readonly stride: number
  /** By the gradient: width and height of where it is not 0. */
  readonly seen: number
  readonly support: Float32Array
}

/** Where the gradient of one output is not 0, beside what the function says. */
export async function measured(): Promise<readonly Measured[]> {
  const found: Measured[] = []
  for (const { name, net } of chains) {
    // show: support
    initialize(net, { weight: constant(1), bias: constant(0) })
    const { size, stride } = receptiveField(net)
    const oneOutput = (x: Image): Tensor<[], 'float32'> => {
      const out = net(x)
      const middle = Math.floor((out.shape.at(-1) as number) / 2)
      return out.slice(0, 0, middle, middle).sum() as Tensor<[], 'float32'>
    }
    const gradient = grad(oneOutput)(ones([1, 1, side, side]))
    // end
    const support = (await gradient.data()) as Float32Array
    const columns = new Set<number>()
    for (const [i, v] of support.entries()) if (v !== 0) columns.add(i % side)
    found.push({ name, told: size[0] as number, stride: stride[0] as number, seen: columns.size, support })
  }
  return found
}

async function run(_context: Context): Promise<Page> {
  const all = await measured()
  const agreeing = all.filter((m) => m.told === m.seen).length
  const [one, two, four] = all as [Measured, Measured, Measured]
  const strided = all[3] as Measured
  return {
    found: `For ${agreeing} of ${all.length} networks the field that the function tells is exactly where the gradient is not 0; the lectures’ CNN sees ${all.at(-1)?.seen}×${all.at(-1)?.seen} pixels before its linear layers.`,
    picture: planes(
      all.map((m) =>
        plane({
          label: `${m.name}: gradient of one output over the input`,
          title: `${m.name}: ${m.seen}×${m.seen}`,
          x: [0, side],
          y: [0, side],
          xName: '',
          yName: '',
          sharp: true,
          picture: signPicture(
            { size: side, values: m.support.map((v) => Math.sqrt(v)) },
            Math.sqrt(m.support.reduce((a, b) => Math.max(a, b))),
            230,
          ),
        }),
      ),
    ),
    caption:
      'The gradient of one output in the middle over the 33×33 input, darker where it is larger; all weights are 1. The middle weighs more: more paths lead through it.',
    claims: [
      {
        said: 'The field depends on depth.',
        row: 'F14',
        measured: `${one.seen}, ${two.seen}, ${four.seen} with one, two, four layers`,
        agrees: one.seen < two.seen && two.seen < four.seen,
      },
      {
        said: 'It depends on the stride too: the larger, the larger the field.',
        row: 'F14',
        measured: `two layers: ${two.seen} with stride 1, ${strided.seen} with stride 2`,
        agrees: strided.seen > two.seen,
      },
      {
        said: 'The function tells it for any chain.',
        row: 'F14',
        measured: `told ${all.map((m) => m.told).join(', ')}; by gradient ${all.map((m) => m.seen).join(', ')}`,
        agrees: agreeing === all.length,
      },
    ],
    numbers: { told: all.map((m) => m.told), seen: all.map((m) => m.seen) },
    sections: [
      {
        title: 'Formula',
        lede: 'From layer to layer, r the field, j the distance of neighbouring outputs in the input.',
        body: formulas([
          String.raw`r_l = r_{l-1} + (k_l - 1)\, j_{l-1}, \qquad j_l = j_{l-1}\, s_l`,
          'k the kernel, s the stride',
        ]),
      },
      {
        title: 'Code',
        lede: 'What the function says, and the gradient of one output.',
        body: snippet(import.meta.url, 'support'),
      },
      {
        title: 'In numbers',
        lede: 'Mean pooling stands for max pooling, whose gradient goes to one pixel only.',
        body: plainTable(
          'Receptive fields',
          ['network', 'told', 'by gradient', 'stride'],
          all.map((m) => [m.name, String(m.told), String(m.seen), String(m.stride)]),
        ),
      },
    ],
  }
}

/** F14: the receptive field by gradient support, beside the function. */
export const receptive: Topic = {
  name: 'receptive',
  title: 'What one output sees',
  about: 'Receptive fields measured by where the gradient is not zero, beside what the function tells.',
  rows: ['F14'],
  run,
}
