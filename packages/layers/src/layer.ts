import { labelled, OpError, type Shape, type Tensor } from '@tessella/tensor'
import { checkMode } from './checks.ts'
import { located } from './errors.ts'
import {
  facts,
  isHolder,
  joinPath,
  type LayerFacts,
  type LearnedNoise,
  type Part,
  type Recipe,
  type RunningStatistics,
  type Visit,
} from './facts.ts'
import { adopt } from './recipe.ts'
import type { CallOf, LayerSpec, Mode } from './types/index.ts'

type Forward = (x: Tensor, mode: Mode) => Tensor

interface Definition<P extends LayerSpec, M extends boolean, R extends object> {
  readonly spec: P
  readonly modal: M
  /** Variables and inner layers; they become properties of the layer. */
  readonly parts: R
  readonly forward: Forward
  readonly recipes?: readonly Recipe[]
  readonly macs?: (input: Shape, output: Shape) => number
  readonly statistics?: RunningStatistics
  readonly noise?: LearnedNoise
  /** Other ways to call the layer; properties that are not enumerable, because they name no Variables. */
  readonly methods?: Readonly<Record<string, (...args: never) => unknown>>
}

const reserved = new Set(['spec', 'modal', 'name', 'length', 'prototype', 'call', 'apply', 'bind'])

/** The parts as enumerable properties, which name Variables; everything else stays out of the way. */
function dress(
  call: object,
  spec: LayerSpec,
  modal: boolean,
  parts: object,
  about: LayerFacts,
  methods: object = {},
): void {
  for (const [key, value] of Object.entries(parts)) {
    if (reserved.has(key))
      throw new OpError(spec.name, `a part may not be called '${key}'`, {
        hint: 'Functions have a property of that name.',
      })
    Object.defineProperty(call, key, { value, enumerable: true })
  }
  Object.defineProperties(call, {
    spec: { value: spec },
    modal: { value: modal },
    name: { value: spec.name },
    [facts]: { value: about },
  })
  for (const [key, value] of Object.entries(methods)) Object.defineProperty(call, key, { value })
  Object.freeze(call)
}

/** A function of a tensor that must be told the mode when `modal`. */
function callOf(spec: LayerSpec, modal: boolean, forward: Forward): Forward {
  if (!modal) return (x, mode = 'eval') => forward(x, mode)
  return (x, mode) => {
    checkMode(spec.name, mode)
    return forward(x, mode)
  }
}

/**
 * A layer from its parts: a function whose properties are its Variables. `spec` tells types and summaries what it
 * does to shapes.
 */
export function defineLayer<const P extends LayerSpec, const M extends boolean, R extends object>(
  definition: Definition<P, M, R>,
): CallOf<P, M> & Readonly<R> {
  const { spec, modal, parts, forward, recipes = [], macs, statistics, noise, methods } = definition
  const call = callOf(spec, modal, forward)
  dress(call, spec, modal, parts, { recipes, macs, statistics, noise, inside: undefined }, methods)
  return call as unknown as CallOf<P, M> & Readonly<R>
}

/** The same parts with every function among them replaced by one that goes through `visit`. */
function wrapParts(value: unknown, path: string, visit: Visit): unknown {
  if (typeof value === 'function') {
    const part = value as Part
    const wrapped = (...args: unknown[]): unknown => visit(part, path, args)
    return Object.defineProperties(wrapped, Object.getOwnPropertyDescriptors(part))
  }
  if (Array.isArray(value)) return value.map((v, i) => wrapParts(v, joinPath(path, String(i)), visit))
  if (isHolder(value))
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, wrapParts(v, joinPath(path, k), visit)]))
  return value
}

/** Runs a part under its name, which reports of NaN and errors then carry. */
const named: Visit = (part, path, args) =>
  labelled(path, () => {
    try {
      return part(...(args as never))
    } catch (error) {
      throw located(error, path)
    }
  })

/** Whether any layer among the parts must be told the mode. */
export function anyModal(value: unknown): boolean {
  if (typeof value === 'function') return 'modal' in value && value.modal === true
  return isHolder(value) && Object.values(value).some(anyModal)
}

/**
 * A layer made of layers. `forward` gets the parts with every call labelled by its name. Parts that still have the
 * values they were born with get new ones by their place in this model, see {@link adopt}.
 */
export function defineContainer<const P extends LayerSpec, const M extends boolean, R extends object>(
  definition: Omit<Definition<P, M, R>, 'forward' | 'recipes' | 'macs' | 'statistics' | 'noise' | 'methods'> & {
    readonly forward: (parts: R, x: Tensor, mode: Mode) => Tensor
  },
): CallOf<P, M> & Readonly<R> {
  const { spec, modal, parts, forward } = definition
  const labelledParts = wrapParts(parts, '', named) as R
  const call = callOf(spec, modal, (x, mode) => forward(labelledParts, x, mode))
  const inside = (visit: Visit, x: Tensor, mode: Mode): Tensor => forward(wrapParts(parts, '', visit) as R, x, mode)
  dress(call, spec, modal, parts, { recipes: [], macs: undefined, statistics: undefined, inside })
  adopt(call)
  return call as unknown as CallOf<P, M> & Readonly<R>
}
