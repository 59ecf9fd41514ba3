import type { Affine, Expr, Kernel } from '@tessella/compiler'
import { type DType, type HostArray, isFloat, sizeOf } from '@tessella/ir'

/** Plain evaluation of map and reduce kernels, float32 in float64: what the generated code must agree with. */

type Memory = readonly HostArray[]

export const valueAt = (at: Affine, index: readonly number[]): number =>
  at.strides.reduce((sum, s, d) => sum + s * (index[d] ?? 0), at.offset)

export function* points(domain: readonly number[]): Generator<number[]> {
  const n = sizeOf(domain)
  for (let i = 0; i < n; i++) {
    const index = new Array<number>(domain.length)
    let rest = i
    for (let d = domain.length - 1; d >= 0; d--) {
      index[d] = rest % domain[d]!
      rest = Math.floor(rest / domain[d]!)
    }
    yield index
  }
}

const wrap = (dtype: DType, x: number): number => {
  if (dtype === 'int32') return x | 0
  if (dtype === 'uint32') return x >>> 0
  if (dtype === 'bool') return x ? 1 : 0
  return x
}

const fns: Record<string, (a: number, b: number) => number> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  max: Math.max,
  min: Math.min,
  lt: (a, b) => Number(a < b),
}

export function evaluate(e: Expr, index: readonly number[], memory: Memory, results: readonly number[]): number {
  const go = (x: Expr) => evaluate(x, index, memory, results)
  switch (e.kind) {
    case 'constant':
      return e.value
    case 'load':
      return memory[e.buffer]![valueAt(e.at, index)]!
    case 'index':
      return wrap(e.dtype, valueAt(e.at, index))
    case 'unary':
      if (e.fn === 'neg') return wrap(e.dtype, -go(e.x))
      throw new Error(e.fn)
    case 'binary':
      return e.fn === 'mul' && !isFloat(e.dtype)
        ? wrap(e.dtype, Math.imul(go(e.a), go(e.b)))
        : wrap(e.dtype, fns[e.fn]!(go(e.a), go(e.b)))
    case 'select':
      return go(e.condition) ? go(e.a) : go(e.b)
    case 'cast':
      return wrap(e.dtype, go(e.x))
    case 'gather': {
      const i = go(e.index)
      if (i < 0 || i >= e.size) return isFloat(e.dtype) ? Number.NaN : 0
      return memory[e.buffer]![valueAt(e.at, index) + i * e.stride]!
    }
    case 'result':
      return results[e.index]!
    case 'random':
      throw new Error('random')
  }
}

export function interpret(kernel: Extract<Kernel, { kind: 'map' | 'reduce' | 'rows' }>, memory: Memory): void {
  for (const index of points(kernel.domain)) {
    const results: number[] = []
    if (kernel.kind === 'reduce')
      results.push(...kernel.accumulators.map((a) => fold(a, kernel.inner, index, memory, [])))
    if (kernel.kind === 'rows')
      for (const { accumulators, writes } of kernel.passes) {
        const earlier = [...results]
        results.push(...accumulators.map((a) => fold(a, kernel.inner, index, memory, earlier)))
        for (const i of points(kernel.inner))
          for (const w of writes) {
            const where = [...index, ...i]
            memory[w.buffer]![valueAt(w.at, where)] = evaluate(w.value, where, memory, earlier)
          }
      }
    const values = kernel.writes.map((w) => evaluate(w.value, index, memory, results))
    for (const [k, w] of kernel.writes.entries()) memory[w.buffer]![valueAt(w.at, index)] = values[k]!
  }
}

type Accumulator = Extract<Kernel, { kind: 'reduce' }>['accumulators'][number]

function fold(
  { fn, value }: Accumulator,
  inner: readonly number[],
  index: number[],
  memory: Memory,
  results: readonly number[],
): number {
  const values = [...points(inner)].map((i) => evaluate(value, [...index, ...i], memory, results))
  const dtype = value.dtype
  if (fn === 'sum') return values.reduce((a, b) => wrap(dtype, a + b), 0)
  if (fn === 'prod') return values.reduce((a, b) => (dtype === 'float32' ? a * b : wrap(dtype, Math.imul(a, b))), 1)
  if (fn === 'max') return values.reduce((a, b) => Math.max(a, b))
  if (fn === 'min') return values.reduce((a, b) => Math.min(a, b))
  let best = 0
  for (const [i, v] of values.entries()) {
    const champion = values[best]!
    if (Number.isNaN(champion)) break
    if (Number.isNaN(v) || (fn === 'argmax' ? v > champion : v < champion)) best = i
  }
  return best
}
