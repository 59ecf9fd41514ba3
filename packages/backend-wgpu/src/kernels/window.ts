import { type Dims, sizeOf, type WindowAttrs } from '@tessella/ir'
import type { Shader } from '../wgsl/shader.ts'
import { indicesOf } from './indices.ts'

/** All of them, without branches. */
export const allOf = (tests: readonly string[]): string =>
  tests.length === 0 ? 'true' : tests.map((test) => `(${test})`).join(' & ')

/** Texts of the positions that a window's taps have, one per spatial dimension, and the conditions for all to be inside. */
export interface Places {
  readonly lines: readonly string[]
  readonly names: readonly string[]
  readonly tests: readonly string[]
}

/** out * stride - padding + tap * dilation in `input`; dimensions that cannot leave it need no test. */
export function inputPlaces(
  { stride, padding, dilation }: WindowAttrs,
  sizes: { readonly input: Dims; readonly output: Dims; readonly kernel: Dims },
  out: readonly string[],
  taps: readonly string[],
  prefix: string,
): Places {
  const lines: string[] = []
  const tests: string[] = []
  const names = out.map((o, d) => {
    const name = `${prefix}_${d}`
    const [s, before, step] = [stride[d] as number, padding[d]?.[0] as number, dilation[d] as number]
    lines.push(`let ${name} = ${o} * ${s} + ${taps[d]} * ${step} - ${before};`)
    const size = sizes.input[d] as number
    const last = ((sizes.output[d] as number) - 1) * s + ((sizes.kernel[d] as number) - 1) * step - before
    if (before > 0) tests.push(`${name} >= 0`)
    if (last >= size) tests.push(`${name} < ${size}`)
    return name
  })
  return { lines, names, tests }
}

/** The output position whose tap is at the input position, where there is one. */
export function outputPlaces(
  { stride, padding, dilation }: WindowAttrs,
  output: Dims,
  input: readonly string[],
  taps: readonly string[],
  prefix: string,
): Places {
  const lines: string[] = []
  const tests: string[] = []
  const names = input.map((p, d) => {
    const [s, before, step] = [stride[d] as number, padding[d]?.[0] as number, dilation[d] as number]
    const reach = `${prefix}_r${d}`
    const name = `${prefix}_${d}`
    lines.push(`let ${reach} = ${p} + ${before} - ${taps[d]} * ${step};`)
    lines.push(`let ${name} = ${s === 1 ? reach : `${reach} / ${s}`};`)
    tests.push(`${reach} >= 0`, `${name} < ${output[d]}`)
    if (s > 1) tests.push(`${reach} % ${s} == 0`)
    return name
  })
  return { lines, names, tests }
}

/** The windows that may cover an input position, as many for every position: those that end at it or after. */
export function coveringWindows(
  { stride, padding, dilation }: WindowAttrs,
  sizes: { readonly output: Dims; readonly kernel: Dims },
  place: readonly string[],
  number: string,
  shader: Shader,
): Places & { readonly count: number } {
  const extents = sizes.kernel.map((k, d) => (k - 1) * (dilation[d] as number) + 1)
  const counts = extents.map((n, d) => Math.ceil(n / (stride[d] as number)))
  const back = indicesOf(shader, number, counts)
  const tests: string[] = []
  const lines = [...back.lines]
  const names = place.map((p, d) => {
    const name = shader.name('w')
    lines.push(`let ${name} = (${p} + ${padding[d]?.[0]}) / ${stride[d]} - ${back.names[d]};`)
    tests.push(`${name} >= 0`, `${name} < ${sizes.output[d]}`)
    return name
  })
  return { lines, names, tests, count: sizeOf(counts) }
}
