import {
  checkOptions,
  isTensor,
  namedVariables,
  nodeOf,
  OpError,
  type Shape,
  type Tensor,
  zeros,
} from '@tessella/tensor'
import { factsOf, joinPath, type Part } from './facts.ts'
import { namedRecipes } from './recipe.ts'
import type { AnyLayer, LayerSpec } from './types/index.ts'

/** One call of a layer that has no layers inside. */
export interface Call {
  /** Dotted, as in the state dictionary; empty for a model that is one layer. */
  readonly path: string
  readonly name: string
  readonly layer: unknown
  readonly input: Shape
  readonly output: Shape
  /** The tensors it is called with, and the one it gives. */
  readonly given: readonly Tensor[]
  readonly made: Tensor
}

/** A model traced for one input. */
export interface Trial {
  readonly calls: readonly Call[]
  readonly input: Tensor
  readonly output: Tensor
  /** The values of its Variables, where walks over the graph end. */
  readonly parameters: readonly ReturnType<typeof nodeOf>[]
}

const specOf = (x: unknown): Partial<LayerSpec> & Record<string, unknown> =>
  typeof x === 'function' && 'spec' in x ? ((x.spec ?? {}) as Partial<LayerSpec> & Record<string, unknown>) : {}

/** The first layer of a chain that says anything about inputs. */
function firstSpec(model: unknown): Record<string, unknown> {
  const spec = specOf(model)
  const first = Array.isArray(spec.layers) ? spec.layers.find((l) => specOf(l).kind !== 'same') : spec.inner
  return first === undefined ? spec : firstSpec(first)
}

/** The shape to try a model with: the one given, or one example of what the model declares. */
function trialShape(op: string, model: unknown, inputShape: Shape | undefined): Shape {
  if (inputShape !== undefined) return inputShape
  const spec = firstSpec(model)
  if (spec.kind === 'input') return [1, ...(spec.sizes as Shape)]
  throw new OpError(op, 'needs the shape of an input', {
    hint: 'Pass it, batch included: [1, 1, 28, 28]; or start the model with input(1, 28, 28).',
  })
}

/** Calls of layers by tracing the model; nothing is computed. */
export function callsOf(op: string, model: AnyLayer, inputShape: Shape | undefined): Trial {
  const shape = trialShape(op, model, inputShape)
  const x = zeros(shape, firstSpec(model).kind === 'lookup' ? 'int32' : 'float32') as Tensor
  const calls: Call[] = []
  const visit = (part: Part, path: string, args: readonly unknown[]): unknown => {
    const inside = factsOf(part)?.inside
    if (inside !== undefined)
      return inside((p, below, a) => visit(p, joinPath(path, below), a), ...(args as [Tensor, 'eval']))
    const y = part(...(args as never))
    const given = args.filter((a): a is Tensor => isTensor(a))
    if (!isTensor(y))
      throw new OpError(op, `'${joinPath(path, part.name)}' gives no tensor`, { hint: 'Layers give tensors.' })
    calls.push({
      path,
      name: specOf(part).name ?? part.name,
      layer: part,
      input: given[0]?.shape ?? [],
      output: y.shape,
      given,
      made: y,
    })
    return y
  }
  const parameters = Object.values(namedVariables(model)).map((v) => nodeOf(v.value))
  const output = visit(model as Part, '', [x, 'eval']) as Tensor
  return { calls, input: x, output, parameters }
}

/**
 * The shape that a model makes of a shape, batch included; nothing is computed.
 * @example outputShape(leNet, [64, 1, 28, 28]) // [64, 10]
 */
export const outputShape = (model: AnyLayer, inputShape?: Shape): Shape =>
  callsOf('outputShape', model, inputShape).output.shape

/** What {@link countParameters} counts. */
export interface CountOptions {
  /** Count what is not trained too: running statistics, not random states. Default false. */
  readonly all?: boolean
}

const sizeOf = (shape: Shape): number => shape.reduce((a, b) => a * b, 1)

/**
 * How many numbers training adjusts. A fully connected layer of n inputs and t outputs has t (n + 1).
 * @example countParameters(linear(784, 120)) // 94200
 */
export function countParameters(model: unknown, options: CountOptions = {}): number {
  checkOptions('countParameters', options, ['all'])
  const random = new Set(namedRecipes(model).flatMap(([, r]) => (r.role === 'random' ? [r.target] : [])))
  return Object.values(namedVariables(model))
    .filter((v) => (options.all === true ? !random.has(v) : v.trainable))
    .reduce((sum, v) => sum + sizeOf(v.shape), 0)
}

/** The Variables of a layer that is called as a whole, without its random states. */
export function ownVariables(layer: unknown): readonly { readonly shape: Shape; readonly trainable: boolean }[] {
  const random = new Set((factsOf(layer)?.recipes ?? []).flatMap((r) => (r.role === 'random' ? [r.target] : [])))
  return Object.values(namedVariables(layer)).filter((v) => !random.has(v))
}
