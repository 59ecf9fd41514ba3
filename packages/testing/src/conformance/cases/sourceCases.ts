import { build, type DType, dtypes, make } from '@tessella/ir'
import type { Case, NonEmpty } from '../case.ts'

const { NaN: nan, POSITIVE_INFINITY: inf } = Number

const constants: { readonly [D in DType]: NonEmpty<number> } = {
  float32: [0, -0, 1.5, -3.7, 1e-40, inf, -inf, nan, 16777217],
  float64: [0, -0, 1.5, Math.PI, 5e-324, inf, -inf, nan, 1e300],
  float16: [0, 1.5, 65504, 1e-7, inf, -inf, nan],
  int32: [0, 7, -7, 2147483647, -2147483648],
  uint32: [0, 7, 4294967295, 2147483648],
  uint8: [0, 7, 255],
  bool: [0, 1],
}

export const constantCases: NonEmpty<Case> = [
  {
    name: 'constant float32 alone, grown and in arithmetic',
    build: (i) => [
      build.constant(2.5),
      build.full([3, 4], -1, 'float32'),
      build.add(i.random([5]), build.constant(0.1)),
      build.full([0], 3, 'float32'),
    ],
  },
  ...dtypes.map(
    (dtype): Case => ({
      name: `constant ${dtype}`,
      build: () => constants[dtype].flatMap((v) => [build.constant(v, dtype), build.full([2], v, dtype)]),
    }),
  ),
]

export const parameterCases: NonEmpty<Case> = [
  {
    name: 'parameter as an output, twice, and beside its use',
    build: (i) => {
      const x = i.random([5, 3])
      return [x, x, build.neg(x)]
    },
  },
  {
    name: 'parameters that nothing uses',
    build: (i) => {
      i.random([4])
      const x = i.random([3])
      i.random([2], 'int32')
      return build.neg(x)
    },
  },
  ...dtypes.map(
    (dtype): Case => ({
      name: `parameter ${dtype} in and out`,
      build: (i) => [[], [7], [3, 5], [0], [2, 0, 3], [1, 1, 1, 1, 1]].map((shape) => i.random(shape, dtype)),
    }),
  ),
]

export const iotaCases: NonEmpty<Case> = [
  {
    name: 'iota compared along two axes (one-hot and a triangle)',
    build: (i) => {
      const labels = build.reshape(i.random([6], 'int32', [0, 4]), [6, 1])
      return [
        build.cast(build.binary('eq', labels, build.iota([6, 5], 1)), 'float32'),
        build.binary('ge', build.iota([5, 7], 0), build.iota([5, 7], 1)),
      ]
    },
  },
  ...(['float32', 'float64', 'int32', 'uint32'] as const).map(
    (dtype): Case => ({
      name: `iota ${dtype}`,
      build: () =>
        (
          [
            [[9], 0],
            [[3, 4], 0],
            [[3, 4], 1],
            [[2, 3, 4], 1],
            [[2, 0], 1],
            [[1031], 0],
          ] as const
        ).map(([shape, axis]) => build.iota(shape, axis, dtype)),
    }),
  ),
  {
    name: 'iota through views',
    build: () => {
      const x = build.iota([6, 8], 1)
      return [
        build.flip(x, [1]),
        build.transpose(x),
        build.slice(x, [1, 2], [3, 3], [2, 2]),
        build.pad(x, [1, 1], [0, 2], -1),
        build.reduce('sum', x, [1]),
        build.cast(build.reshape(x, [4, 12]), 'float32'),
      ]
    },
  },
]

export const randomBitsCases: NonEmpty<Case> = [
  {
    name: 'randomBits of several keys and shapes',
    build: (i) =>
      [
        [0, 0],
        [1, 2],
        [0xffffffff, 0xffffffff],
        [0x13198a2e, 0x03707344],
      ].flatMap((key) => {
        const k = i.values(key, 'uint32')
        return [[1], [7], [4, 33], [2, 3, 5], [1031], [], [0]].map((shape) => build.randomBits(k, shape))
      }),
  },
  {
    name: 'randomBits as uniform floats, through views',
    build: (i) => {
      const bits = build.randomBits(i.values([3, 4], 'uint32'), [12, 10])
      const uniform = build.scale(
        build.cast(build.binary('shr', bits, build.constant(8, 'uint32')), 'float32'),
        2 ** -24,
      )
      return [
        uniform,
        build.transpose(uniform),
        build.slice(bits, [2, 3], [4, 3], [2, 2]),
        build.reduce('max', bits, [0]),
      ]
    },
  },
  {
    name: 'randomBits of a computed key',
    build: (i) => {
      const key = build.binary('xor', i.values([5, 6], 'uint32'), i.values([7, 8], 'uint32'))
      return [build.randomBits(key, [9]), build.randomBits(build.flip(key, [0]), [9])]
    },
  },
]

export const aliasCases: NonEmpty<Case> = [
  { name: 'alias', build: (i) => [build.alias(i.random([3, 4])), build.neg(build.alias(build.neg(i.random([5]))))] },
  {
    name: 'alias of an input beside the input',
    build: (i) => {
      const x = i.random([6])
      return [x, build.alias(x), build.alias(build.alias(x))]
    },
  },
]
export const stopGradientCases: NonEmpty<Case> = [
  {
    name: 'stopGradient',
    build: (i) => [build.stopGradient(i.random([3, 4])), build.neg(build.stopGradient(build.neg(i.random([5]))))],
  },
]
export const afterCases: NonEmpty<Case> = [
  {
    name: 'after: a value recomputed after an event',
    build: (i) => {
      const x = i.random([4, 5])
      const y = build.unary('abs', x)
      const event = build.reduce('sum', y, [0, 1])
      const again = build.unary('abs', build.after(x, event))
      return [build.mul(again, y), build.after(x, build.after(event, y))]
    },
  },
]
export const customCases: NonEmpty<Case> = [
  {
    name: 'custom is its value',
    build: (i) => {
      const x = i.random([4, 5])
      const y = i.random([5])
      const node = make('custom', [build.add(x, y), x, y], { name: 'test', vjp: () => [undefined, undefined] })
      return [node, build.neg(node)]
    },
  },
]
