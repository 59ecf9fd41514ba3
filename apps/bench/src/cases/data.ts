/** Numbers that look random, the same in every system: a hash of place and seed, uniform in [-1, 1). Exact in float32. */
export function noiseAt(index: number, seed: number): number {
  let x = (Math.imul(index, 0x9e3779b1) + Math.imul(seed, 0x85ebca6b)) >>> 0
  x ^= x >>> 15
  x = Math.imul(x, 0x2c1b3c6d) >>> 0
  x ^= x >>> 12
  x = Math.imul(x, 0x297a2d39) >>> 0
  x ^= x >>> 15
  return (x >>> 8) / 0x800000 - 1
}

/** `size` numbers of {@link noiseAt}, times `scale`, repeating after `period`. */
export function noise(size: number, seed: number, scale = 1, period = size): Float32Array<ArrayBuffer> {
  const data = new Float32Array(size)
  for (let i = 0; i < Math.min(size, period); i++) data[i] = Math.fround(noiseAt(i, seed) * scale)
  for (let i = period; i < size; i += period) data.copyWithin(i, 0, Math.min(period, size - i))
  return data
}

/** Integers from 0 to `below` - 1, repeating after `period`. */
export function noiseIntegers(size: number, seed: number, below: number, period = size): Int32Array<ArrayBuffer> {
  return Int32Array.from({ length: size }, (_, i) => Math.floor(((noiseAt(i % period, seed) + 1) / 2) * below))
}

/** Seeds, so that no two inputs are alike. */
export const seeds = { a: 1, b: 2, gradient: 3, first: 4, second: 5, images: 10, labels: 11, parameters: 100 } as const

/** Start of parameter number `index`: matrices by their fan in, scales one, other vectors zero. */
export function parameterStart(name: string, shape: readonly number[], index: number): Float32Array<ArrayBuffer> {
  const size = shape.reduce((a, b) => a * b, 1)
  if (shape.length >= 2) {
    const fanIn = size / (shape[0] ?? 1)
    return noise(size, seeds.parameters + index, Math.sqrt(3 / fanIn))
  }
  return new Float32Array(size).fill(name.endsWith('weight') ? 1 : 0)
}

/** Adam's state in the element-wise case; the second moment is positive. */
export const adamInputs = (size: number) => ({
  parameter: noise(size, seeds.a),
  gradient: noise(size, seeds.gradient),
  first: noise(size, seeds.first, 0.1),
  second: noise(size, seeds.second, 0.1).map((x) => Math.abs(x) + Math.fround(0.01)),
})

/** One update of the element-wise Adam case: step 10 of beta 0.9 and 0.999. */
export const adamCase = { rate: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8, step: 10 } as const
