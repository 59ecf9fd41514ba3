import {
  type Accumulator,
  type Affine,
  type BufferPlan,
  type Expr,
  type Kernel,
  mapExprs,
  mapLeaves,
  type Program,
  type Write,
  walkExprs,
} from '@tessella/compiler'
import { byteWidth, type Dims, type DType, sizeOf, stridesOf } from '@tessella/ir'
import { isArg } from '../kernels/accumulators.ts'
import { aligned } from '../routines/workspace.ts'

type Reduce = Extract<Kernel, { kind: 'reduce' }>

/** Results of a reduction that threads need not be helped to share. */
const enoughResults = 32
/** Elements of a part, at least, and parts at most. */
const leastPart = 16384
const mostParts = 64

/**
 * Long reductions to few results in two steps: parts of fixed length, which threads can share, and their combination.
 * The parts do not depend on the number of threads, so that results do not.
 */
export function splitReductions(program: Program): Program {
  const buffers = [...program.buffers]
  let temporaryBytes = aligned(program.temporaryBytes)
  const kernels = program.kernels.flatMap((kernel): readonly Kernel[] => {
    const split = kernel.kind === 'reduce' ? splitOf(kernel) : undefined
    if (kernel.kind !== 'reduce' || !split) return [kernel]
    const buffer = (dtype: DType): number => {
      const length = split.rows * sizeOf(kernel.domain)
      const plan: BufferPlan = { dtype, length, place: { kind: 'temporary', offset: temporaryBytes } }
      temporaryBytes += aligned(length * byteWidth(dtype))
      return buffers.push(plan) - 1
    }
    const partials = kernel.accumulators.map((a) => buffer(isArg(a) ? 'int32' : a.value.dtype))
    return steps(kernel, split, partials)
  })
  return buffers.length === program.buffers.length ? program : { ...program, buffers, kernels, temporaryBytes }
}

interface Split {
  /** The inner dimension that is cut. */
  readonly dimension: number
  readonly parts: number
  /** Iterations of a part, and of what is left after them. */
  readonly length: number
  readonly rest: number
  /** Partial results per result. */
  readonly rows: number
}

function splitOf({ domain, inner, accumulators }: Reduce): Split | undefined {
  const total = sizeOf(inner)
  const foldable = accumulators.every((a) => (isArg(a) ? isLocated(a, inner) : a.value.dtype !== 'bool'))
  if (!foldable || sizeOf(domain) === 0 || sizeOf(domain) > enoughResults || total < 2 * leastPart) return undefined
  const size = Math.max(...inner)
  const wanted = Math.min(mostParts, Math.floor(total / leastPart), size)
  if (wanted < 2) return undefined
  const length = Math.floor(size / wanted)
  const rest = size - wanted * length
  return {
    dimension: inner.indexOf(size),
    parts: wanted,
    length,
    rest,
    rows: wanted + (rest > 0 ? 1 : 0),
  }
}

/** Whether the value at a position can be had again: it comes from loads along one dimension. */
function isLocated({ value }: Accumulator, inner: Dims): boolean {
  let located = inner.length === 1
  walkExprs([value], (e) => {
    if (e.kind === 'index' || e.kind === 'random' || e.kind === 'gather') located = false
  })
  return located
}

function steps(kernel: Reduce, split: Split, partials: readonly number[]): Reduce[] {
  const { domain, inner, accumulators } = kernel
  const { dimension, parts, length, rest, rows } = split
  const results = sizeOf(domain)
  const cut = domain.length + dimension
  const strideOf = ({ strides }: Affine): number => strides[cut] as number
  const own = stridesOf(domain)
  /** Parts from number `first` on; the position of an arg reduction is that in the whole. */
  const part = (count: number, many: number, first: number, at: (a: Affine) => Affine): Reduce => ({
    kind: 'reduce',
    domain: many > 1 ? [many, ...domain] : domain,
    inner: inner.map((n, d) => (d === dimension ? count : n)),
    accumulators: moved(accumulators, at),
    writes: partials.map((buffer, index): Write => {
      const along = (step: number, others: Dims): Dims => (many > 1 ? [step, ...others] : others)
      const a = accumulators[index] as Accumulator
      const result: Expr = { kind: 'result', dtype: isArg(a) ? 'int32' : a.value.dtype, index }
      const start: Affine = {
        offset: first * length,
        strides: along(
          length,
          domain.map(() => 0),
        ),
      }
      const from: Expr = { kind: 'index', dtype: 'int32', at: start }
      return {
        buffer,
        at: { offset: first * results, strides: along(results, own) },
        value: isArg(a) ? { kind: 'binary', dtype: 'int32', fn: 'add', a: from, b: result } : result,
      }
    }),
  })
  const whole = part(length, parts, 0, (a) => ({
    offset: a.offset,
    strides: [length * strideOf(a), ...a.strides],
  }))
  const left = part(rest, 1, parts, (a) => ({ ...a, offset: a.offset + parts * length * strideOf(a) }))
  const found = (buffer: number, dtype: DType): Expr => ({
    kind: 'load',
    dtype,
    buffer,
    at: { offset: 0, strides: [...own, results] },
  })
  const combined = accumulators.map((a, i): Accumulator => {
    const buffer = partials[i] as number
    if (!isArg(a)) return { fn: a.fn, value: found(buffer, a.value.dtype) }
    // Parts found positions: the values there are compared.
    const there = mapLeaves((leaf) => {
      if (leaf.kind !== 'load') return leaf
      const { offset, strides } = leaf.at
      const at = { offset, strides: [...strides.slice(0, cut), 0] }
      return {
        ...leaf,
        kind: 'gather',
        at,
        index: found(buffer, 'int32'),
        stride: strideOf(leaf.at),
        size: inner[0] as number,
      }
    })
    return { fn: a.fn, value: there(a.value) }
  })
  // Then the number of a part says which position it is.
  const position = mapExprs((e) => {
    if (e.kind !== 'result' || !isArg(accumulators[e.index] as Accumulator)) return e
    const at: Affine = { offset: 0, strides: own }
    const buffer = partials[e.index] as number
    return { kind: 'gather', dtype: 'int32', buffer, at, index: e, stride: results, size: rows }
  })
  const writes = kernel.writes.map((w) => ({ ...w, value: position(w.value) }))
  return [whole, ...(rest > 0 ? [left] : []), { ...kernel, inner: [rows], accumulators: combined, writes }]
}

/** The accumulators with other addresses. */
function moved(accumulators: readonly Accumulator[], at: (a: Affine) => Affine): Accumulator[] {
  const move = mapLeaves((leaf) => ({ ...leaf, at: at(leaf.at) }))
  return accumulators.map((a) => ({ ...a, value: move(a.value) }))
}
