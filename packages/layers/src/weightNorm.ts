import { nodeOf, OpError, type Shape, type Tensor, Variable, withVariables } from '@tessella/tensor'
import { factsOf, type Recipe } from './facts.ts'
import { defineLayer } from './layer.ts'
import type { AnyLayer, LayerCall } from './types/index.ts'

/** A layer whose `weight` Variable is made of others. */
type Weighted = AnyLayer & { readonly weight: Variable; readonly modal: false }

/** A layer whose weight is a length times a direction. */
export type WeightNorm<L extends Weighted> = LayerCall<L['spec']> &
  Omit<{ readonly [K in keyof L]: L[K] }, 'weight' | 'spec' | 'modal'> & {
    /** The length of each row or filter. */
    readonly weightG: Variable<Shape, 'float32'>
    /** The direction, of any length. */
    readonly weightV: Variable<Shape, 'float32'>
  }

const norms = (v: Tensor, axis: number): Tensor =>
  v
    .square()
    .sum(
      v.shape.map((_, i) => i).filter((i) => i !== axis),
      { keepdim: true },
    )
    .sqrt() as Tensor

/** g v / |v| with the norm over all axes but one. */
export const weightNormOf = (v: Tensor, g: Tensor, axis = 0): Tensor => v.mul(g.div(norms(v, axis))) as Tensor

/**
 * Weight normalisation (Salimans and Kingma, 2016), w = g v / |v|, of a layer with a `weight`: one length for each
 * output (axis 0). It starts with the weight that the layer has. The parameters are `weightG` and `weightV`, as
 * `torch.nn.utils.weight_norm` calls them.
 * @example sequential(weightNorm(linear(784, 128)), relu(), weightNorm(linear(128, 10)))
 */
export function weightNorm<const L extends Weighted>(
  layer: L,
  options: { readonly axis?: number } = {},
): WeightNorm<L> {
  const { axis = 0 } = options
  const { weight } = layer
  if (axis < 0 || axis >= weight.shape.length)
    throw new OpError('weightNorm', `axis ${axis} is none of the weight's`, { shapes: [weight.shape] })
  const start = weight.value
  const weightV = new Variable(start, { name: 'weightV' })
  const lengths = norms(start, axis)
  const weightG = new Variable(lengths, { name: 'weightG' })
  const { weight: _, ...others } = layer as Weighted & Record<string, unknown>
  const about = factsOf(layer)
  const own = about?.recipes.find((recipe) => recipe.target === weight)
  const recipes: Recipe[] = (about?.recipes ?? []).filter((recipe) => recipe !== own)
  if (own !== undefined) {
    const birth = (node: Tensor) => (own.birth === undefined ? undefined : new WeakRef(nodeOf(node)))
    const draw = () => norms(weightV.value, axis)
    const direction: Recipe = { ...own, name: 'weightV', target: weightV, birth: birth(start) }
    const length: Recipe = { name: 'weightG', role: 'other', target: weightG, draw, birth: birth(lengths) }
    recipes.push(direction, length)
  }
  return defineLayer({
    spec: layer.spec,
    modal: false,
    // The length is drawn from the direction, so it comes after it.
    parts: { ...others, weightV, weightG },
    recipes,
    ...(about?.macs === undefined ? {} : { macs: about.macs }),
    // The layer reads its weight while this stands in for it.
    forward: (x, mode) =>
      withVariables(new Map([[weight, weightNormOf(weightV.value, weightG.value, axis)]]), () => layer(x, mode)),
  }) as unknown as WeightNorm<L>
}
