import { OpError, type Shape, type Tensor, type Variable } from '@tessella/tensor'
import { checkOptions } from './checks.ts'
import { factsOf, type Part } from './facts.ts'
import type { AnyLayer, LayerSpec } from './types/index.ts'

/** What scales the output of a linear layer or a convolution: its weight, or the lengths of a normalised one. */
function scaleOf(part: Part): Variable | undefined {
  const { kind, name } = (part as unknown as { readonly spec?: LayerSpec }).spec ?? {}
  if (name !== 'linear' && kind !== 'conv' && kind !== 'convTranspose') return undefined
  const recipes = factsOf(part)?.recipes ?? []
  // Divided by its largest singular value, a weight gives the same at any scale.
  if (recipes.some((recipe) => recipe.name === 'weightOrig')) return undefined
  const own = recipes.find((recipe) => recipe.name === 'weightG') ?? recipes.find((recipe) => recipe.role === 'weight')
  return own?.target
}

/** Settings of {@link unitVariance}. */
export interface UnitVarianceOptions {
  /** The variance that each layer's output gets. Default 1. */
  readonly variance?: number
}

/**
 * Initialisation by data (Mishkin and Matas, 2016): scales the weight of every linear layer and convolution, in the
 * order in which they are called, so that its output on `x` has the variance asked for (1 unless given); of a layer with
 * weight normalisation the lengths, of one with spectral normalisation nothing. Best after
 * `initialize(model, { weight: orthogonal(), bias: zeros })`. Nothing is computed yet: assignments are lazy.
 * @example unitVariance(model, images)
 */
export function unitVariance(model: AnyLayer, x: Tensor, options: UnitVarianceOptions = {}): void {
  checkOptions('unitVariance', options, ['variance'])
  const { variance = 1 } = options
  if (!(variance > 0)) throw new OpError('unitVariance', `the variance must be above 0, got ${variance}`)
  let count = 0
  const visit = (part: Part, args: readonly unknown[]): unknown => {
    const about = factsOf(part)
    if (about?.inside !== undefined)
      return about.inside((inner, _, a) => visit(inner, a), ...(args as [Tensor, 'eval']))
    const weight = scaleOf(part)
    if (weight !== undefined) {
      count++
      const y = part(...(args as never)) as Tensor
      const scale = y.var(undefined, { correction: 0 }).rsqrt().mul(Math.sqrt(variance)) as Tensor
      weight.assign((weight.value as Tensor<Shape, 'float32'>).mul(scale) as Tensor)
    }
    return part(...(args as never))
  }
  visit(model as Part, [x, 'eval'])
  if (count === 0) throw new OpError('unitVariance', 'found no weights', { hint: 'Pass a model made of layers.' })
}
