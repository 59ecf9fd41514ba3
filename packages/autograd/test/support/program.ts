import { type DType, type HostArray, hostArray, type Node, type NodeOf, parameter, sizeOf } from '@tessella/ir'
import { reference } from '@tessella/testing'

/** A graph made runnable: values of the inputs in, values of the outputs out. */
export type Program = (values: readonly (readonly number[])[]) => Promise<number[][]>

const toHost = (values: readonly number[], dtype: DType): HostArray => {
  const out = hostArray(dtype, values.length)
  out.set(values)
  return out
}

export function program(inputs: readonly NodeOf<'parameter'>[], outputs: readonly Node[]): Program {
  const backend = reference()
  const executable = backend.prepare({ inputs, outputs })
  return async (values) => {
    const given = inputs.map((p, i) => backend.upload(toHost(values[i] ?? [], p.dtype), p.dtype))
    const results = executable.run(
      given,
      given.map(() => false),
    )
    return Promise.all(results.map(async (r, i) => Array.from(await backend.read(r, (outputs[i] as Node).dtype))))
  }
}

/** One input of a case: values are drawn, or given. */
export interface Input {
  readonly shape: readonly number[]
  readonly dtype?: DType
  readonly data?: readonly number[]
}

/** Numbers in (-1, 1) with no two alike, so that no test sits on a kink. */
export function draw(count: number, seed: number): number[] {
  let state = (seed * 2654435761 + 12345) >>> 0
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state / 2 ** 32) * 2 - 1
  })
}

export const parametersOf = (inputs: readonly Input[]): NodeOf<'parameter'>[] =>
  inputs.map(({ shape, dtype }) => parameter(shape, dtype ?? 'float64'))

export const valuesOf = (inputs: readonly Input[], seed = 1): number[][] =>
  inputs.map(({ shape, data }, i) => [...(data ?? draw(sizeOf(shape), seed + i))])
