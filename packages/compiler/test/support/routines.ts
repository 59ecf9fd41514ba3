import { type HostArray, sizeOf, stridesOf } from '@tessella/ir'
import type { ConvKernel, Kernel, MatrixOperand, PoolKernel } from './kernels.ts'
import { type Arrays, folds, points, read } from './numbers.ts'

export const element = (arrays: Arrays, m: MatrixOperand, batch: readonly number[], row: number, col: number): number =>
  read(
    arrays[m.buffer] as HostArray,
    m.offset +
      batch.reduce((s, b, d) => s + b * (m.batchStrides[d] as number), 0) +
      row * m.rowStride +
      col * m.colStride,
  )

/** Places of a window: for each output position and kernel offset the input position, when it is inside. */
function* windows(
  attrs: PoolKernel['attrs'] | ConvKernel['attrs'],
  input: readonly number[],
  kernel: readonly number[],
  out: readonly number[],
): Generator<[number[], number[]]> {
  for (const k of points(kernel)) {
    const at = out.map(
      (o, d) =>
        o * (attrs.stride[d] as number) -
        (attrs.padding[d]?.[0] as number) +
        (k[d] as number) * (attrs.dilation[d] as number),
    )
    if (at.every((p, d) => p >= 0 && p < (input[d] as number))) yield [k, at]
  }
}

const flat = (shape: readonly number[], index: readonly number[]): number =>
  stridesOf(shape).reduce((s, n, d) => s + n * (index[d] as number), 0)

/** Convolutions and their gradients write a full array first: every position adds up in any order. */
export function convolution(kernel: ConvKernel, arrays: Arrays): Float64Array {
  const out = new Float64Array(sizeOf(kernel.domain))
  const a = { data: arrays[kernel.a.buffer] as HostArray, shape: kernel.a.shape }
  const b = { data: arrays[kernel.b.buffer] as HostArray, shape: kernel.b.shape }
  const c = { data: out as HostArray | Float64Array, shape: kernel.domain }
  const [x, w, y] = kernel.kind === 'conv' ? [a, b, c] : kernel.kind === 'convGradInput' ? [c, b, a] : [a, c, b]
  const [n = 0, outputs = 0, ...positions] = y.shape
  const perGroup = w.shape[1] as number
  const group = outputs / kernel.attrs.groups
  for (let image = 0; image < n; image++)
    for (let o = 0; o < outputs; o++)
      for (const p of points(positions))
        for (const [k, at] of windows(kernel.attrs, x.shape.slice(2), w.shape.slice(2), p))
          for (let i = 0; i < perGroup; i++) {
            const xi = flat(x.shape, [image, Math.floor(o / group) * perGroup + i, ...at])
            const wi = flat(w.shape, [o, i, ...k])
            const yi = flat(y.shape, [image, o, ...p])
            const get = (z: { data: HostArray | Float64Array }, index: number) => z.data[index] as number
            if (kernel.kind === 'conv') out[yi] = (out[yi] as number) + get(x, xi) * get(w, wi)
            else if (kernel.kind === 'convGradInput') out[xi] = (out[xi] as number) + get(w, wi) * get(y, yi)
            else out[wi] = (out[wi] as number) + get(x, xi) * get(y, yi)
          }
  return out
}

export function pooling(kernel: PoolKernel, arrays: Arrays): Float64Array {
  const out = new Float64Array(sizeOf(kernel.domain))
  const x = arrays[kernel.x.buffer] as HostArray
  const [n = 0, channels = 0, ...input] = kernel.x.shape
  const other = kernel.kind === 'maxPool' ? undefined : kernel.other
  const pooled = kernel.kind === 'maxPoolGrad' ? kernel.other.shape : kernel.domain
  for (const [image, channel, ...p] of points([n, channels, ...pooled.slice(2)])) {
    let best = -1
    for (const [, at] of windows(kernel.attrs, input, kernel.attrs.kernel, p)) {
      const i = flat(kernel.x.shape, [image as number, channel as number, ...at])
      const value = x[i] as number
      if (best < 0 || (!Number.isNaN(x[best] as number) && (Number.isNaN(value) || value > (x[best] as number))))
        best = i
    }
    const y = flat(pooled, [image as number, channel as number, ...p])
    if (other === undefined) out[y] = x[best] as number
    else if (kernel.kind === 'maxPoolGrad')
      out[best] = (out[best] as number) + ((arrays[other.buffer] as HostArray)[y] as number)
    else out[y] = (arrays[other.buffer] as HostArray)[best] as number
  }
  return out
}

export function lines(kernel: Extract<Kernel, { out: number }>, arrays: Arrays): void {
  const { outer, length, inner } = kernel
  const out = arrays[kernel.out] as HostArray
  if (kernel.kind === 'scatterAdd') out.fill(0)
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < inner; i++) {
      const at = (l: number) => (o * length + l) * inner + i
      if (kernel.kind === 'scatterAdd') {
        const indices = arrays[kernel.index] as HostArray
        const values = arrays[kernel.values] as HostArray
        for (let l = 0; l < length; l++) {
          const place = indices[at(l)] as number
          const target = (o * kernel.size + place) * inner + i
          if (place >= 0 && place < kernel.size) out[target] = (out[target] as number) + (values[at(l)] as number)
        }
        continue
      }
      const x = arrays[kernel.x] as HostArray
      if (kernel.kind === 'argsort') {
        const key = (l: number) => x[at(l)] as number
        const order = Array.from({ length }, (_, l) => l).sort((p, q) => {
          const [a, b] = kernel.descending ? [key(q), key(p)] : [key(p), key(q)]
          const byValue = Number.isNaN(a) ? (Number.isNaN(b) ? 0 : 1) : Number.isNaN(b) ? -1 : a - b
          return byValue || p - q
        })
        for (const [l, place] of order.entries()) out[at(l)] = place
        continue
      }
      const [start, step] = folds[kernel.fn]
      let sum = start
      for (let l = 0; l < length; l++) {
        const place = at(kernel.reverse ? length - 1 - l : l)
        sum = step(sum, x[place] as number, kernel.dtype)
        out[place] = sum
      }
    }
}
