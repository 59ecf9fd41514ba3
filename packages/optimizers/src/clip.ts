import { flattenTree, mapTree, maximum, OpError, scalar, type Tensor, type Tree } from '@tessella/tensor'
import { type Nothing, stateless, type Transform } from './transform.ts'

function checkLimit(op: string, limit: number): void {
  if (!(limit > 0 && Number.isFinite(limit)))
    throw new OpError(op, `the limit must be a finite number above 0, got ${limit}`)
}

/** limit / max(norm, limit): 1 within the limit. */
const shrink = (norm: Tensor, limit: number): Tensor => scalar(limit).div(maximum(norm, limit))

/** Every element of every gradient into [-limit, limit]. */
export function clipByValue(limit: number): Transform<Nothing> {
  checkLimit('clipByValue', limit)
  return stateless((g) => g.clip(-limit, limit))
}

/** g * limit / max(|g|, limit), each tensor by its own norm (the lectures' form). */
export function clipByNorm(limit: number): Transform<Nothing> {
  checkLimit('clipByNorm', limit)
  return stateless((g) => g.mul(shrink(g.norm(), limit)))
}

/** Euclidean norm of all tensors of a tree together; a scalar. */
export function globalNorm(tree: Tree): Tensor {
  return flattenTree(tree)
    .map((t): Tensor => t.square().sum())
    .reduce((a, b) => a.add(b), scalar(0))
    .sqrt()
}

/** All gradients by one factor, limit / max(|g|, limit), with the norm over all of them (as PyTorch's clip_grad_norm_). */
export function clipByGlobalNorm(limit: number): Transform<Nothing> {
  checkLimit('clipByGlobalNorm', limit)
  return {
    init: () => [],
    update(grads, state) {
      const factor = shrink(globalNorm(grads), limit)
      return [mapTree(grads, (g) => g.mul(factor)), state]
    },
  }
}
