import {
  type Affine,
  type Expr,
  type Kernel,
  type MatrixOperand,
  type WholeOperand,
  walkExprs,
} from '@tessella/compiler'
import { byteWidth, type Dims, sizeOf } from '@tessella/ir'
import type { KernelContext } from '../kernels/context.ts'

/** Bytes of a slot, `high` excluded. */
export interface Interval {
  readonly low: number
  readonly high: number
}

/** From the first to the last byte that each load, store and operand of a kernel touches, by slot. */
export function intervalsOf(kernel: Kernel, context: KernelContext): ReadonlyMap<number, readonly Interval[]> {
  const touched = new Touched(context)
  switch (kernel.kind) {
    case 'map':
      break
    case 'reduce':
      touched.values(kernel.accumulators, [...kernel.domain, ...kernel.inner])
      break
    case 'rows':
      for (const pass of kernel.passes) {
        touched.values(pass.accumulators, [...kernel.domain, ...kernel.inner])
        touched.values(pass.writes, [...kernel.domain, ...kernel.inner])
      }
      break
    case 'matmul': {
      const [m, n] = kernel.domain.slice(-2) as [number, number]
      const batches = kernel.domain.slice(0, -2)
      touched.matrix(kernel.a, [...batches, m, kernel.k])
      touched.matrix(kernel.b, [...batches, kernel.k, n])
      break
    }
    case 'conv':
    case 'convGradInput':
    case 'convGradWeight':
      touched.whole(kernel.a)
      touched.whole(kernel.b)
      break
    case 'maxPool':
      touched.whole(kernel.x)
      break
    case 'maxPoolGrad':
    case 'maxPoolPick':
      touched.whole(kernel.x)
      touched.whole(kernel.other)
      break
    case 'cumulative':
    case 'argsort': {
      const shape = [kernel.outer, kernel.length, kernel.inner]
      touched.whole({ buffer: kernel.x, shape })
      touched.whole({ buffer: kernel.out, shape })
      break
    }
    case 'scatterAdd': {
      const shape = [kernel.outer, kernel.length, kernel.inner]
      touched.whole({ buffer: kernel.index, shape })
      touched.whole({ buffer: kernel.values, shape })
      touched.whole({ buffer: kernel.out, shape: [kernel.outer, kernel.size, kernel.inner] })
      break
    }
  }
  if ('writes' in kernel) touched.values(kernel.writes, kernel.domain)
  return touched.intervals
}

/** Most intervals that one affine form is taken apart into. */
const mostExtents = 16

/** The least and the greatest value of an affine form, both included; of each of a few parts that lie far from each other. */
function extentsOf({ offset, strides }: Affine, domain: Dims): Interval[] {
  let low = offset
  let high = offset
  const steps: { readonly stride: number; readonly size: number }[] = []
  for (const [d, size] of domain.entries()) {
    const stride = strides[d] ?? 0
    if (stride < 0) low += stride * (size - 1)
    else high += stride * (size - 1)
    if (stride !== 0 && size > 1) steps.push({ stride: Math.abs(stride), size })
  }
  let parts: Interval[] = [{ low, high }]
  for (const { stride, size } of steps.sort((a, b) => b.stride - a.stride)) {
    const span = (parts[0] as Interval).high - (parts[0] as Interval).low - stride * (size - 1)
    if (span >= stride || parts.length * size > mostExtents) break
    parts = parts.flatMap((part) =>
      Array.from({ length: size }, (_, i) => ({ low: part.low + i * stride, high: part.low + i * stride + span })),
    )
  }
  return parts
}

class Touched {
  readonly intervals = new Map<number, Interval[]>()
  readonly #context: KernelContext

  constructor(context: KernelContext) {
    this.#context = context
  }

  values(
    list: readonly { readonly value: Expr; readonly buffer?: number; readonly at?: Affine }[],
    domain: Dims,
  ): void {
    for (const { buffer, at } of list)
      if (buffer !== undefined && at !== undefined) this.#elements(buffer, extentsOf(at, domain))
    const roots = list.map(({ value }) => value)
    walkExprs(roots, (e) => {
      if (e.kind === 'load') this.#elements(e.buffer, extentsOf(e.at, domain))
      else if (e.kind === 'random') this.#elements(e.key, [{ low: e.keyOffset, high: e.keyOffset + 1 }])
      else if (e.kind === 'gather') {
        const at = { offset: e.at.offset, strides: [...domain.map((_, d) => e.at.strides[d] ?? 0), e.stride] }
        this.#elements(e.buffer, extentsOf(at, [...domain, e.size]))
      }
    })
  }

  whole({ buffer, shape }: WholeOperand): void {
    this.#elements(buffer, [{ low: 0, high: sizeOf(shape) - 1 }])
  }

  matrix({ buffer, offset, batchStrides, rowStride, colStride }: MatrixOperand, domain: Dims): void {
    this.#elements(buffer, extentsOf({ offset, strides: [...batchStrides, rowStride, colStride] }, domain))
  }

  /** Elements from `low` to `high`, included. */
  #elements(buffer: number, extents: readonly Interval[]): void {
    const { buffers, bases, slots } = this.#context
    const width = byteWidth(buffers[buffer]?.dtype ?? 'float32')
    const base = bases?.get(buffer) ?? 0
    const slot = slots.slotOf(buffer)
    const found = this.intervals.get(slot) ?? []
    this.intervals.set(slot, found)
    for (const { low, high } of extents) found.push({ low: (base + low) * width, high: (base + high + 1) * width })
  }
}
