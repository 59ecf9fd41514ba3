import { nodeOf, normal, OpError, type Shape, type Tensor, Variable, withVariables } from '@tessella/tensor'
import { checkCount, checkOptions } from './checks.ts'
import { factsOf, type Recipe } from './facts.ts'
import { defineLayer } from './layer.ts'
import { freshKey } from './recipe.ts'
import type { AnyLayer, ModalLayerCall, Mode } from './types/index.ts'

/** A layer whose `weight` Variable is made of others. */
type Weighted = AnyLayer & { readonly weight: Variable; readonly modal: false }

/** Settings of {@link spectralNorm}. */
export interface SpectralNormOptions {
  /** The weight's axis of outputs. Default 0, for transposed convolutions 1. */
  readonly axis?: number
  /** Steps of the power method in each training call. Default 1. */
  readonly iterations?: number
  /** Least length that is divided by. Default 1e-12. */
  readonly eps?: number
}

/** A layer whose weight has the largest singular value 1. */
export type SpectralNorm<L extends Weighted> = ModalLayerCall<L['spec']> &
  Omit<{ readonly [K in keyof L]: L[K] }, 'weight' | 'spec' | 'modal'> & {
    /** The weight before it is divided. */
    readonly weightOrig: Variable<Shape, 'float32'>
    /** The left and the right singular vector, followed from call to call; not trained. */
    readonly weightU: Variable<[number], 'float32'>
    readonly weightV: Variable<[number], 'float32'>
  }

// As many as PyTorch runs before the first call.
const WARM_UP = 15

/**
 * Spectral normalisation (Miyato et al., 2018), w / sigma with the largest singular value sigma = u^T w v, of a layer with
 * a `weight`, which counts as a matrix [outputs, rest]. Every call in training moves u and v by the power method, and the
 * gradient takes them as given. The Variables are `weightOrig`, `weightU` and `weightV`, as
 * `torch.nn.utils.spectral_norm` calls them.
 * @example sequential(spectralNorm(linear(784, 128)), relu(), spectralNorm(linear(128, 1)))(x, 'train')
 */
export function spectralNorm<const L extends Weighted>(layer: L, options: SpectralNormOptions = {}): SpectralNorm<L> {
  const op = 'spectralNorm'
  checkOptions(op, options, ['axis', 'iterations', 'eps'])
  const { axis = layer.spec.kind === 'convTranspose' ? 1 : 0, iterations = 1, eps = 1e-12 } = options
  checkCount(op, 'iterations', iterations)
  const { weight } = layer
  const { shape } = weight
  if (!Number.isInteger(axis) || axis < 0 || axis >= shape.length)
    throw new OpError(op, `axis ${axis} is none of the weight's`, { shapes: [shape] })
  const order = [axis, ...shape.map((_, i) => i).filter((i) => i !== axis)]
  const rows = shape[axis] as number
  const matrixOf = (w: Tensor): Tensor => w.permute(order).reshape([rows, -1]) as Tensor
  const unit = (x: Tensor): Tensor => x.div(x.norm().clip(eps) as Tensor) as Tensor
  /** v = W^T u and u = W v, each of length 1. */
  const powered = (w: Tensor, u: Tensor, steps: number): readonly [u: Tensor, v: Tensor] => {
    let [left, right] = [u, unit(w.transpose().matmul(u) as Tensor)]
    for (let i = 0; i < steps; i++) {
      if (i > 0) right = unit(w.transpose().matmul(left) as Tensor)
      left = unit(w.matmul(right) as Tensor)
    }
    return [left, right]
  }

  const start = weight.value
  const weightOrig = new Variable(start, { name: 'weightOrig' })
  const drawU = (key: Parameters<typeof normal>[0]): Tensor => {
    const [u] = powered(matrixOf(weightOrig.value), unit(normal(key, [rows]) as Tensor), WARM_UP)
    return u
  }
  const drawV = (): Tensor =>
    unit(
      matrixOf(weightOrig.value)
        .transpose()
        .matmul(weightU.value as Tensor) as Tensor,
    )
  const u = drawU(freshKey())
  const weightU = new Variable(u, { name: 'weightU', trainable: false })
  const v = drawV()
  const weightV = new Variable(v, { name: 'weightV', trainable: false })

  const { weight: _, ...others } = layer as Weighted & Record<string, unknown>
  const about = factsOf(layer)
  const own = about?.recipes.find((recipe) => recipe.target === weight)
  const recipes: Recipe[] = (about?.recipes ?? []).filter((recipe) => recipe !== own)
  if (own !== undefined) {
    const birth = (value: Tensor) => (own.birth === undefined ? undefined : new WeakRef(nodeOf(value)))
    recipes.push(
      { ...own, name: 'weightOrig', target: weightOrig, birth: birth(start) },
      // The vectors belong to the weight, so they are drawn after it.
      { name: 'weightU', role: 'other', target: weightU, draw: drawU, birth: birth(u) },
      { name: 'weightV', role: 'other', target: weightV, draw: drawV, birth: birth(v) },
    )
  }
  const normalised = (mode: Mode): Tensor => {
    const w = weightOrig.value as Tensor
    if (mode === 'train') {
      const [nextU, nextV] = powered(matrixOf(w.detach()), weightU.value as Tensor, iterations)
      weightU.assign(nextU)
      weightV.assign(nextV)
    }
    const [left, right] = [weightU.value.detach() as Tensor, weightV.value.detach() as Tensor]
    return w.div(matrixOf(w).matmul(right).mul(left).sum()) as Tensor
  }
  return defineLayer({
    spec: layer.spec,
    modal: true,
    parts: { ...others, weightOrig, weightU, weightV },
    recipes,
    ...(about?.macs === undefined ? {} : { macs: about.macs }),
    // The layer reads its weight while this stands in for it.
    forward: (x, mode) => withVariables(new Map([[weight, normalised(mode)]]), () => layer(x, mode)),
  }) as unknown as SpectralNorm<L>
}
