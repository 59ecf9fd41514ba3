import {
  adaptiveAvgPool2d,
  adaptiveMaxPool2d,
  conv2d,
  countParameters,
  globalAvgPool2d,
  relu,
  sequential,
  summarize,
} from '@tessella/layers'
import { conv2d as convolve, convTranspose2d, key, normal, type Tensor, tensor } from '@tessella/tensor'
import { formulas } from '../pages/formula.ts'
import { type GridImage, imageGrid, signedPicture } from '../pages/imageGrid.ts'
import { plainTable } from '../pages/plainTable.ts'
import { snippet } from '../pages/snippet.ts'
import type { Context, Page, Topic } from '../pages/topic.ts'
import { html } from '../report/html.ts'
import { tiny } from '../report/numbers.ts'

/** Six filters as written by hand. */
const handmade: readonly { readonly name: string; readonly weight: readonly number[]; readonly bias: number }[] = [
  { name: 'as it is', weight: [0, 0, 0, 0, 1, 0, 0, 0, 0], bias: 0 },
  { name: 'mean', weight: [1, 1, 1, 1, 1, 1, 1, 1, 1].map((v) => v / 9), bias: 0 },
  { name: 'upper edges', weight: [-1, -1, -1, 0, 0, 0, 1, 1, 1], bias: -0.5 },
  { name: 'left edges', weight: [-1, 0, 1, -1, 0, 1, -1, 0, 1], bias: -0.5 },
  { name: 'diagonals', weight: [2, -1, -1, -1, 2, -1, -1, -1, 2], bias: -0.5 },
  { name: 'any edges', weight: [-1, -1, -1, -1, 8, -1, -1, -1, -1], bias: -0.5 },
]

const largest = async (a: Tensor, b: Tensor): Promise<number> => a.sub(b).abs().max().item()

/** Channels of [1, c, h, w] as pictures. */
async function channels(x: Tensor, titles: readonly string[]): Promise<readonly GridImage[]> {
  const [, c, h, w] = x.shape as readonly [number, number, number, number]
  const all = Array.from(await x.data(), Number)
  return Array.from({ length: c }, (_, i) => ({
    title: titles[i] ?? '',
    picture: signedPicture(all.slice(i * h * w, (i + 1) * h * w), w),
  }))
}

async function run(context: Context): Promise<Page> {
  const { seed } = context
  const data = await context.mnist()
  const image = tensor(data.test.at(seed % data.test.length).images, [1, 1, 28, 28])
    .cast('float32')
    .div(255) as Tensor
  // show: filters
  const layer = conv2d(1, 6, 3, { padding: 1 })
  layer.weight.assign(
    tensor(
      handmade.flatMap((f) => f.weight),
      [6, 1, 3, 3],
    ),
  )
  layer.bias.assign(
    tensor(
      handmade.map((f) => f.bias),
      [6],
    ),
  )
  const sums = layer(image as never) as Tensor
  const maps = sums.relu() as Tensor
  // end
  // By hand: the sum over the window plus the bias, at one place of every map.
  const pixels = Array.from(await image.data(), Number)
  const at = (r: number, c: number): number => (r < 0 || c < 0 || r > 27 || c > 27 ? 0 : (pixels[28 * r + c] as number))
  const found = Array.from(await sums.data(), Number)
  let byHand = 0
  for (const [k, { weight, bias }] of handmade.entries())
    for (let r = 0; r < 28; r++)
      for (let c = 0; c < 28; c++) {
        const sum = weight.reduce((s, w, i) => s + w * at(r + Math.floor(i / 3) - 1, c + (i % 3) - 1), bias)
        byHand = Math.max(byHand, Math.abs(sum - (found[784 * k + 28 * r + c] as number)))
      }
  // A 1x1 convolution mixes channels at each place by itself.
  const mix = conv2d(6, 2, 1, { seed })
  mix.weight.assign(tensor([0, 0, 1, 1, 0, 0, 0.5, 0.5, -0.2, -0.2, 0, 0], [2, 6, 1, 1]))
  mix.bias.assign(tensor([0, 0]))
  const mixed = mix(maps as never) as Tensor
  const perPlace = mix.weight.value
    .reshape([2, 6])
    .matmul(maps.reshape([6, 784]) as never)
    .reshape([1, 2, 28, 28])
  const asMatrix = await largest(mixed, perPlace as Tensor)
  // show: channels
  const direct = sequential(conv2d(64, 64, 5, { padding: 2 }), relu())
  const narrowed = sequential(conv2d(64, 16, 1), relu(), conv2d(16, 64, 5, { padding: 2 }), relu())
  // end
  const [many, few] = [countParameters(direct), countParameters(narrowed)]
  const macs = (model: Parameters<typeof summarize>[0]): number => summarize(model, [1, 64, 28, 28]).macs
  const kinds = await variants(seed)
  const pooled: GridImage[] = []
  for (const [name, pool] of [
    ['mean', adaptiveAvgPool2d],
    ['largest', adaptiveMaxPool2d],
  ] as const)
    for (const size of [14, 5, 3])
      pooled.push(...(await channels(pool(size)(image as never) as Tensor, [`${name}, ${size} × ${size}`])))
  const whole = await largest(
    globalAvgPool2d()(image as never) as Tensor,
    adaptiveAvgPool2d(1)(image as never) as Tensor,
  )
  const share = macs(narrowed) / macs(direct)
  return {
    found: `Six filters make six maps of one digit, ReLU keeps where they fit. A 1 × 1 convolution from 64 to 16 channels before a 5 × 5 one leaves ${few.toLocaleString('en-US')} of ${many.toLocaleString('en-US')} parameters and ${Math.round(100 * share)} % of the multiplications.`,
    picture: imageGrid([
      ...(await channels(image, ['the digit'])),
      ...(await channels(
        maps,
        handmade.map((f) => f.name),
      )),
    ]),
    caption: 'A digit of MNIST and its six channels after convolution, bias and ReLU; each map has its own scale.',
    claims: [
      {
        said: 'm filters give m channels; z = f(Σ Z ⊙ W + b).',
        row: 'F10',
        measured: `maps ${maps.shape.join(' × ')}; sums by hand differ by at most ${tiny(byHand)}`,
        agrees: byHand < 1e-5 && maps.shape[1] === 6,
      },
      {
        said: 'A 1 × 1 convolution cuts the number of channels.',
        row: 'F15',
        measured: `6 channels become 2; the same as a matrix at each place, up to ${tiny(asMatrix)}`,
        agrees: asMatrix < 1e-5,
        remark: `Before a 5 × 5 convolution of 64 channels: ${few.toLocaleString('en-US')} parameters instead of ${many.toLocaleString('en-US')}.`,
      },
      {
        said: 'Global pooling is adaptive pooling to one place.',
        row: 'F16',
        measured: `they differ by ${tiny(whole)}`,
        agrees: whole < 1e-6,
      },
      {
        said: 'A transposed convolution is the transposed matrix; dilation spreads the filter; groups do not mix.',
        row: 'F10',
        measured: `⟨y, conv x⟩ and ⟨convᵀ y, x⟩ differ by ${tiny(kinds.adjoint)}; a filter of 3 with dilation 2 equals one of 5 with zeros up to ${tiny(kinds.dilated)}; two groups equal two convolutions up to ${tiny(kinds.grouped)}`,
        agrees: kinds.adjoint < 1e-5 && kinds.dilated < 1e-5 && kinds.grouped < 1e-5,
      },
    ],
    numbers: { byHand, asMatrix, parameters: [many, few], macShare: share, ...kinds },
    sections: [
      {
        title: 'Formula',
        lede: 'k filters over the channels c of the input.',
        body: formulas(
          [
            String.raw`z_{k,i,j} = f\Bigl(\sum_{c,u,v} Z_{c,\,i+u,\,j+v}\, W_{k,c,u,v} + b_k\Bigr)`,
            'one map for each filter; the lectures’ convolution does not turn the filter',
          ],
          [
            String.raw`z_{k,i,j} = f\Bigl(\sum_c Z_{c,i,j} W_{k,c} + b_k\Bigr)`,
            '1 × 1: channels are mixed at each place',
          ],
        ),
      },
      {
        title: 'Before ReLU',
        lede: 'Sums of the same filters: warm above zero, cold below.',
        body: html`<div class="card">${imageGrid(
          await channels(
            sums,
            handmade.map((f) => f.name),
          ),
        )}</div>`,
      },
      {
        title: 'Six channels become two',
        lede: 'By a 1 × 1 convolution: the sum of the edges, and the digit less its edges.',
        body: html`<div class="card">${imageGrid(await channels(mixed, ['edges', 'inside']))}</div>${plainTable(
          'Parameters and multiplications',
          ['from 64 to 64 channels, 28 × 28', 'parameters', 'multiplications'],
          [
            ['5 × 5', many.toLocaleString('en-US'), macs(direct).toLocaleString('en-US')],
            ['1 × 1 to 16, then 5 × 5', few.toLocaleString('en-US'), macs(narrowed).toLocaleString('en-US')],
          ],
        )}`,
      },
      {
        title: 'Adaptive pooling',
        lede: 'Windows that give the size asked for, whatever the input.',
        body: html`<div class="card">${imageGrid(pooled)}</div>`,
      },
      {
        title: 'Code',
        lede: 'The filters; and the two ways to 64 channels.',
        body: html`${snippet(import.meta.url, 'filters')}${snippet(import.meta.url, 'channels')}${snippet(import.meta.url, 'variants')}`,
      },
    ],
  }
}

/** Transposed, dilated and grouped convolutions against what they stand for: relative or absolute differences. */
async function variants(seed: number) {
  const random = (n: number, ...shape: number[]): Tensor => normal(key(seed + n), shape) as Tensor
  // show: variants
  const [x, w] = [random(1, 1, 2, 9, 9), random(2, 4, 2, 3, 3)]
  const y = convolve(x as never, w as never, { stride: 2 }) as Tensor
  const back = random(3, ...y.shape)
  const transposed = convTranspose2d(back as never, w as never, { stride: 2 }) as Tensor
  const adjoint = [y.mul(back).sum(), transposed.mul(x).sum()]
  const spread = convolve(x as never, w as never, { dilation: 2 }) as Tensor
  const grouped = convolve(x as never, random(4, 4, 1, 3, 3) as never, { groups: 2 }) as Tensor
  // end
  const zeros = Array.from(await w.data(), Number)
  const wide = new Float32Array(4 * 2 * 25)
  for (const [i, v] of zeros.entries()) wide[25 * Math.floor(i / 9) + 10 * Math.floor((i % 9) / 3) + 2 * (i % 3)] = v
  const halves = [0, 1].map((g) =>
    convolve(x.narrow(1, g, 1) as never, random(4, 4, 1, 3, 3).narrow(0, 2 * g, 2) as never),
  ) as readonly Tensor[]
  const parts = await Promise.all(halves.map((h, g) => largest(grouped.narrow(1, 2 * g, 2) as Tensor, h)))
  const [a, b] = [Number(await adjoint[0]?.item()), Number(await adjoint[1]?.item())]
  return {
    adjoint: Math.abs(a - b) / Math.abs(a),
    dilated: await largest(spread, convolve(x as never, tensor(wide, [4, 2, 5, 5]) as never) as Tensor),
    grouped: Math.max(...parts),
  }
}

/** F10, F15 and the other convolutions and pools: filters of a digit, 1x1 convolutions, adaptive pooling. */
export const filters: Topic = {
  name: 'filters',
  title: 'Filters, channels and pools',
  about: 'Six filters over a digit, channels cut by 1 × 1 convolutions, other convolutions, adaptive pooling.',
  rows: ['F10', 'F15', 'F16'],
  run,
}
