import { fromData, type HostArray, namedVariables, OpError, ones, type Tensor, Variable } from '@tessella/tensor'
import { type Selection, selectedByName } from './parameters.ts'

/** Tensors by the names of parameters. */
export type ByName = Readonly<Record<string, Tensor>>

/** Which weights of a model are left. */
export interface Pruning {
  /** 1 where a weight stays, 0 where it was removed, by the parameter's name. Variables that are not trained. */
  readonly masks: Readonly<Record<string, Variable>>
  /** The parameters themselves, by the same names. */
  readonly parameters: Readonly<Record<string, Variable>>
  /** Multiplies the parameters by their masks: after the optimizer's update, inside the step. */
  apply(): void
  /** Removes the `count` weights left that score least, and answers how many it removed: all when fewer are left. */
  removeLeast(scores: ByName, count: number): Promise<number>
  /** How many weights are left. */
  remaining(): Promise<number>
  /** Takes back what happens from now on: the answer restores the masks and every Variable of the model as they are. */
  remember(): () => void
}

const dataOf = async (variable: Variable): Promise<HostArray> => variable.value.data()

/** One weight that may go. */
interface Candidate {
  readonly name: string
  readonly place: number
  readonly score: number
}

/**
 * Masks for the selected parameters, everything left at first. Removing sets weights to 0; `apply` in every step keeps them
 * there, and so does `maskUpdates(masks)` of the optimizers, which also keeps their moments at 0.
 * @example
 * const kept = pruning(model)
 * await kept.removeLeast(magnitudes(kept), 1000)
 * const step = trainStep({ model, optimizer, loss, after: () => kept.apply() })
 */
export function pruning(model: unknown, selection: Selection = {}): Pruning {
  const parameters = selectedByName('pruning', model, selection)
  const masks = Object.fromEntries(
    Object.entries(parameters).map(([name, v]) => [
      name,
      new Variable(ones(v.shape) as Tensor, { trainable: false, name: `mask of ${name}` }),
    ]),
  )
  const apply = (): void => {
    for (const [name, v] of Object.entries(parameters))
      v.assign(v.value.mul((masks[name] as Variable).value).cast(v.dtype) as Tensor)
  }
  const candidates = async (scores: ByName): Promise<Candidate[]> => {
    const found: Candidate[] = []
    for (const [name, mask] of Object.entries(masks)) {
      const score = scores[name]
      if (score === undefined || score.shape.join() !== mask.shape.join())
        throw new OpError('pruning', `needs a score for every weight of '${name}'`, {
          shapes: [mask.shape, ...(score === undefined ? [] : [score.shape])],
          hint: 'Scores come by the names of the parameters, in their shapes.',
        })
      const [left, values] = [await dataOf(mask), await score.data()]
      for (let place = 0; place < values.length; place++) {
        if (Number(left[place]) === 0) continue
        const value = Number(values[place])
        if (Number.isNaN(value)) throw new OpError('pruning', `a score of '${name}' is NaN`)
        found.push({ name, place, score: value })
      }
    }
    return found
  }
  return {
    masks,
    parameters,
    apply,
    async removeLeast(scores, count) {
      if (!Number.isInteger(count) || count < 0)
        throw new OpError('pruning', `removes a whole number of weights, got ${count}`)
      // The sort keeps the order of equals, so ties go in the order of the parameters.
      const gone = (await candidates(scores)).toSorted((a, b) => a.score - b.score).slice(0, count)
      const places = Map.groupBy(gone, (c) => c.name)
      for (const [name, removed] of places) {
        const mask = masks[name] as Variable
        const next = Float32Array.from(await dataOf(mask), Number)
        for (const { place } of removed) next[place] = 0
        mask.assign(fromData(next, mask.shape, 'float32') as Tensor)
      }
      apply()
      return gone.length
    },
    async remaining() {
      const sums = await Promise.all(Object.values(masks).map(async (m) => Number(await m.value.sum().item())))
      return sums.reduce((a, b) => a + b, 0)
    },
    remember() {
      // What is trained beside the weights, such as biases, and running statistics belong to the state too.
      const before = [...Object.values(namedVariables({ model, masks }))].map((v) => [v, v.value] as const)
      return () => {
        for (const [v, value] of before) v.assign(value)
      }
    },
  }
}

/** |w| of every weight: the score of magnitude pruning. */
export const magnitudes = ({ parameters }: Pruning): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(parameters).map(([name, v]) => [name, v.value.abs() as Tensor]))

/**
 * The salience of every weight, S = w^2 d2Q/dw2: twice what the criterion grows by when the weight is set to 0, as far as its
 * diagonal second derivatives tell (LeCun et al., 1990, have the half in it, which changes no order).
 * @param second d2Q/dw2 by the names of the parameters, from `denseCurvature` or `hutchinsonDiagonal`
 */
export const saliences = ({ parameters }: Pruning, second: ByName): Record<string, Tensor> =>
  Object.fromEntries(
    Object.entries(parameters).map(([name, v]) => {
      const h = second[name]
      if (h === undefined)
        throw new OpError('saliences', `there are no second derivatives of '${name}'`, {
          hint: 'They come by the names of the parameters that are pruned.',
        })
      return [name, v.value.square().mul(h) as Tensor]
    }),
  )

/**
 * What the inputs of a layer are worth: S_j = sum_h S_hj over its units, for a weight's saliences [units, inputs] of the first
 * layer. Features that are worth least can be left out.
 */
export function featureSalience(salience: Tensor): Tensor<[number], 'float32'> {
  if (salience.ndim !== 2) throw new OpError('featureSalience', 'expects [units, inputs]', { shapes: [salience.shape] })
  return salience.sum(0) as unknown as Tensor<[number], 'float32'>
}

/** The score of every weight of a first layer [units, inputs] that makes whole inputs go together: that of its input. */
export const perFeature = (salience: Tensor): Tensor =>
  featureSalience(salience)
    .unsqueeze(0)
    .expand(salience.shape as readonly [number, number]) as Tensor
