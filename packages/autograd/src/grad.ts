import { build, type Node, OpError } from '@tessella/ir'
import {
  asTransform,
  checkOptions,
  fromNode,
  isVariable,
  namedVariables,
  type Tensor,
  type Variable,
  withVariables,
} from '@tessella/tensor'
import { vjpNodes } from './backward.ts'
import { lossOf, type ScalarLoss } from './loss.ts'
import { aliases, floatNodes, type Grads, treeLike } from './treeNodes.ts'
import { cotangentDtype } from './vjp.ts'

/** Which arguments to differentiate by. */
export type Argnums = number | readonly number[]

/** The gradients by the arguments that `N` names: trees like the arguments themselves. */
export type ArgGrads<A extends readonly unknown[], N extends Argnums> = N extends number
  ? A[N]
  : { -readonly [I in keyof N]: A[N[I] & keyof A] }

export interface GradOptions<N extends Argnums = Argnums> {
  /** Which arguments to differentiate by. Default 0. */
  readonly argnums?: N
  /** The function returns [loss, aux]; aux is handed on without a gradient. Default false. */
  readonly hasAux?: boolean
}
type WithAux = { readonly hasAux: true }

const optionNames = new Set(['argnums', 'hasAux'])
const isArgnums = (x: unknown): x is Argnums =>
  typeof x === 'number' || (Array.isArray(x) && x.length > 0 && x.every((n) => typeof n === 'number'))

/** A record of options rather than a model: nothing but option names, and no Variable under them. */
function isOptions(x: unknown): x is GradOptions {
  if (typeof x !== 'object' || x === null || Array.isArray(x) || isVariable(x)) return false
  const keys = Object.keys(x)
  return keys.length > 0 && keys.every((key) => optionNames.has(key)) && Object.keys(namedVariables(x)).length === 0
}

type Result = readonly [value: unknown, grads: unknown]
type Traced = (...args: unknown[]) => Tensor | readonly [Tensor, unknown]

const one = (loss: Node): Node => build.constant(1, cotangentDtype(loss))

/** Runs the function on its Variables under new identities and sweeps back to them. */
function byVariables(op: string, f: Traced, model: unknown, hasAux: boolean): Result {
  const variables = Object.entries(namedVariables(model, { trainable: true }))
  if (variables.length === 0)
    throw new OpError(op, 'found no trainable Variables', {
      hint: 'Pass the model, a Variable, or an object or array of them after the function; options are argnums and hasAux.',
    })
  const inputs = variables.map(([path, v]) => build.alias(floatNodes(op, `Variable '${path}'`, v.value)[0] as Node))
  const replaced = new Map<Variable, Tensor>(variables.map(([, v], i) => [v, fromNode(inputs[i] as Node)]))
  const { loss, node, aux } = lossOf(
    op,
    withVariables(replaced, () => f()),
    hasAux,
  )
  const found = vjpNodes([node], [one(node)], inputs)
  const grads: Grads = Object.fromEntries(variables.map(([path], i) => [path, fromNode(found[i] as Node)]))
  return [hasAux ? [loss, aux] : loss, grads]
}

/** Runs the function on the chosen arguments under new identities and sweeps back to them. */
function byArguments(op: string, f: Traced, args: readonly unknown[], argnums: Argnums, hasAux: boolean): Result {
  const chosen = typeof argnums === 'number' ? [argnums] : argnums
  const watched = [...args]
  const inputs = chosen.map((n) => {
    if (!Number.isInteger(n) || n < 0 || n >= args.length)
      throw new OpError(op, `there is no argument ${n}: the function was called with ${args.length}`, {
        hint: 'argnums counts the arguments from 0.',
      })
    const fresh = aliases(floatNodes(op, `argument ${n}`, args[n]))
    watched[n] = treeLike(args[n], fresh)
    return fresh
  })
  if (new Set(chosen).size !== chosen.length) throw new OpError(op, `argnums [${chosen.join(', ')}] repeat an argument`)
  const { loss, node, aux } = lossOf(
    op,
    asTransform(() => f(...watched)),
    hasAux,
  )
  const found = vjpNodes([node], [one(node)], inputs.flat())
  const starts = inputs.map((_, i) => inputs.slice(0, i).flat().length)
  const grads = chosen.map((n, i) => treeLike(args[n], found.slice(starts[i])))
  return [hasAux ? [loss, aux] : loss, typeof argnums === 'number' ? grads[0] : grads]
}

/** Sorts out what follows the function: argument numbers, options, or a model. */
function transform<T>(op: string, f: Traced, by: unknown, options: unknown, pick: (r: Result) => T): unknown {
  if (typeof f !== 'function')
    throw new OpError(op, `the first argument must be a function, got ${typeof f}`, {
      hint: `Write ${op}(() => loss(model(x), y), model).`,
    })
  if (by === undefined || isArgnums(by) || isOptions(by)) {
    const { argnums = 0, hasAux = false }: GradOptions = isOptions(by) ? by : by === undefined ? {} : { argnums: by }
    return (...args: unknown[]) => pick(byArguments(op, f, args, argnums, hasAux))
  }
  if (options !== undefined) checkOptions(op, options as object, ['hasAux'])
  const hasAux = isOptions(options) && options.hasAux === true
  return pick(byVariables(op, f, by, hasAux))
}

/**
 * The value of a scalar function and its gradients, in one graph. Nothing is evaluated.
 *
 * With argument numbers (default 0) it answers a function: its gradients have the structure of the arguments.
 * With a model (anything that holds Variables) it calls `f` once, now, and answers the gradients by the trainable
 * Variables' paths; a Variable that the loss does not use gets zeros.
 *
 * History from before the call does not count; nested calls give higher derivatives. `hasAux: true` lets `f` return
 * `[loss, aux]`.
 *
 * @throws OpError when the loss is not a floating scalar, or an argument is not floating
 *
 * @example
 * const [loss, grads] = valueAndGrad(() => mse(model(x), y), model) // { '0.weight': Tensor, '0.bias': Tensor }
 * opt.update(grads)
 * @example
 * const [y, dx] = valueAndGrad((x: Tensor<[3]>) => x.mul(x).sum())(x) // dx = 2x
 */
export function valueAndGrad<A extends readonly unknown[], L extends Tensor, X, const N extends Argnums = 0>(
  f: (...args: A) => readonly [L, X],
  options: GradOptions<N> & WithAux,
): (...args: A) => [value: [loss: L, aux: X], grads: ArgGrads<A, N>]
export function valueAndGrad<A extends readonly unknown[], L extends Tensor, const N extends Argnums = 0>(
  f: ((...args: A) => L) & ScalarLoss<L>,
  argnums?: N | GradOptions<N>,
): (...args: A) => [loss: L, grads: ArgGrads<A, N>]
export function valueAndGrad<L extends Tensor, X>(
  f: () => readonly [L, X],
  model: object,
  options: WithAux,
): [value: [loss: L, aux: X], grads: Grads]
export function valueAndGrad<L extends Tensor>(f: (() => L) & ScalarLoss<L>, model: object): [loss: L, grads: Grads]
export function valueAndGrad(f: unknown, by?: unknown, options?: unknown): unknown {
  return transform('valueAndGrad', f as Traced, by, options, (result) => result)
}

/**
 * The gradients of a scalar function: {@link valueAndGrad} without the value. With `hasAux` it answers [grads, aux].
 *
 * @example
 * const cube = (x: Tensor<[]>) => x.pow(3)
 * const second = grad(grad(cube)) // 6x
 */
export function grad<A extends readonly unknown[], L extends Tensor, X, const N extends Argnums = 0>(
  f: (...args: A) => readonly [L, X],
  options: GradOptions<N> & WithAux,
): (...args: A) => [grads: ArgGrads<A, N>, aux: X]
export function grad<A extends readonly unknown[], L extends Tensor, const N extends Argnums = 0>(
  f: ((...args: A) => L) & ScalarLoss<L>,
  argnums?: N | GradOptions<N>,
): (...args: A) => ArgGrads<A, N>
export function grad<L extends Tensor, X>(
  f: () => readonly [L, X],
  model: object,
  options: WithAux,
): [grads: Grads, aux: X]
export function grad<L extends Tensor>(f: (() => L) & ScalarLoss<L>, model: object): Grads
export function grad(f: unknown, by?: unknown, options?: unknown): unknown {
  const withAux = [by, options].some((o) => isOptions(o) && o.hasAux === true)
  return transform('grad', f as Traced, by, options, ([value, grads]) =>
    withAux ? [grads, (value as readonly [unknown, unknown])[1]] : grads,
  )
}
