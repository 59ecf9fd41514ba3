import type { Affine, Write } from '@tessella/compiler'
import { describe, it } from 'vitest'
import { type ConvCase, checkConv, plainAttrs } from './support/conv.ts'
import { binary, constant, contiguous, load, randomNumbers, result } from './support/routines.ts'

const kinds = ['conv', 'convGradInput', 'convGradWeight'] as const

function randomCase(random: () => number, rank: number): ConvCase {
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
    for (let i = 0; i < 40; i++) checkConv(kind, randomCase(random, rank), i)
  })

  it('does the shapes that need no border', () => {
    const random = randomNumbers(5)
    for (let i = 0; i < 25; i++) {
      const r = randomCase(random, 2)
      const input = r.kernel.map((k, d) => k + r.input[d]!)
      checkConv(kind, { ...r, input, attrs: plainAttrs(2) }, i)
    }
  })

  it('does 1x1 kernels and many channels', () => {
    checkConv(kind, { n: 2, c: 13, o: 7, input: [3, 5], kernel: [1, 1], attrs: plainAttrs(2) }, 1)
    checkConv(kind, { n: 1, c: 3, o: 20, input: [5, 7, 2], kernel: [1, 1, 1], attrs: plainAttrs(3) }, 2)
    checkConv(
      kind,
      {
        n: 9,
        c: 2,
        o: 3,
        input: [6, 6],
        kernel: [3, 3],
        attrs: {
          ...plainAttrs(2),
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
    checkConv(kind, { n: 2, c: 3, o: 7, input: [6, 9], kernel: [3, 2], attrs: plainAttrs(2) }, 1, { writes })
    checkConv(kind, { n: 2, c: 3, o: 2, input: [4, 5], kernel: [1, 1], attrs: plainAttrs(2) }, 2, { writes })
    checkConv(
      kind,
      { n: 2, c: 2, o: 2, input: [13], kernel: [4], attrs: { ...plainAttrs(1), groups: 2, padding: [[2, 1]] } },
      3,
      { writes },
    )
  })
})
