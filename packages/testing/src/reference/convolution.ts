import { type Dims, type HostArray, hostArray, type NodeOf, sizeOf } from '@tessella/ir'
import { at, type Compute } from './elementwise.ts'
import { convRows, poolMaxima } from './window.ts'

/** Rounds float64 sums to the dtype of the result. */
function rounded(sums: Float64Array, dtype: NodeOf<'conv'>['dtype']): HostArray {
  const out = hostArray(dtype, sums.length)
  out.set(sums)
  return out
}

export function conv({ attrs, src, shape, dtype }: NodeOf<'conv'>): Compute {
  const [xShape, wShape] = src.map((s) => s.shape) as [Dims, Dims]
  return (sources) => {
    const x = at(sources, 0)
    const w = at(sources, 1)
    const out = new Float64Array(sizeOf(shape))
    convRows(xShape, wShape, shape, attrs, (from, stride, weight, to, count) => {
      const scale = w[weight] as number
      for (let i = 0; i < count; i++) out[to + i] = (out[to + i] as number) + scale * (x[from + i * stride] as number)
    })
    return rounded(out, dtype)
  }
}

export function convGradInput({ attrs, src, shape, dtype }: NodeOf<'convGradInput'>): Compute {
  const [dyShape, wShape] = src.map((s) => s.shape) as [Dims, Dims]
  return (sources) => {
    const dy = at(sources, 0)
    const w = at(sources, 1)
    const dx = new Float64Array(sizeOf(shape))
    convRows(shape, wShape, dyShape, attrs, (to, stride, weight, from, count) => {
      const scale = w[weight] as number
      for (let i = 0; i < count; i++)
        dx[to + i * stride] = (dx[to + i * stride] as number) + scale * (dy[from + i] as number)
    })
    return rounded(dx, dtype)
  }
}

export function convGradWeight({ attrs, src, shape, dtype }: NodeOf<'convGradWeight'>): Compute {
  const [xShape, dyShape] = src.map((s) => s.shape) as [Dims, Dims]
  return (sources) => {
    const x = at(sources, 0)
    const dy = at(sources, 1)
    const dw = new Float64Array(sizeOf(shape))
    convRows(xShape, shape, dyShape, attrs, (from, stride, weight, grad, count) => {
      let sum = dw[weight] as number
      for (let i = 0; i < count; i++) sum += (x[from + i * stride] as number) * (dy[grad + i] as number)
      dw[weight] = sum
    })
    return rounded(dw, dtype)
  }
}

export function maxPool({ attrs, src: [x], shape, dtype }: NodeOf<'maxPool'>): Compute {
  const input = x.shape
  return (sources) => {
    const data = at(sources, 0)
    const maxima = poolMaxima(data, input, shape, attrs)
    const out = hostArray(dtype, maxima.length)
    for (let i = 0; i < out.length; i++) {
      const where = maxima[i] as number
      out[i] = where < 0 ? Number.NEGATIVE_INFINITY : (data[where] as number)
    }
    return out
  }
}

export function maxPoolGrad({ attrs, src, shape, dtype }: NodeOf<'maxPoolGrad'>): Compute {
  const pooled = src[1].shape
  return (sources) => {
    const dy = at(sources, 1)
    const maxima = poolMaxima(at(sources, 0), shape, pooled, attrs)
    const dx = new Float64Array(sizeOf(shape))
    for (let i = 0; i < maxima.length; i++) {
      const where = maxima[i] as number
      if (where >= 0) dx[where] = (dx[where] as number) + (dy[i] as number)
    }
    return rounded(dx, dtype)
  }
}

export function maxPoolPick({ attrs, src: [x], shape, dtype }: NodeOf<'maxPoolPick'>): Compute {
  const input = x.shape
  return (sources) => {
    const v = at(sources, 1)
    const maxima = poolMaxima(at(sources, 0), input, shape, attrs)
    const out = hostArray(dtype, maxima.length)
    for (let i = 0; i < out.length; i++) {
      const where = maxima[i] as number
      out[i] = where < 0 ? 0 : (v[where] as number)
    }
    return out
  }
}
