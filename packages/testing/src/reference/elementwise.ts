import { type DType, type HostArray, hostArray, type NodeOf } from '@tessella/ir'
import { binaryRows, unaryRows } from './scalars.ts'

/** Computes a node from the values of its sources. Holds what it needs of the node, never the node: nodes settle. */
export type Compute = (sources: readonly HostArray[]) => HostArray

export const at = (sources: readonly HostArray[], index: number): HostArray => sources[index] as HostArray

export function unary({ attrs, src: [x], dtype }: NodeOf<'unary'>): Compute {
  const f = unaryRows[attrs.fn](x.dtype)
  return (sources) => {
    const a = at(sources, 0)
    const out = hostArray(dtype, a.length)
    for (let i = 0; i < out.length; i++) out[i] = f(a[i] as number)
    return out
  }
}

type Float32 = Float32Array<ArrayBuffer>

/** The commonest functions of training in their own loops, which engines compile to straight code. */
const float32Loops: { readonly [fn: string]: (a: Float32, b: Float32, out: Float32) => void } = {
  add: (a, b, out) => {
    for (let i = 0; i < out.length; i++) out[i] = (a[i] as number) + (b[i] as number)
  },
  sub: (a, b, out) => {
    for (let i = 0; i < out.length; i++) out[i] = (a[i] as number) - (b[i] as number)
  },
  mul: (a, b, out) => {
    for (let i = 0; i < out.length; i++) out[i] = (a[i] as number) * (b[i] as number)
  },
}

export function binary({ attrs, src: [x], dtype }: NodeOf<'binary'>): Compute {
  const loop = x.dtype === 'float32' ? float32Loops[attrs.fn] : undefined
  if (loop)
    return (sources) => {
      const a = at(sources, 0) as Float32
      const out = new Float32Array(a.length)
      loop(a, at(sources, 1) as Float32, out)
      return out
    }
  const f = binaryRows[attrs.fn](x.dtype)
  return (sources) => {
    const a = at(sources, 0)
    const b = at(sources, 1)
    const out = hostArray(dtype, a.length)
    for (let i = 0; i < out.length; i++) out[i] = f(a[i] as number, b[i] as number)
    return out
  }
}

export function select({ dtype }: { readonly dtype: DType }): Compute {
  return (sources) => {
    const condition = at(sources, 0)
    const a = at(sources, 1)
    const b = at(sources, 2)
    const out = hostArray(dtype, a.length)
    for (let i = 0; i < out.length; i++) out[i] = (condition[i] ? a[i] : b[i]) as number
    return out
  }
}
