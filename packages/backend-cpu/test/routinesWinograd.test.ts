import type { Affine, Write } from '@tessella/compiler'
import { describe, expect, it } from 'vitest'
import { mergeableRegisters } from '../src/kernels/context.ts'
import { Lanes } from '../src/math/lanes.ts'
import { Epilogue } from '../src/routines/epilogue.ts'
import { type ConvKernel, isWinograd, schemeFor } from '../src/routines/winograd/choice.ts'
import { emitCorrelation } from '../src/routines/winograd/correlation.ts'
import { timesColumns, timesRows } from '../src/routines/winograd/linear.ts'
import { f2, f4, type Scheme } from '../src/routines/winograd/scheme.ts'
import { emitWeightGradient } from '../src/routines/winograd/weightGradient.ts'
import { FunctionBuilder, ModuleBuilder } from '../src/wasm/assembler.ts'
import { ConstantTable } from '../src/wasm/constants.ts'
import { Dataflow } from '../src/wasm/dataflow.ts'
import { type ConvCase, type ConvKind, checkConv, plainAttrs } from './support/conv.ts'
import { binary, constant, contiguous, load, RoutineHarness, randomNumbers, result } from './support/routines.ts'
import { outputSizes } from './support/window.ts'

const kinds = ['conv', 'convGradInput', 'convGradWeight'] as const
const schemes = { 'F(2x2, 3x3)': f2, 'F(4x4, 3x3)': f4 }
const names = Object.keys(schemes) as (keyof typeof schemes)[]

type Emit = NonNullable<ConstructorParameters<typeof RoutineHarness>[4]>

/** Always this scheme, whether it pays or not. */
const forced =
  (scheme: Scheme): Emit =>
  (context, kernel) => {
    const emit = kernel.kind === 'convGradWeight' ? emitWeightGradient : emitCorrelation
    return emit(context, new Epilogue(context, kernel.writes), kernel as ConvKernel, scheme)
  }

const same = [
  [1, 1],
  [1, 1],
] as const
const shape = (
  n: number,
  c: number,
  o: number,
  input: number[],
  padding: readonly (readonly [number, number])[] = same,
) => ({ n, c, o, input, kernel: [3, 3], attrs: { ...plainAttrs(2), padding } }) satisfies ConvCase

const bias = (domain: number[]): Write[] => {
  const at: Affine = { offset: 0, strides: domain.map((_, d) => (d === 1 ? 1 : 0)) }
  return [{ buffer: 0, at: contiguous(domain), value: binary('max', binary('add', result, load(3, at)), constant(0)) }]
}

describe.each(names)('%s', (name) => {
  const emit = forced(schemes[name])

  describe.each(kinds)('%s', (kind) => {
    const table: [string, ConvCase][] = [
      ['one tile', shape(1, 1, 1, [4, 4])],
      [
        'less than a tile',
        shape(
          1,
          2,
          3,
          [3, 5],
          [
            [0, 0],
            [1, 1],
          ],
        ),
      ],
      [
        'one row of results',
        shape(
          2,
          3,
          5,
          [3, 9],
          [
            [0, 0],
            [0, 1],
          ],
        ),
      ],
      ['odd sizes', shape(3, 5, 7, [11, 13])],
      [
        'no borders',
        shape(
          2,
          6,
          4,
          [10, 12],
          [
            [0, 0],
            [0, 0],
          ],
        ),
      ],
      [
        'wide borders',
        shape(
          2,
          6,
          4,
          [7, 6],
          [
            [2, 2],
            [2, 2],
          ],
        ),
      ],
      [
        'uneven borders',
        shape(
          2,
          9,
          6,
          [9, 8],
          [
            [0, 2],
            [2, 1],
          ],
        ),
      ],
      [
        'more uneven ones',
        shape(
          1,
          4,
          4,
          [8, 15],
          [
            [2, 0],
            [0, 2],
          ],
        ),
      ],
      ['whole groups of channels', shape(1, 16, 32, [8, 8])],
      ['groups of channels and some', shape(1, 19, 41, [8, 9])],
      ['many small images', shape(70, 3, 4, [4, 4])],
      [
        'images of one row of tiles',
        shape(
          9,
          2,
          18,
          [3, 20],
          [
            [0, 1],
            [1, 0],
          ],
        ),
      ],
      ['long rows', shape(1, 2, 3, [5, 531])],
      ['more strips than slots', shape(3, 4, 5, [40, 61])],
    ]
    it.each(table)('%s', (_, test) => {
      checkConv(kind, test, 1, { emit, writes: bias })
      checkConv(kind, test, 2, { emit })
    })

    it('random shapes', () => {
      const random = randomNumbers(17)
      const pick = (low: number, high: number) => low + Math.floor(((random() + 1) / 2) * (high - low + 1))
      for (let i = 0; i < 16; i++) {
        const padding = [0, 1].map((): [number, number] => [pick(0, 2), pick(0, 2)])
        const input = [pick(3, 17), pick(6, 21)]
        const test = shape(pick(1, 4), pick(1, 20), pick(1, 20), input, padding)
        checkConv(kind, test, i, { emit, writes: i % 2 === 0 ? bias : undefined })
      }
    })

    it('writes channels last, and several values', () => {
      const writes = (domain: number[]): Write[] => {
        const turned = contiguous([domain[0]!, ...domain.slice(2), domain[1]!]).strides
        const last: Affine = { offset: 0, strides: [turned[0]!, turned.at(-1)!, ...turned.slice(1, -1)] }
        const whole = contiguous(domain)
        return [
          { buffer: 0, at: last, value: binary('max', result, constant(0)) },
          { buffer: 4, at: whole, value: binary('sub', load(4, whole), binary('mul', constant(0.5), result)) },
        ]
      }
      checkConv(kind, shape(2, 7, 10, [9, 10]), 1, { emit, writes })
      checkConv(kind, shape(2, 7, 10, [9, 10]), 2, { emit, writes })
    })
  })

  it('needs no more registers than may be merged', () => {
    const scheme = schemes[name]
    const constants = new ConstantTable(64, 4096, () => undefined)
    for (const relaxed of [true, false])
      for (const [matrix, times] of [
        [scheme.a, timesRows],
        [scheme.b, timesRows],
        [scheme.a, timesColumns],
      ] as const) {
        const g = new Dataflow({
          module: new ModuleBuilder(),
          features: { simd: true, relaxed, wide: true },
          constants,
        })
        const base = g.local(new FunctionBuilder(['i32']).params[0]!, 1)
        const count = times === timesColumns ? matrix.length : matrix[0]!.length
        const xs = Array.from({ length: count }, (_, i) => g.load('v128.load', { base, offset: 16 * i }))
        const jobs = times(new Lanes(g), matrix, xs).map(([, value]) => ({
          address: base,
          value,
          use: () => undefined,
        }))
        expect(g.registers(jobs)).toBeGreaterThan(count / 2)
        expect(g.registers(jobs)).toBeLessThanOrEqual(mergeableRegisters)
      }
  })
})

/** The kernel over random numbers, as it is emitted. */
const kernelOf = (kind: ConvKind, { n, c, o, input, kernel, attrs }: ConvCase): ConvKernel => {
  const [x, w] = [
    [n, c * attrs.groups, ...input],
    [o, c, ...kernel],
  ]
  const y = [n, o, ...outputSizes(input, kernel, attrs)]
  const [a, b, domain] = kind === 'conv' ? [x, w, y] : kind === 'convGradInput' ? [y, w, x] : [x, y, w]
  return { kind, domain, dtype: 'float32', attrs, a: { buffer: 1, shape: a! }, b: { buffer: 2, shape: b! }, writes: [] }
}

describe.each(kinds)('the choice for %s', (kind) => {
  const schemeOf = (test: ConvCase, accurate = false) => schemeFor(kernelOf(kind, test), accurate)

  it('is Winograd where channels are many', () => {
    const paying = [
      shape(32, 64, 64, [56, 56]),
      shape(64, 24, 24, [32, 32]),
      shape(64, 32, 32, [16, 16]),
      shape(64, 64, 64, [8, 8]),
      shape(32, 512, 512, [7, 7]),
    ]
    for (const test of paying) {
      expect(schemeOf(test)).toBe(f4)
      expect(schemeOf(test, true)).toBe(f2)
      expect(isWinograd(kernelOf(kind, test))).toBe(true)
    }
    // Tiles of 4 x 4 would stand out too far.
    expect(schemeOf(shape(64, 32, 32, [5, 5]))).toBe(f2)
  })

  it('is plain sums where there are few channels, other kernels, steps, groups, or nothing', () => {
    const usual = shape(8, 32, 32, [16, 16])
    const { attrs } = usual
    const plain: ConvCase[] = [
      shape(32, 3, 64, [32, 32]),
      shape(64, 4, 4, [32, 32]),
      { ...usual, kernel: [5, 5] },
      { ...usual, kernel: [3, 1] },
      { ...usual, attrs: { ...attrs, stride: [2, 1] } },
      { ...usual, attrs: { ...attrs, dilation: [1, 2] } },
      { ...usual, c: 16, attrs: { ...attrs, groups: 2 } },
      {
        ...usual,
        attrs: {
          ...attrs,
          padding: [
            [3, 3],
            [1, 1],
          ],
        },
      },
      {
        ...usual,
        attrs: {
          ...attrs,
          padding: [
            [1, 1],
            [-1, 1],
          ],
        },
      },
      shape(8, 32, 32, [16, 3]),
      shape(0, 32, 32, [16, 16]),
      shape(1, 64, 64, [4, 4]),
      shape(32, 2048, 2048, [7, 7]),
      shape(1, 64, 64, [8, 40_000]),
    ]
    for (const test of plain) {
      expect(schemeOf(test)).toBeUndefined()
      expect(isWinograd(kernelOf(kind, test))).toBe(false)
    }
  })
})

describe('errors against float64', () => {
  /** Mean and largest error over the root mean square of results, for normal-like numbers and 64 channels. */
  function errors(scheme: Scheme): { mean: number; most: number } {
    const [c, size] = [64, 12]
    const test = { ...shape(1, c, 8, [size, size]), attrs: plainAttrs(2) }
    const kernel = { ...kernelOf('conv', test), writes: [] as Write[] }
    const domain = kernel.domain
    const writes = [{ buffer: 0, at: contiguous(domain), value: result }]
    const lengths = [8 * (size - 2) ** 2, c * size * size, 8 * c * 9]
    const harness = new RoutineHarness({ ...kernel, writes }, lengths, 0, {}, forced(scheme))
    const random = randomNumbers(3)
    for (const array of harness.arrays) for (let i = 0; i < array.length; i++) array[i] = random() + random() + random()
    harness.run()
    const [y, x, w] = harness.arrays as [Float32Array, Float32Array, Float32Array]
    const side = size - 2
    let [sum, square, most] = [0, 0, 0]
    for (let i = 0; i < y.length; i++) {
      const [o, row, column] = [Math.floor(i / side ** 2), Math.floor(i / side) % side, i % side]
      let exact = 0
      for (let k = 0; k < c * 9; k++) {
        const [ch, dy, dx] = [Math.floor(k / 9), Math.floor(k / 3) % 3, k % 3]
        exact += x[(ch * size + row + dy) * size + column + dx]! * w[o * c * 9 + k]!
      }
      const error = Math.abs(y[i]! - exact)
      sum += error
      square += exact ** 2
      most = Math.max(most, error)
    }
    const scale = Math.sqrt(square / y.length)
    return { mean: sum / y.length / scale, most: most / scale }
  }

  it('are those of plain sums with F(2x2, 3x3), and about twice as large with F(4x4, 3x3)', () => {
    const [two, four] = [errors(f2), errors(f4)]
    expect(two.mean).toBeLessThan(3e-7)
    expect(two.most).toBeLessThan(2e-6)
    expect(four.mean).toBeLessThan(8e-7)
    expect(four.most).toBeLessThan(6e-6)
    // Another scheme indeed.
    expect(four.mean).toBeGreaterThan(1.5 * two.mean)
  })
})
