import type { Affine, Write } from '@tessella/compiler'
import { type ConvAttrs, sizeOf } from '@tessella/ir'
import { describe, expect, it } from 'vitest'
import type { RoutineKernel } from '../src/routines/index.ts'
import { isWinograd } from '../src/routines/winograd.ts'
import {
  binary,
  constant,
  contiguous,
  featuresOf,
  load,
  plainWrites,
  RoutineHarness,
  randomNumbers,
  result,
} from './support/routines.ts'
import { convProducts, outputSizes } from './support/window.ts'

type Kind = 'conv' | 'convGradInput' | 'convGradWeight'
interface Case {
  readonly n: number
  /** Input and output channels of a group. */
  readonly c: number
  readonly o: number
  readonly input: readonly number[]
  readonly kernel: readonly number[]
  readonly attrs: ConvAttrs
}

const plain = (rank: number): ConvAttrs => ({
  stride: new Array(rank).fill(1),
  dilation: new Array(rank).fill(1),
  padding: new Array(rank).fill([0, 0]),
  groups: 1,
})

/** Buffer 0 is the output, 1 and 2 the operands, 3 a bias, 4 like the output. */
function check(kind: Kind, test: Case, seed: number, writes?: (domain: number[]) => Write[]): void {
  const { attrs } = test
  const x = [test.n, test.c * attrs.groups, ...test.input]
  const w = [test.o * attrs.groups, test.c, ...test.kernel]
  const y = [test.n, test.o * attrs.groups, ...outputSizes(test.input, test.kernel, attrs)]
  const [a, b, domain] = kind === 'conv' ? [x, w, y] : kind === 'convGradInput' ? [y, w, x] : [x, y, w]
  const kernel: RoutineKernel = {
    kind,
    domain,
    dtype: 'float32',
    attrs,
    a: { buffer: 1, shape: a },
    b: { buffer: 2, shape: b },
    writes: writes?.(domain) ?? [{ buffer: 0, at: contiguous(domain), value: result }],
  }
  const size = sizeOf(domain)
  const lengths = [size, sizeOf(a), sizeOf(b), domain[1]!, size]
  const harness = new RoutineHarness(kernel, lengths, seed % 3, featuresOf(seed))
  const random = randomNumbers(seed)
  for (const array of harness.arrays) for (let i = 0; i < array.length; i++) array[i] = random()
  const expected = harness.arrays.map((array) => array.slice())
  const sums = new Float64Array(size)
  const [p, q] = [expected[1]!, expected[2]!]
  let terms = 0
  convProducts(x, w, y, attrs, (xi, wi, yi) => {
    terms++
    if (kind === 'conv') sums[yi]! += p[xi]! * q[wi]!
    else if (kind === 'convGradInput') sums[xi]! += p[yi]! * q[wi]!
    else sums[wi]! += p[xi]! * q[yi]!
  })
  plainWrites(kernel, expected, (_, flat) => sums[flat]!)
  harness.run()
  const tolerance = 1e-6 * (terms / size + 8)
  for (const [i, e] of expected.entries())
    for (let j = 0; j < e.length; j++)
      if (!(Math.abs(harness.arrays[i]![j]! - e[j]!) <= tolerance))
        expect.fail(
          `buffer ${i} element ${j}: ${harness.arrays[i]![j]} instead of ${e[j]} in ${JSON.stringify(kernel)}`,
        )
}

const kinds = ['conv', 'convGradInput', 'convGradWeight'] as const

function randomCase(random: () => number, rank: number): Case {
  const pick = (low: number, high: number) => low + Math.floor(((random() + 1) / 2) * (high - low + 1))
  const list = <T>(make: () => T): T[] => Array.from({ length: rank }, make)
  const kernel = list(() => pick(1, rank === 1 ? 8 : 3))
  const dilation = list(() => pick(1, 2))
  const padding = list((): [number, number] => [pick(0, 2), pick(0, 2)])
  const most = rank === 1 ? 30 : rank === 2 ? 11 : 5
  const input = kernel.map((k, i) => {
    const span = (k - 1) * dilation[i]! + 1 - padding[i]![0] - padding[i]![1]
    return Math.max(1, span) + pick(0, most)
  })
  const groups = pick(1, 6) < 5 ? 1 : pick(2, 3)
  return {
    n: pick(1, 3),
    c: pick(1, 4),
    o: pick(1, groups > 1 ? 3 : 14),
    input,
    kernel,
    attrs: { stride: list(() => pick(1, 3)), dilation, padding, groups },
  }
}

describe.each(kinds)('%s', (kind) => {
  it.each([1, 2, 3])('agrees with plain loops in %i dimensions', (rank) => {
    const random = randomNumbers(100 + rank)
    for (let i = 0; i < 40; i++) check(kind, randomCase(random, rank), i)
  })

  it('does the shapes that need no border', () => {
    const random = randomNumbers(5)
    for (let i = 0; i < 25; i++) {
      const r = randomCase(random, 2)
      const input = r.kernel.map((k, d) => k + r.input[d]!)
      check(kind, { ...r, input, attrs: plain(2) }, i)
    }
  })

  it('does 3x3 kernels with many channels, by Winograd where it pays', () => {
    const padding = [
      [1, 1],
      [0, 2],
    ] as const
    const shapes = [
      { n: 2, c: 17, o: 32, input: [9, 13], attrs: { ...plain(2), padding } },
      { n: 5, c: 26, o: 21, input: [7, 8], attrs: { ...plain(2), padding: [padding[0], padding[0]] } },
      { n: 1, c: 24, o: 24, input: [18, 17], attrs: plain(2) },
      { n: 1, c: 16, o: 20, input: [5, 70], attrs: { ...plain(2), padding } },
    ]
    const counted = shapes.map((shape, i) => {
      const test = { ...shape, kernel: [3, 3] }
      check(kind, test, i)
      check(kind, test, i + 7, (domain) => {
        const bias: Affine = { offset: 0, strides: domain.map((_, d) => (d === 1 ? 1 : 0)) }
        const sum = binary('add', result, load(3, bias))
        return [{ buffer: 0, at: contiguous(domain), value: binary('max', sum, constant(0)) }]
      })
      const y = [shape.n, shape.o, ...outputSizes(shape.input, [3, 3], shape.attrs)]
      const x = [shape.n, shape.c, ...shape.input]
      const [domain, a] = kind === 'conv' ? [y, x] : [x, y]
      const operands = { a: { buffer: 1, shape: a }, b: { buffer: 2, shape: [shape.o, shape.c, 3, 3] } }
      return isWinograd({ kind, domain, dtype: 'float32', attrs: shape.attrs, ...operands, writes: [] })
    })
    expect(counted.filter(Boolean).length).toBe(kind === 'convGradWeight' ? 0 : shapes.length)
  })

  it('does 1x1 kernels and many channels', () => {
    check(kind, { n: 2, c: 13, o: 7, input: [3, 5], kernel: [1, 1], attrs: plain(2) }, 1)
    check(kind, { n: 1, c: 3, o: 20, input: [5, 7, 2], kernel: [1, 1, 1], attrs: plain(3) }, 2)
    check(
      kind,
      {
        n: 9,
        c: 2,
        o: 3,
        input: [6, 6],
        kernel: [3, 3],
        attrs: {
          ...plain(2),
          padding: [
            [1, 1],
            [1, 1],
          ],
        },
      },
      3,
    )
  })

  it('applies an epilogue with several writes', () => {
    const writes = (domain: number[]): Write[] => {
      const channel: Affine = { offset: 0, strides: domain.map((_, d) => (d === 1 ? 1 : 0)) }
      const whole = contiguous(domain)
      // Channels last.
      const turned = contiguous([domain[0]!, ...domain.slice(2), domain[1]!]).strides
      const last: Affine = { offset: 0, strides: [turned[0]!, turned.at(-1)!, ...turned.slice(1, -1)] }
      return [
        { buffer: 0, at: last, value: binary('max', binary('add', result, load(3, channel)), constant(0)) },
        { buffer: 4, at: whole, value: binary('sub', load(4, whole), binary('mul', constant(0.5), result)) },
      ]
    }
    check(kind, { n: 2, c: 3, o: 7, input: [6, 9], kernel: [3, 2], attrs: plain(2) }, 1, writes)
    check(kind, { n: 2, c: 3, o: 2, input: [4, 5], kernel: [1, 1], attrs: plain(2) }, 2, writes)
    check(
      kind,
      { n: 2, c: 2, o: 2, input: [13], kernel: [4], attrs: { ...plain(1), groups: 2, padding: [[2, 1]] } },
      3,
      writes,
    )
  })
})
