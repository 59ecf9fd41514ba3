import { namedVariables, OpError, type Variable } from '@tessella/tensor'
import { checkOptions } from './checks.ts'
import type { Initializer } from './facts.ts'
import { drawn, keyOf, namedRecipes, redraw } from './recipe.ts'

/** What {@link initialize} draws. */
export interface InitializeOptions {
  /** For matrices and filters: linear, convolution and embedding weights. Their own initialisers unless given. */
  readonly weight?: Initializer
  /** For the biases that go with them. Their own initialisers unless given. */
  readonly bias?: Initializer
  /** Chooses an initialiser for any trainable Variable by name, before `weight` and `bias`. */
  readonly choose?: (name: string, variable: Variable) => Initializer | undefined
  /** Default 0. The same seed and names give the same numbers on every backend. */
  readonly seed?: number
}

/**
 * Draws every parameter of a model again: each from the seed and its own name, so that the numbers do not depend on
 * the order of layers, nor on the backend. Scales and running statistics go back to where they started. Random states
 * of dropout start again too.
 * @example initialize(model, { weight: heNormal(), bias: zeros, seed: 1 })
 */
export function initialize(model: unknown, options: InitializeOptions = {}): void {
  checkOptions('initialize', options, ['weight', 'bias', 'choose', 'seed'])
  const { weight, bias, choose, seed = 0 } = options
  const variables = namedVariables(model)
  const recipes = new Map(namedRecipes(model).map(([, recipe]) => [recipe.target, recipe]))
  let count = 0
  for (const [name, variable] of Object.entries(variables)) {
    const recipe = recipes.get(variable)
    const role = recipe?.role === 'weight' ? weight : recipe?.role === 'bias' ? bias : undefined
    const init = (variable.trainable ? choose?.(name, variable) : undefined) ?? role
    if (recipe === undefined && init === undefined) continue
    count++
    const key = keyOf(seed, name)
    if (recipe === undefined) variable.assign(drawn(init as Initializer, key, variable.shape, name))
    else redraw(recipe, key, false, init && ((k) => drawn(init, k, variable.shape, name)))
  }
  if (count === 0)
    throw new OpError('initialize', 'found nothing to initialise', {
      hint: 'Pass a model made of layers, or `choose` initialisers for Variables of your own.',
    })
}
