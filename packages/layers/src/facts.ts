import type { Key, Shape, Tensor, Variable } from '@tessella/tensor'
import type { Mode } from './types/index.ts'

/** The key of a counter-based random generator: the same key gives the same numbers on every backend. */
export type { Key }

/** Draws the first value of a Variable from a key: what `heNormal()` and the like give. */
export type Initializer = (key: Key, shape: Shape) => Tensor

/** How one Variable of a layer gets its first value. */
export interface Recipe {
  /** The name below the layer. */
  readonly name: string
  /** What `initialize` may redraw: matrices and filters, their biases, everything else (scales, statistics), random states. */
  readonly role: 'weight' | 'bias' | 'other' | 'random'
  readonly target: Variable
  readonly draw: (key: Key) => Tensor
  /** The graph node that the layer was born with, while its place in a model may still decide the seed. */
  birth: WeakRef<object> | undefined
}

/** What batch normalisation keeps besides its Variables. */
export interface RunningStatistics {
  /** Batches seen. */
  readonly count: Variable
  /** Weight of the newest batch, or the plain mean over batches. */
  momentum: number | 'average'
}

/** What variational dropout learns besides the weight it wraps. */
export interface LearnedNoise {
  readonly weight: Variable
  /** log alpha of every weight, in a shape that broadcasts with the weight. */
  readonly logAlpha: () => Tensor
}

/** What a layer says about itself to summaries and initialisers; not part of its tree of Variables. */
export interface LayerFacts {
  /** How its Variables get their first values. */
  readonly recipes: readonly Recipe[]
  /** Multiply-accumulates of one call. */
  readonly macs: ((input: Shape, output: Shape) => number) | undefined
  readonly statistics: RunningStatistics | undefined
  readonly noise?: LearnedNoise | undefined
  /** Runs a layer of layers with every call of a part going through `visit`. */
  readonly inside: ((visit: Visit, x: Tensor, mode: Mode) => Tensor) | undefined
}

/** Called in place of a part: with the part, its path below the layer, and its arguments. */
export type Visit = (part: Part, path: string, args: readonly unknown[]) => unknown
export type Part = (...args: never) => unknown

/** The property that holds the facts, the same in every copy of this package. */
export const facts: unique symbol = Symbol.for('tessella.layer')

/** The facts of a layer; `undefined` for a plain function. */
export const factsOf = (x: unknown): LayerFacts | undefined =>
  typeof x === 'function' && facts in x ? (x as { readonly [facts]: LayerFacts })[facts] : undefined

const isPlain = (x: object): boolean => {
  const proto: unknown = Object.getPrototypeOf(x)
  return proto === Object.prototype || proto === null
}

/** Arrays and plain objects, which hold parts under names. */
export const isHolder = (x: unknown): x is Record<string, unknown> =>
  typeof x === 'object' && x !== null && (Array.isArray(x) || isPlain(x))

export const joinPath = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`)
