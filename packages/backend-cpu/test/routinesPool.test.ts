import type { Affine, Write } from '@tessella/compiler'
import { type PoolAttrs, sizeOf } from '@tessella/ir'
import { describe, expect, it } from 'vitest'
import type { RoutineKernel } from '../src/routines/index.ts'
import {
  binary,
  constant,
  contiguous,
  load,
  plainWrites,
  RoutineHarness,
  randomNumbers,
  result,
} from './support/routines.ts'
import { outputSizes, poolMaxima } from './support/window.ts'

type Kind = 'maxPool' | 'maxPoolGrad' | 'maxPoolPick'

interface Case {
  readonly planes: readonly [number, number]
  readonly input: readonly number[]
  readonly attrs: PoolAttrs
  /** Few different values: ties, NaN and -infinity are common. */
  readonly special?: boolean
}

/** Buffer 0 is the output, 1 and 2 the operands, 4 like the output. */
function check(kind: Kind, { planes, input, attrs, special }: Case, seed: number, writes?: (d: number[]) => Write[]) {
  const x = [...planes, ...input]
  const y = [...planes, ...outputSizes(input, attrs.kernel, attrs)]
  const domain = kind === 'maxPoolGrad' ? x : y
  const otherShape = kind === 'maxPoolGrad' ? y : x
  const common = {
    domain,
    dtype: 'float32' as const,
    attrs,
    x: { buffer: 1, shape: x },
    writes: writes?.(domain) ?? [{ buffer: 0, at: contiguous(domain), value: result }],
  }
  const kernel: RoutineKernel =
    kind === 'maxPool' ? { kind, ...common } : { kind, ...common, other: { buffer: 2, shape: otherShape } }
  const harness = new RoutineHarness(
    kernel,
    [sizeOf(domain), sizeOf(x), sizeOf(otherShape), 1, sizeOf(domain)],
    seed % 3,
  )
  const random = randomNumbers(seed)
  for (const array of harness.arrays) for (let i = 0; i < array.length; i++) array[i] = random()
  const data = harness.arrays[1]!
  const values = [-1, 0, 0.5, Number.NaN, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]
  if (special) for (let i = 0; i < data.length; i++) data[i] = values[Math.floor((data[i]! + 1) * 3)]!
  const expected = harness.arrays.map((array) => array.slice())
  const maxima = poolMaxima(x, y, data, attrs)
  const other = expected[2]!
  const grads = new Float64Array(sizeOf(x))
  for (const [i, at] of maxima.entries()) if (at >= 0) grads[at]! += other[i]!
  const value = (i: number): number => {
    if (kind === 'maxPoolGrad') return grads[i]!
    const at = maxima[i]!
    if (kind === 'maxPool') return at < 0 ? Number.NEGATIVE_INFINITY : data[at]!
    return at < 0 ? 0 : other[at]!
  }
  plainWrites(kernel, expected, (_, flat) => value(flat))
  harness.run()
  for (const [i, e] of expected.entries())
    for (let j = 0; j < e.length; j++) {
      const actual = harness.arrays[i]![j]!
      if (!Object.is(actual + 0, e[j]! + 0) && !(Math.abs(actual - e[j]!) <= 1e-6))
        expect.fail(`buffer ${i} element ${j}: ${actual} instead of ${e[j]} in ${JSON.stringify(kernel)}`)
    }
}

const pairs: PoolAttrs = {
  kernel: [2, 2],
  stride: [2, 2],
  dilation: [1, 1],
  padding: [
    [0, 0],
    [0, 0],
  ],
}

describe.each(['maxPool', 'maxPoolGrad', 'maxPoolPick'] as const)('%s', (kind) => {
  it('does 2x2 windows of any image', () => {
    for (const [i, [h, w]] of [
      [2, 2],
      [4, 8],
      [6, 7],
      [5, 10],
      [3, 12],
      [24, 24],
      [9, 13],
      [7, 3],
    ].entries()) {
      check(kind, { planes: [2, 3], input: [h!, w!], attrs: pairs }, i)
      check(kind, { planes: [1, 5], input: [h!, w!], attrs: pairs, special: true }, i)
    }
  })

  it.each([1, 2, 3])('does any windows in %i dimensions', (rank) => {
    const random = randomNumbers(rank)
    const pick = (low: number, high: number) => low + Math.floor(((random() + 1) / 2) * (high - low + 1))
    for (let i = 0; i < 40; i++) {
      const list = <T>(make: (d: number) => T): T[] => Array.from({ length: rank }, (_, d) => make(d))
      const kernel = list(() => pick(1, 3))
      const dilation = list(() => pick(1, 2))
      const span = kernel.map((k, d) => (k - 1) * dilation[d]! + 1)
      const padding = list((d): [number, number] => [Math.min(pick(0, 2), span[d]! - 1), pick(0, 2)])
      const input = span.map((s, d) => Math.max(1, s - padding[d]![0] - padding[d]![1]) + pick(0, rank === 3 ? 5 : 14))
      const attrs = { kernel, stride: list(() => pick(1, 3)), dilation, padding }
      check(kind, { planes: [pick(1, 2), pick(1, 3)], input, attrs, special: i % 2 === 0 }, i)
    }
  })

  it('reads nothing after a small image', () => {
    const attrs: PoolAttrs = { ...pairs, stride: [1, 1] }
    for (let seed = 0; seed < 6; seed++) check(kind, { planes: [1, 2], input: [3, 2 + (seed % 3)], attrs }, seed)
  })

  it('applies an epilogue with several writes', () => {
    const writes = (domain: number[]): Write[] => {
      const whole = contiguous(domain)
      const back: Affine = { offset: sizeOf(domain) - 1, strides: whole.strides.map((s) => -s) }
      return [
        { buffer: 0, at: back, value: binary('max', result, constant(0)) },
        { buffer: 4, at: whole, value: binary('sub', load(4, whole), binary('mul', constant(0.5), result)) },
      ]
    }
    check(kind, { planes: [2, 2], input: [7, 11], attrs: pairs }, 1, writes)
    check(kind, { planes: [2, 2], input: [7, 11], attrs: { ...pairs, kernel: [3, 3] } }, 2, writes)
  })
})
