import { type Dims, type DType, type HostArray, hostArray, sizeOf } from '@tessella/ir'

/** The address of every index of `shape`, row-major: base + sum(index[i] * strides[i]). */
export function addresses(shape: Dims, strides: Dims, base = 0): Int32Array {
  const out = new Int32Array(sizeOf(shape))
  if (out.length === 0) return out
  out[0] = base
  let filled = 1
  // From the last dimension outwards: each one repeats what is there, moved by its stride.
  for (let d = shape.length - 1; d >= 0; d--) {
    const stride = strides[d] as number
    for (let i = 1; i < (shape[d] as number); i++)
      for (let j = 0; j < filled; j++) out[i * filled + j] = (out[j] as number) + i * stride
    filled *= shape[d] as number
  }
  return out
}

/** out[i] = data[from[i]]. */
export function pick(data: HostArray, dtype: DType, from: Int32Array): HostArray {
  const out = hostArray(dtype, from.length)
  for (let i = 0; i < out.length; i++) out[i] = data[from[i] as number] as number
  return out
}

/** A shape seen as [outer, length, inner] around an axis. */
export function around(shape: Dims, axis: number): { outer: number; length: number; inner: number } {
  return {
    outer: sizeOf(shape.slice(0, axis)),
    length: shape[axis] as number,
    inner: sizeOf(shape.slice(axis + 1)),
  }
}
