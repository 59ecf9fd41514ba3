import { eye, normal, OpError, type Tensor } from '@tessella/tensor'
import type { Initializer } from './facts.ts'

/** Steps that lift the smallest singular value, then steps that make all of them 1. */
const LIFT = 14
const POLISH = 6

/**
 * Orthogonal rows, or columns where there are more rows (Saxe et al., 2014), times `gain`; axes after the first count
 * as columns, as in `torch.nn.init.orthogonal_`.
 *
 * The polar factor of a normal matrix is distributed as evenly over the orthogonal ones as PyTorch's QR is. It is found
 * by Newton and Schulz's iteration, all matrix products; W W^T is the identity within about 1e-5.
 */
export const orthogonal =
  ({ gain = 1 }: { readonly gain?: number } = {}): Initializer =>
  (key, shape) => {
    if (shape.length < 2) throw new OpError('orthogonal', 'needs two dimensions or more', { shapes: [shape] })
    const rows = shape[0] as number
    const columns = shape.slice(1).reduce((a, b) => a * b, 1)
    const tall = rows > columns
    const [m, n] = tall ? [columns, rows] : [rows, columns]
    const start: Tensor = normal(key, [m, n])
    let x = start.div(start.square().sum().sqrt()) as Tensor
    // Coefficients of K. Jordan's Muon, https://kellerjordan.github.io/posts/muon/: the least values grow 3.4 times.
    for (let i = 0; i < LIFT; i++) {
      const gram = gramOf(x)
      const inner = gram.mul(-4.775).add(gram.matmul(gram).mul(2.0315)) as Tensor
      x = x.mul(3.4445).add(inner.matmul(x)) as Tensor
    }
    for (let i = 0; i < POLISH; i++) x = eye(m).mul(1.5).sub(gramOf(x).mul(0.5)).matmul(x) as Tensor
    const matrix = (tall ? x.transpose() : x) as Tensor
    return matrix.mul(gain).reshape(shape) as Tensor
  }

const gramOf = (x: Tensor): Tensor => x.matmul(x.transpose())
