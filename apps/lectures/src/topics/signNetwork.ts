import { sign } from '@tessella/layers'
import { type Tensor, tensor } from '@tessella/tensor'
import { gridPoints, signPicture } from '../pages/field.ts'
import { formulas } from '../pages/formula.ts'
import { plane, planes } from '../pages/plane.ts'
import { snippet } from '../pages/snippet.ts'
import type { Claim, Section } from '../pages/topic.ts'
import { html } from '../report/html.ts'
import { percent } from '../report/numbers.ts'

const size = 200
const x = [-1, 6] as const
// Shifted a little, so that no place lies on a line, where sign is 0.
const y = [-7.02, 6.98] as const

type Rows = Tensor<[number, 2], 'float32'>

/** The lecture's network of two sign neurons, with weights written by hand (F3). */
export async function signNetwork(): Promise<{
  readonly claim: Claim
  readonly section: Section
  readonly share: number
}> {
  const grid: Float32Array = gridPoints(size, x, y)
  // show: network
  const weights = tensor([
    [-2, 1],
    [2, 1],
  ])
  const bias = tensor([5, -5])
  const network = (points: Rows) => {
    const b = sign()(points.matmul(weights.T).add(bias))
    return { b, a: b.sum(1) }
  }
  // end
  const out = network(tensor(grid, [size * size, 2]))
  const b = (await out.b.data()) as Float32Array
  const a = (await out.a.data()) as Float32Array
  // The region that the two lines enclose, from the inequalities themselves.
  let wrong = 0
  let inside = 0
  for (let i = 0; i < a.length; i++) {
    const [x1, x2] = [grid[2 * i] as number, grid[2 * i + 1] as number]
    const below = -2 * x1 + x2 + 5 < 0 && 2 * x1 + x2 - 5 < 0
    if ((a[i] as number) < 0) inside++
    if (below !== (a[i] as number) < 0) wrong++
  }
  const share = inside / a.length
  const of = (title: string, values: ArrayLike<number>, strength: number) =>
    plane({
      label: `${title} over the plane`,
      title,
      x,
      y,
      xName: 'x1',
      yName: 'x2',
      picture: signPicture({ size, values }, 1, strength),
      sharp: true,
    })
  return {
    share,
    claim: {
      said: 'z1 = −2 x1 + x2 + 5, z2 = 2 x1 + x2 − 5, a = sign z1 + sign z2: [a < 0] is a region that no single line cuts out.',
      row: 'F3',
      measured: `[a < 0] is the wedge below both lines, ${percent(share)} of the picture; ${wrong} of ${a.length} places differ from the inequalities`,
      agrees: wrong === 0 && share > 0,
    },
    section: {
      title: 'Two neurons and a sum (F3)',
      lede: 'Each neuron cuts the plane with a line; their sum is negative only where both say −1.',
      body: html`${formulas(
        [String.raw`z_1 = -2x_1 + x_2 + 5, \quad z_2 = 2x_1 + x_2 - 5`, 'two linear models'],
        [
          String.raw`b_i = \mathrm{sign}(z_i), \quad a = b_1 + b_2, \quad \text{class} = [a < 0]`,
          'a step between them makes the sum more than a line',
        ],
      )}<div class="card">${planes([
        of(
          'b1 = sign(z1)',
          b.filter((_, i) => i % 2 === 0),
          90,
        ),
        of(
          'b2 = sign(z2)',
          b.filter((_, i) => i % 2 === 1),
          90,
        ),
        of(
          '[a < 0]',
          a.map((v) => (v < 0 ? 1 : 0)),
          150,
        ),
      ])}</div>${snippet(import.meta.url, 'network')}`,
    },
  }
}
