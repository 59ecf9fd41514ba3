import type { Expr, Kernel } from '@tessella/compiler'
import type { BinaryFn, ReduceFn } from '@tessella/ir'
import { type Cut, plainCut } from './cut.ts'
import { halvesOf } from './domain.ts'
import { rowMajor } from './partials.ts'
import type { Workspace } from './workspace.ts'

type Cumulative = Extract<Kernel, { kind: 'cumulative' }>
type Argsort = Extract<Kernel, { kind: 'argsort' }>
type Scatter = Extract<Kernel, { kind: 'scatterAdd' }>

/** Half of the outer dimension each. */
export function cutLines(kernel: Cumulative | Argsort, workspace: Workspace): Cut | undefined {
  const { outer, length, inner, x, out } = kernel
  if (outer === 1) return undefined
  const block = length * inner
  const parts = halvesOf(outer).map(([first, n]): Kernel => {
    const part = (buffer: number) => workspace.part(buffer, first * block, n * block)
    return { ...kernel, outer: n, x: part(x), out: part(out) }
  })
  return plainCut(parts)
}

/** Half of the outer dimension each. */
export function cutScatterLines(kernel: Scatter, workspace: Workspace): Cut | undefined {
  const { outer, length, inner, size, index, values, out } = kernel
  if (outer === 1) return undefined
  const parts = halvesOf(outer).map(([first, n]): Kernel => {
    const part = (buffer: number, block: number) => workspace.part(buffer, first * block, n * block)
    const operands = { index: part(index, length * inner), values: part(values, length * inner) }
    return { ...kernel, outer: n, ...operands, out: part(out, size * inner) }
  })
  return plainCut(parts)
}

const binaryOf: { readonly [F in ReduceFn]: BinaryFn } = { sum: 'add', prod: 'mul', max: 'max', min: 'min' }

/** One line block in halves: what the first ends with is then taken into all of the second. */
export function cutCumulative(kernel: Cumulative, workspace: Workspace): Cut | undefined {
  const { outer, length, inner, reverse, dtype, fn, x, out } = kernel
  if (outer > 1 || length === 1) return undefined
  const halves = halvesOf(length)
  const parts = halves.map(([first, n]): Kernel => {
    const part = (buffer: number) => workspace.part(buffer, first * inner, n * inner)
    return { ...kernel, length: n, x: part(x), out: part(out) }
  })
  const [, [middle, rest] = [0, 0]] = halves
  const [first, n, last] = reverse ? [0, middle, middle] : [middle, rest, middle - 1]
  const at = rowMajor([n, inner], first * inner)
  const own: Expr = { kind: 'load', dtype, buffer: out, at }
  const before: Expr = { kind: 'load', dtype, buffer: out, at: { offset: last * inner, strides: [0, 1] } }
  const value: Expr = { kind: 'binary', dtype, fn: binaryOf[fn], a: before, b: own }
  return plainCut([...parts, { kind: 'map', domain: [n, inner], writes: [{ buffer: out, at, value }] }])
}

/** One line block in halves: the second's sums are added to the first's. */
export function cutScatter(kernel: Scatter, workspace: Workspace): Cut | undefined {
  const { outer, length, inner, size, dtype, index, values, out } = kernel
  if (outer > 1 || length === 1) return undefined
  const parts = halvesOf(length).map(([first, n]): Scatter => {
    const part = (buffer: number) => workspace.part(buffer, first * inner, n * inner)
    return { ...kernel, length: n, index: part(index), values: part(values) }
  })
  const make = (): readonly Kernel[] => {
    const [first, second] = parts as [Scatter, Scatter]
    const domain = [size * inner]
    const [sums = 0] = workspace.scratch([{ dtype, length: size * inner }])
    const at = rowMajor(domain)
    const a: Expr = { kind: 'load', dtype, buffer: out, at }
    const b: Expr = { kind: 'load', dtype, buffer: sums, at }
    const value: Expr = { kind: 'binary', dtype, fn: 'add', a, b }
    return [first, { ...second, out: sums }, { kind: 'map', domain, writes: [{ buffer: out, at, value }] }]
  }
  return { parts, make }
}
