import { valueAndGrad, vjp } from '@tessella/autograd'
import type { Mode } from '@tessella/layers'
import { namedVariables, type PerDim, type Tensor, tensor, Variable } from '@tessella/tensor'
import type { GoldenCase, GoldenTensor } from '@tessella/testing'

/** What this library makes of a case, by the names that the file uses. */
export interface Results {
  readonly outputs: Readonly<Record<string, Tensor>>
  readonly grads: Readonly<Record<string, Tensor>>
}
/** Prepares a case; the function it answers computes, and may be compiled unless it reads values on the way. */
export type Row = (c: GoldenCase) => () => Results | Promise<Results>
/** How to compute each operation of a file. */
export type Rows = Readonly<Record<string, Row>>

/** An input by name; a missing one is a mistake of the row. */
export type Inputs = (name: string) => Tensor

/** What cases may set: a row reads only what its operation has. */
export interface Attrs {
  readonly [name: string]: unknown
  readonly alpha: number
  readonly approximate: 'none' | 'tanh'
  readonly axes: readonly number[]
  readonly axis: number
  readonly bidirectional: boolean
  readonly causal: boolean
  readonly beta: number
  readonly ceil_mode?: boolean
  readonly count_include_pad?: boolean
  readonly delta: number
  readonly dilation?: PerDim
  readonly eps: number
  readonly equation: string
  readonly groups?: number
  readonly heads: number
  readonly hidden: number
  readonly ignoreIndex?: number
  readonly inputScale?: number
  readonly k: number
  readonly keepDims?: boolean
  readonly kernel_size: PerDim
  readonly labelSmoothing?: number
  readonly lambda: number
  readonly layers: number
  readonly logInput: boolean
  readonly margin: number
  readonly max: number
  readonly min: number
  readonly momentum: number
  readonly negativeSlope: number
  readonly normalizedShape: readonly number[]
  readonly output_padding?: PerDim
  readonly output_size: PerDim
  readonly padding?: PerDim
  readonly reduction: 'mean' | 'sum' | 'none'
  readonly size: number
  readonly starts: readonly number[]
  readonly steps: readonly number[]
  readonly stops: readonly number[]
  readonly stride?: PerDim
  readonly training?: boolean
  readonly unbiased: boolean
  readonly value: number
  readonly widths: readonly (readonly [number, number])[]
}
export const attrsOf = (c: GoldenCase): Attrs => c.attrs as unknown as Attrs
export const tensorOf = (t: GoldenTensor): Tensor => tensor(t.data, t.shape, t.dtype)
export const shapeOf = (c: GoldenCase, input: string): readonly number[] => c.inputs[input]?.shape ?? []

const inputsOf = (c: GoldenCase): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(c.inputs).map(([name, t]) => [name, tensorOf(t)]))

const among =
  (c: GoldenCase, tensors: Readonly<Record<string, Tensor>>): Inputs =>
  (name) => {
    const found = tensors[name]
    if (found === undefined) throw new Error(`${c.name} has no input ${name}`)
    return found
  }

/** A function of the inputs, differentiated by pulling the cotangent `dy` back to them. */
export function fn(run: (input: Inputs, attrs: Attrs, c: GoldenCase) => Tensor): Row {
  return (c) => {
    const given = inputsOf(c)
    const names = Object.keys(c.grads)
    if (names.length === 0) return () => ({ outputs: { y: run(among(c, given), attrsOf(c), c) }, grads: {} })
    const watched = Object.fromEntries(names.map((name) => [name, among(c, given)(name)]))
    return () => {
      const [y, pull] = vjp((w: Record<string, Tensor>) => run(among(c, { ...given, ...w }), attrsOf(c), c), watched)
      const [grads] = pull(among(c, given)('dy'))
      return { outputs: { y }, grads }
    }
  }
}

interface LayerOptions<L> {
  /** Applies the layer; to the input `x` unless given. */
  readonly call?: (layer: L, input: Inputs, mode: Mode) => Tensor
  /** The layer's names for inputs that are called otherwise in the file. */
  readonly names?: Readonly<Record<string, string>> | ((name: string) => string)
}
type Called = (x: Tensor, mode: Mode) => Tensor

/** A layer with the case's parameters, trained for one step on sum(y dy); its Variables are outputs of the same name. */
export function layer<L extends object>(
  make: (attrs: Attrs, c: GoldenCase) => L,
  { call = (l, input, mode) => (l as unknown as Called)(input('x'), mode), names = {} }: LayerOptions<L> = {},
): Row {
  const nameOf = (name: string): string => (typeof names === 'function' ? names(name) : (names[name] ?? name))
  return (c) => {
    const made = make(attrsOf(c), c)
    const own = namedVariables(made)
    const free: Record<string, Variable> = {}
    for (const [name, value] of Object.entries(inputsOf(c))) {
      const variable = own[nameOf(name)]
      if (variable) variable.assign(value)
      else free[name] = new Variable(value, { trainable: value.dtype === 'float32' && name in c.grads })
    }
    const input: Inputs = (name) => among(c, { [name]: free[name]?.value as Tensor })(name)
    const mode = c.attrs.training === true ? 'train' : 'eval'
    const forward = () => {
      const y = call(made, input, mode)
      return [y.mul(input('dy')).sum(), y] as const
    }
    const pathOf = (name: string) => (name in free ? `free.${name}` : `made.${nameOf(name)}`)
    return () => {
      const [[, y], found] = valueAndGrad(forward, { free, made }, { hasAux: true })
      const grads = Object.keys(c.grads).map((name) => [name, among(c, found)(pathOf(name))] as const)
      const states = Object.keys(c.outputs).flatMap((name) => (own[name] ? [[name, own[name].value] as const] : []))
      return { outputs: { y, ...Object.fromEntries(states) }, grads: Object.fromEntries(grads) }
    }
  }
}
