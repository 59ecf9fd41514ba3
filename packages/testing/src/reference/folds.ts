import { type HostArray, hostArray, type NodeOf, sizeOf, stridesOf } from '@tessella/ir'
import { at, type Compute } from './elementwise.ts'
import { addresses, around } from './layout.ts'
import { foldRows } from './scalars.ts'

export function reduce({ attrs, src: [x], dtype }: NodeOf<'reduce'>): Compute {
  const { start, step } = foldRows[attrs.fn](dtype)
  const shape = x.shape
  const strides = stridesOf(shape)
  const part = (list: readonly number[], reduced: boolean) => list.filter((_, i) => attrs.axes.includes(i) === reduced)
  return (sources) => {
    const data = at(sources, 0)
    const bases = addresses(part(shape, false), part(strides, false))
    const inner = addresses(part(shape, true), part(strides, true))
    const out = hostArray(dtype, bases.length)
    for (let i = 0; i < out.length; i++) {
      const base = bases[i] as number
      let sum = start
      for (let j = 0; j < inner.length; j++) sum = step(sum, data[base + (inner[j] as number)] as number)
      out[i] = sum
    }
    return out
  }
}

export function cumulative({ attrs, shape, dtype }: NodeOf<'cumulative'>): Compute {
  const { start, step } = foldRows[attrs.fn](dtype)
  const { outer, length, inner } = around(shape, attrs.axis)
  const { reverse } = attrs
  return (sources) => {
    const data = at(sources, 0)
    const out = hostArray(dtype, data.length)
    for (let o = 0; o < outer; o++)
      for (let i = 0; i < inner; i++) {
        let sum = start
        for (let k = 0; k < length; k++) {
          const where = (o * length + (reverse ? length - 1 - k : k)) * inner + i
          sum = step(sum, data[where] as number)
          out[where] = sum
        }
      }
    return out
  }
}

export function argReduce({ attrs, src: [x] }: NodeOf<'argReduce'>): Compute {
  const { outer, length, inner } = around(x.shape, attrs.axis)
  const beats = attrs.fn === 'max' ? (a: number, b: number) => a > b : (a: number, b: number) => a < b
  return (sources) => {
    const data = at(sources, 0)
    const out = new Int32Array(outer * inner)
    for (let o = 0; o < outer; o++)
      for (let i = 0; i < inner; i++) {
        let best = 0
        let champion = data[o * length * inner + i] as number
        for (let k = 1; k < length && !Number.isNaN(champion); k++) {
          const value = data[(o * length + k) * inner + i] as number
          if (beats(value, champion) || Number.isNaN(value)) {
            best = k
            champion = value
          }
        }
        out[o * inner + i] = best
      }
    return out
  }
}

/** Ascending order with NaN after everything and equal to itself. */
function compare(a: number, b: number): number {
  if (a < b) return -1
  if (a > b) return 1
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
}

export function argsort({ attrs, shape }: NodeOf<'argsort'>): Compute {
  const { outer, length, inner } = around(shape, attrs.axis)
  const direction = attrs.descending ? -1 : 1
  return (sources) => {
    const data = at(sources, 0)
    const out = new Int32Array(data.length)
    for (let o = 0; o < outer; o++)
      for (let i = 0; i < inner; i++) {
        const base = o * length * inner + i
        const value = (k: number) => data[base + k * inner] as number
        // Array.prototype.sort is stable by specification.
        const order = Array.from({ length }, (_, k) => k).sort((p, q) => direction * compare(value(p), value(q)))
        for (let k = 0; k < length; k++) out[base + k * inner] = order[k] as number
      }
    return out
  }
}

export function matmul({ src: [a], shape, dtype }: NodeOf<'matmul'>): Compute {
  const rank = shape.length
  const batch = sizeOf(shape.slice(0, -2))
  const m = shape[rank - 2] as number
  const n = shape[rank - 1] as number
  const k = a.shape[rank - 1] as number
  return (sources) => {
    const x = at(sources, 0)
    const y = at(sources, 1)
    const out: HostArray = hostArray(dtype, batch * m * n)
    const row = new Float64Array(n)
    for (let s = 0; s < batch; s++)
      for (let i = 0; i < m; i++) {
        row.fill(0)
        for (let p = 0; p < k; p++) {
          const scale = x[(s * m + i) * k + p] as number
          const from = (s * k + p) * n
          for (let j = 0; j < n; j++) row[j] = (row[j] as number) + scale * (y[from + j] as number)
        }
        out.set(row, (s * m + i) * n)
      }
    return out
  }
}
