import { flattenTree, mapTree, minimum, OpError, scalar, type Tensor, type Tree } from '@tessella/tensor'
import { stateless, type Transform } from './transform.ts'

function checkLimit(name: string, limit: number): void {
  if (!(limit > 0)) throw new OpError(name, `the limit must be above 0, got ${limit}`)
}

/** Every element of every gradient into [-limit, limit]. */
export function clipByValue(limit: number): Transform<undefined> {
  checkLimit('clipByValue', limit)
  return stateless((g) => g.clip(-limit, limit) as Tensor)
}

/** g * limit / max(|g|, limit), each tensor by its own norm (the lectures' form). */
export function clipByNorm(limit: number): Transform<undefined> {
  checkLimit('clipByNorm', limit)
  return stateless((g) => g.mul(ratio(g.mul(g).sum() as Tensor, limit)) as Tensor)
}

/** min(1, limit / norm) from a sum of squares; 1 for a zero gradient. */
const ratio = (squares: Tensor, limit: number): Tensor =>
  minimum(scalar(1), scalar(limit).div(squares.sqrt().add(1e-6))) as Tensor

/** Euclidean norm of all tensors of a tree together; a scalar. */
export function globalNorm(tree: Tree): Tensor {
  return flattenTree(tree)
    .map((t) => t.mul(t).sum() as Tensor)
    .reduce((a, b) => a.add(b) as Tensor, scalar(0) as Tensor)
    .sqrt() as Tensor
}

/** All gradients by one factor, min(1, limit / (norm + 1e-6)), with the norm over all of them (PyTorch's clip_grad_norm_). */
export function clipByGlobalNorm(limit: number): Transform<undefined> {
  checkLimit('clipByGlobalNorm', limit)
  return {
    init: () => undefined,
    update(grads, state, _params) {
      const norm = globalNorm(grads)
      const factor = ratio(norm.mul(norm) as Tensor, limit)
      return [mapTree(grads, (g) => g.mul(factor) as Tensor), state]
    },
  }
}
