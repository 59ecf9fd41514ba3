import { type Accumulator, type Affine, type Expr, type Kernel, mapExprs, type Write } from '@tessella/compiler'
import { type Dims, type DType, sizeOf, stridesOf } from '@tessella/ir'
import type { Cut } from './cut.ts'
import { halvesOf, mover } from './domain.ts'
import type { Workspace } from './workspace.ts'

type Reduce = Extract<Kernel, { kind: 'reduce' }>

/** Addresses of a value over a domain, from one element on. */
export const rowMajor = (domain: Dims, offset = 0): Affine => ({ offset, strides: stridesOf(domain) })

/** A kernel with one result that is a sum over parts: each part to scratch memory, then all added with the stores. */
export function sumOfParts(
  kernel: Exclude<Kernel, { kind: 'map' | 'reduce' | 'rows' } | { out: number }>,
  parts: readonly Kernel[],
  workspace: Workspace,
): Cut {
  const { domain, dtype, writes } = kernel
  const size = sizeOf(domain)
  const make = (): readonly Kernel[] => {
    const [sums = 0] = workspace.scratch([{ dtype, length: parts.length * size }])
    const value: Expr = { kind: 'result', dtype, index: 0 }
    const stored = parts.map(
      (part, i) => ({ ...part, writes: [{ buffer: sums, at: rowMajor(domain, i * size), value }] }) as Kernel,
    )
    const at = { offset: 0, strides: [...stridesOf(domain), size] }
    const sum: Accumulator = { fn: 'sum', value: { kind: 'load', dtype, buffer: sums, at } }
    return [...stored, { kind: 'reduce', domain, inner: [parts.length], accumulators: [sum], writes }]
  }
  return { parts: parts.map((part) => ({ ...part, writes: [] }) as Kernel), make }
}

const isArg = ({ fn }: Accumulator): boolean => fn === 'argmax' || fn === 'argmin'
/** Of what an accumulator's value is the best. */
const extreme = ({ fn, value }: Accumulator): Accumulator => ({ fn: fn === 'argmax' ? 'max' : 'min', value })

/** A reduction over each half of its elements, then over the two results. Positions come with the values found there. */
export function cutInner(kernel: Reduce, workspace: Workspace): Cut | undefined {
  const { domain, inner, accumulators } = kernel
  // Two results of parts are not cut again.
  if (sizeOf(inner) <= 2) return undefined
  const dim = inner.findIndex((n) => n > 1)
  const length = inner[dim]
  if (length === undefined) return undefined
  const each = sizeOf(inner) / length
  const halves = halvesOf(length)
  const extremes = accumulators.map((a) => (isArg(a) ? extreme(a) : a))
  // Places of the first results, then of the positions.
  const positions = accumulators.filter(isArg)
  const parts = halves.map(([first, n]): Reduce => {
    const { value } = mover(domain.length + dim, first)
    const found = [...extremes, ...positions].map((a): Accumulator => ({ ...a, value: value(a.value) }))
    return { kind: 'reduce', domain, inner: inner.with(dim, n), accumulators: found, writes: [] }
  })
  const make = (): readonly Kernel[] => {
    const size = sizeOf(domain)
    const dtypes: DType[] = [...accumulators.map((a) => a.value.dtype), ...positions.map((): DType => 'int32')]
    const buffers = workspace.scratch(dtypes.map((dtype) => ({ dtype, length: halves.length * size })))
    const stored = parts.map((part, i): Reduce => {
      const start = (halves[i]?.[0] ?? 0) * each
      const writes = buffers.map((buffer, j): Write => {
        const result: Expr = { kind: 'result', dtype: dtypes[j] as DType, index: j }
        return { buffer, at: rowMajor(domain, i * size), value: j < accumulators.length ? result : plus(result, start) }
      })
      return { ...part, writes }
    })
    return [...stored, joined(kernel, buffers, halves.length)]
  }
  return { parts, make }
}

const plus = (a: Expr, value: number): Expr =>
  value === 0 ? a : { kind: 'binary', dtype: 'int32', fn: 'add', a, b: { kind: 'constant', dtype: 'int32', value } }

/** The reduction over the parts' results, with the kernel's stores. */
function joined({ domain, accumulators, writes }: Reduce, buffers: readonly number[], parts: number): Reduce {
  const size = sizeOf(domain)
  const at = { offset: 0, strides: [...stridesOf(domain), size] }
  const over = accumulators.map(({ fn, value: { dtype } }, i): Accumulator => {
    const value: Expr = { kind: 'load', dtype, buffer: buffers[i] as number, at }
    return { fn, value }
  })
  let next = accumulators.length
  const positionsOf = accumulators.map((a) => (isArg(a) ? buffers[next++] : undefined))
  // The best part's position, where the result is a position.
  const result = mapExprs((e) => {
    const buffer = e.kind === 'result' ? positionsOf[e.index] : undefined
    if (buffer === undefined) return e
    return { kind: 'gather', dtype: 'int32', buffer, at: rowMajor(domain), index: e, stride: size, size: parts }
  })
  return {
    kind: 'reduce',
    domain,
    inner: [parts],
    accumulators: over,
    writes: writes.map((w) => ({ ...w, value: result(w.value) })),
  }
}
