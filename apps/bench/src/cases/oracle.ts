import { adamCase, adamInputs, noise, noiseAt, seeds } from './data.ts'
import type { ElementwiseFn, Work } from './work.ts'

/** What some elements of one output must be. */
export interface Expected {
  readonly indices: readonly number[]
  readonly values: readonly number[]
  /** Allowed difference, as a share of the root mean square of `values`. */
  readonly tolerance: number
}

/** Outputs by name after `runs` runs from the start. */
export interface Check {
  readonly runs: number
  readonly outputs: Readonly<Record<string, Expected>>
}

/** `count` places below `size`: the first, the last and others without a pattern. */
function places(size: number, count: number, seed: number): number[] {
  const inner = Array.from({ length: count - 2 }, (_, i) => Math.floor(((noiseAt(i, seed) + 1) / 2) * size))
  return [0, size - 1, ...inner]
}

const expectedAt = (size: number, at: (index: number) => number, tolerance = 1e-4, count = 48): Expected => {
  const indices = places(size, count, 77)
  return { indices, values: indices.map(at), tolerance }
}

function matmul(m: number, k: number, n: number): Check {
  const [a, b] = [noise(m * k, seeds.a), noise(k * n, seeds.b)]
  const at = (index: number): number => {
    const [row, column] = [Math.floor(index / n), index % n]
    let sum = 0
    for (let i = 0; i < k; i++) sum += (a[row * k + i] ?? 0) * (b[i * n + column] ?? 0)
    return sum
  }
  return { runs: 1, outputs: { y: expectedAt(m * n, at) } }
}

/** Plain loops over a 3x3 convolution with one row of zeros around: y = conv(x, w). */
class Conv3x3 {
  readonly batch: number
  readonly channels: number
  readonly size: number
  readonly x: Float32Array
  readonly w: Float32Array

  constructor(batch: number, channels: number, size: number) {
    this.batch = batch
    this.channels = channels
    this.size = size
    this.x = noise(batch * channels * size * size, seeds.a)
    this.w = noise(channels * channels * 9, seeds.b, convScale(channels))
  }

  inside(y: number, x: number): boolean {
    return y >= 0 && x >= 0 && y < this.size && x < this.size
  }

  place(image: number, channel: number, y: number, x: number): number {
    return ((image * this.channels + channel) * this.size + y) * this.size + x
  }

  output(image: number, oc: number, y: number, x: number): number {
    const { channels: c, size } = this
    let sum = 0
    for (let ic = 0; ic < c; ic++)
      for (let ky = 0; ky < 3; ky++) {
        const row = y + ky - 1
        if (row < 0 || row >= size) continue
        const from = this.place(image, ic, row, 0)
        const weights = (oc * c + ic) * 9 + ky * 3
        for (let kx = Math.max(0, 1 - x); kx < Math.min(3, size + 1 - x); kx++)
          sum += (this.x[from + x + kx - 1] ?? 0) * (this.w[weights + kx] ?? 0)
      }
    return sum
  }

  split(index: number): [number, number, number, number] {
    const { channels, size } = this
    const x = index % size
    const y = Math.floor(index / size) % size
    const channel = Math.floor(index / size ** 2) % channels
    return [Math.floor(index / (size ** 2 * channels)), channel, y, x]
  }

  /** Gradient of sum(y^2) / 2 by the input at one place. */
  inputGradient(index: number): number {
    const [image, ic, y, x] = this.split(index)
    let sum = 0
    for (let oc = 0; oc < this.channels; oc++)
      for (let ky = 0; ky < 3; ky++)
        for (let kx = 0; kx < 3; kx++) {
          const [oy, ox] = [y + 1 - ky, x + 1 - kx]
          if (this.inside(oy, ox))
            sum += this.output(image, oc, oy, ox) * (this.w[((oc * this.channels + ic) * 3 + ky) * 3 + kx] ?? 0)
        }
    return sum
  }

  /** Gradients by some weights of one output channel; its outputs are computed once. */
  weightGradients(oc: number, places: readonly number[]): number[] {
    const { size } = this
    const sums = places.map(() => 0)
    for (let image = 0; image < this.batch; image++)
      for (let y = 0; y < size; y++)
        for (let x = 0; x < size; x++) {
          const value = this.output(image, oc, y, x)
          for (const [i, place] of places.entries()) {
            const [ic, ky, kx] = [Math.floor(place / 9) % this.channels, Math.floor(place / 3) % 3, place % 3]
            const [iy, ix] = [y + ky - 1, x + kx - 1]
            if (this.inside(iy, ix)) sums[i] = (sums[i] ?? 0) + value * (this.x[this.place(image, ic, iy, ix)] ?? 0)
          }
        }
    return sums
  }
}

/** Keeps the outputs of the convolution near one. */
export const convScale = (channels: number): number => 1 / Math.sqrt(channels * 3)

function conv(work: Extract<Work, { kind: 'conv3x3' }>): Check {
  const { batch, channels, size } = work
  const loops = new Conv3x3(batch, channels, size)
  const total = batch * channels * size ** 2
  if (work.mode === 'fwd')
    return { runs: 1, outputs: { y: expectedAt(total, (i) => loops.output(...loops.split(i)), 1e-4) } }
  const weights = places(channels * 9, 12, 78).map((place) => (channels - 1) * channels * 9 + place)
  return {
    runs: 1,
    outputs: {
      dx: expectedAt(total, (i) => loops.inputGradient(i), 1e-4, 12),
      dw: { indices: weights, values: loops.weightGradients(channels - 1, weights), tolerance: 1e-4 },
    },
  }
}

/** The error function by its series; enough for |x| < 3. */
function erf(x: number): number {
  let term = x
  let sum = x
  for (let n = 1; Math.abs(term) > 1e-18 && n < 100; n++) {
    term *= (-x * x) / n
    sum += term / (2 * n + 1)
  }
  return (2 / Math.sqrt(Math.PI)) * sum
}

const functions: Record<Exclude<ElementwiseFn, 'adam'>, (a: number, b: number) => number> = {
  add: (a, b) => a + b,
  exp: (a) => Math.exp(a),
  gelu: (a) => (a / 2) * (1 + erf(a / Math.SQRT2)),
}

function elementwise(fn: ElementwiseFn, size: number): Check {
  if (fn !== 'adam')
    return {
      runs: 1,
      outputs: { y: expectedAt(size, (i) => functions[fn](noiseAt(i, seeds.a), noiseAt(i, seeds.b)), 1e-5) },
    }
  const { parameter, gradient, first, second } = adamInputs(size)
  const { rate, beta1, beta2, eps, step } = adamCase
  const at = (i: number): number => {
    const g = gradient[i] ?? 0
    const m = beta1 * (first[i] ?? 0) + (1 - beta1) * g
    const v = beta2 * (second[i] ?? 0) + (1 - beta2) * g * g
    return (parameter[i] ?? 0) - (rate * (m / (1 - beta1 ** step))) / (Math.sqrt(v / (1 - beta2 ** step)) + eps)
  }
  return { runs: 1, outputs: { y: expectedAt(size, at, 1e-5) } }
}

function rows(fn: 'softmax' | 'layernorm', count: number, columns: number): Check {
  const x = (row: number): number[] => Array.from({ length: columns }, (_, j) => noiseAt(row * columns + j, seeds.a))
  const at = (index: number): number => {
    const [row, column] = [x(Math.floor(index / columns)), index % columns]
    const value = row[column] ?? 0
    if (fn === 'softmax') return Math.exp(value) / row.reduce((sum, r) => sum + Math.exp(r), 0)
    const mean = row.reduce((sum, r) => sum + r, 0) / columns
    const variance = row.reduce((sum, r) => sum + (r - mean) ** 2, 0) / columns
    return ((value - mean) / Math.sqrt(variance + 1e-5)) * noiseAt(column, seeds.b) + noiseAt(column, seeds.gradient)
  }
  return { runs: 1, outputs: { y: expectedAt(count * columns, at, 1e-5) } }
}

/** The right answer of everything but training, in float64 and plain loops. */
export function expect(work: Exclude<Work, { kind: 'train' }>): Check {
  switch (work.kind) {
    case 'matmul':
      return matmul(work.m, work.k, work.n)
    case 'conv3x3':
      return conv(work)
    case 'elementwise':
      return elementwise(work.fn, work.size)
    case 'rows':
      return rows(work.fn, work.rows, work.columns)
    case 'overhead':
      return { runs: 5, outputs: { y: { indices: [0], values: [5], tolerance: 0 } } }
  }
}

/** Losses of the first steps must be these. */
export const lossCheck = (losses: readonly number[]): Check => ({
  runs: losses.length,
  outputs: { loss: { indices: losses.map((_, i) => i), values: losses, tolerance: 2e-4 } },
})

/** Says what is wrong with the elements that a system computed, or nothing. */
export function wrong(check: Check, got: Readonly<Record<string, readonly number[]>>): string | undefined {
  for (const [name, { indices, values, tolerance }] of Object.entries(check.outputs)) {
    const found = got[name]
    if (found === undefined || found.length !== values.length)
      return `wrong result: ${found === undefined ? 'no' : found.length} elements of ${name}, expected ${values.length}`
    const scale = Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length)
    for (const [i, value] of values.entries()) {
      const actual = found[i] ?? Number.NaN
      if (!(Math.abs(actual - value) <= tolerance * scale))
        return `wrong result: ${name}[${indices[i]}] is ${actual}, expected ${value}`
    }
  }
  return undefined
}
