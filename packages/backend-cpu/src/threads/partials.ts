import {
  type Accumulator,
  type Affine,
  type BufferPlan,
  type Kernel,
  mapLeaves,
  type Program,
} from '@tessella/compiler'
import { byteWidth, sizeOf, stridesOf } from '@tessella/ir'
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
    const partials = kernel.accumulators.map(({ value: { dtype } }): number => {
      const length = split.rows * sizeOf(kernel.domain)
      const plan: BufferPlan = { dtype, length, place: { kind: 'temporary', offset: temporaryBytes } }
      temporaryBytes += aligned(length * byteWidth(dtype))
      return buffers.push(plan) - 1
    })
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
  const foldable = accumulators.every((a) => a.fn !== 'argmax' && a.fn !== 'argmin' && a.value.dtype !== 'bool')
  if (!foldable || sizeOf(domain) === 0 || sizeOf(domain) > enoughResults || total < 2 * leastPart) return undefined
  const size = Math.max(...inner)
  const wanted = Math.min(mostParts, Math.floor(total / leastPart), size)
  if (wanted < 2) return undefined
  const length = Math.floor(size / wanted)
  const rest = size - wanted * length
  return { dimension: inner.indexOf(size), parts: wanted, length, rest, rows: wanted + (rest > 0 ? 1 : 0) }
}

function steps(kernel: Reduce, split: Split, partials: readonly number[]): Reduce[] {
  const { domain, inner, accumulators } = kernel
  const { dimension, parts, length, rest, rows } = split
  const results = sizeOf(domain)
  const cut = domain.length + dimension
  const strideOf = ({ strides }: Affine): number => strides[cut] as number
  const own = stridesOf(domain)
  const part = (count: number, strides: readonly number[], offset: number, at: (a: Affine) => Affine): Reduce => ({
    kind: 'reduce',
    domain: strides.length > domain.length ? [parts, ...domain] : domain,
    inner: inner.map((n, d) => (d === dimension ? count : n)),
    accumulators: moved(accumulators, at),
    writes: partials.map((buffer, index) => ({
      buffer,
      at: { offset, strides },
      value: { kind: 'result', dtype: (accumulators[index] as Accumulator).value.dtype, index },
    })),
  })
  const whole = part(length, [results, ...own], 0, (a) => ({
    offset: a.offset,
    strides: [length * strideOf(a), ...a.strides],
  }))
  const left = part(rest, own, parts * results, (a) => ({ ...a, offset: a.offset + parts * length * strideOf(a) }))
  const combined = accumulators.map(({ fn, value: { dtype } }, i): Accumulator => {
    const buffer = partials[i] as number
    return { fn, value: { kind: 'load', dtype, buffer, at: { offset: 0, strides: [...own, results] } } }
  })
  return [whole, ...(rest > 0 ? [left] : []), { ...kernel, inner: [rows], accumulators: combined }]
}

/** The accumulators with other addresses. */
function moved(accumulators: readonly Accumulator[], at: (a: Affine) => Affine): Accumulator[] {
  const move = mapLeaves((leaf) => ({ ...leaf, at: at(leaf.at) }))
  return accumulators.map((a) => ({ ...a, value: move(a.value) }))
}
