import { type HostArray, hostArray, type NodeOf, sizeOf, stridesOf } from '@tessella/ir'
import { at, type Compute } from './elementwise.ts'
import { addresses, around, pick } from './layout.ts'
import { encoder, outsideOf } from './storage.ts'

/** The value itself: arrays are never written after they are made, so they can be shared. */
export const same: Compute = (sources) => at(sources, 0)

export function permute({ attrs, src: [x], shape, dtype }: NodeOf<'permute'>): Compute {
  const from = stridesOf(x.shape)
  const strides = attrs.perm.map((p) => from[p] as number)
  return (sources) => pick(at(sources, 0), dtype, addresses(shape, strides))
}

export function expand({ src: [x], shape, dtype }: NodeOf<'expand'>): Compute {
  const from = stridesOf(x.shape)
  const grows = x.shape.map((n) => n === 1)
  const strides = from.map((s, i) => (grows[i] ? 0 : s))
  return (sources) => pick(at(sources, 0), dtype, addresses(shape, strides))
}

export function slice({ attrs, src: [x], shape, dtype }: NodeOf<'slice'>): Compute {
  const from = stridesOf(x.shape)
  const strides = from.map((s, i) => s * (attrs.step[i] as number))
  const base = from.reduce((sum, s, i) => sum + s * (attrs.start[i] as number), 0)
  return (sources) => pick(at(sources, 0), dtype, addresses(shape, strides, base))
}

export function flip({ attrs, shape, dtype }: NodeOf<'flip'>): Compute {
  const from = stridesOf(shape)
  const strides = from.map((s, i) => (attrs.axes.includes(i) ? -s : s))
  const base = from.reduce((sum, s, i) => sum + (attrs.axes.includes(i) ? s * ((shape[i] as number) - 1) : 0), 0)
  return (sources) => pick(at(sources, 0), dtype, addresses(shape, strides, base))
}

export function pad({ attrs, src: [x], shape, dtype }: NodeOf<'pad'>): Compute {
  const to = stridesOf(shape)
  const input = x.shape
  const strides = to.map((s, i) => s * ((attrs.interior[i] as number) + 1))
  const base = to.reduce((sum, s, i) => sum + s * (attrs.lo[i] as number), 0)
  const value = encoder(dtype)(attrs.value)
  return (sources) => {
    const data = at(sources, 0)
    const out = hostArray(dtype, sizeOf(shape)).fill(value)
    const places = addresses(input, strides, base)
    for (let i = 0; i < places.length; i++) out[places[i] as number] = data[i] as number
    return out
  }
}

export function concat({ attrs, src, shape, dtype }: NodeOf<'concat'>): Compute {
  const { outer, length, inner } = around(shape, attrs.axis)
  const widths = src.map((s) => (s.shape[attrs.axis] as number) * inner)
  return (sources) => {
    const out: HostArray = hostArray(dtype, outer * length * inner)
    let offset = 0
    for (const [p, width] of widths.entries()) {
      const part = at(sources, p)
      for (let o = 0; o < outer; o++) out.set(part.subarray(o * width, (o + 1) * width), o * length * inner + offset)
      offset += width
    }
    return out
  }
}

export function gather({ attrs, src: [x], shape, dtype }: NodeOf<'gather'>): Compute {
  const { outer, length, inner } = around(shape, attrs.axis)
  const size = x.shape[attrs.axis] as number
  const outside = outsideOf(dtype)
  return (sources) => {
    const data = at(sources, 0)
    const index = at(sources, 1)
    const out = hostArray(dtype, index.length)
    for (let o = 0; o < outer; o++)
      for (let k = 0; k < length; k++)
        for (let i = 0; i < inner; i++) {
          const where = (o * length + k) * inner + i
          const j = index[where] as number
          out[where] = j >= 0 && j < size ? (data[(o * size + j) * inner + i] as number) : outside
        }
    return out
  }
}

export function scatterAdd({ attrs, src: [, v], dtype }: NodeOf<'scatterAdd'>): Compute {
  const { outer, length, inner } = around(v.shape, attrs.axis)
  const { size } = attrs
  return (sources) => {
    const index = at(sources, 0)
    const values = at(sources, 1)
    // Sums of 32-bit integers stay exact in float64 for two million terms; the store wraps them.
    const sums = new Float64Array(outer * size * inner)
    for (let o = 0; o < outer; o++)
      for (let k = 0; k < length; k++)
        for (let i = 0; i < inner; i++) {
          const from = (o * length + k) * inner + i
          const j = index[from] as number
          if (j < 0 || j >= size) continue
          const to = (o * size + j) * inner + i
          sums[to] = (sums[to] as number) + (values[from] as number)
        }
    const out = hostArray(dtype, sums.length)
    for (let i = 0; i < out.length; i++) out[i] = sums[i] as number
    return out
  }
}
