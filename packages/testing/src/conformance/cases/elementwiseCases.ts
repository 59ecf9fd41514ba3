import { build, type DType, dtypes } from '@tessella/ir'
import type { Case, NonEmpty } from '../case.ts'
import { viewKinds } from '../inputs.ts'

const { NaN: nan, POSITIVE_INFINITY: inf } = Number

export const selectCases: NonEmpty<Case> = [
  {
    name: 'select does not mix the branches (NaN and infinity stay where they are)',
    build: (i) => {
      const condition = i.values([1, 0, 1, 0], 'bool')
      return build.select(condition, i.values([1, nan, inf, -inf]), i.values([nan, 2, nan, 4]))
    },
  },
  ...dtypes.map(
    (dtype): Case => ({
      name: `select ${dtype}`,
      build: (i) =>
        [[], [1], [37], [5, 6], [0, 2], [1031]].map((shape) =>
          build.select(i.random(shape, 'bool'), i.random(shape, dtype), i.random(shape, dtype)),
        ),
    }),
  ),
  ...viewKinds.map(
    (kind): Case => ({
      name: `select of ${kind} operands`,
      build: (i) => [
        build.select(i.viewed(kind, [3, 5, 4], 'bool'), i.random([3, 5, 4]), i.random([3, 5, 4])),
        build.select(i.random([3, 5, 4], 'bool'), i.viewed(kind, [3, 5, 4]), i.viewed(kind, [3, 5, 4])),
      ],
    }),
  ),
]

/** What a dtype can hold that another may not. */
const holdable: { readonly [D in DType]: readonly number[] } = {
  float32: [
    0,
    -0,
    0.9,
    -0.9,
    1.5,
    -1.5,
    255.7,
    256,
    300,
    -1,
    2147483520,
    2147483648,
    -2147483648,
    -3e9,
    4294967040,
    4294967296,
    1e20,
    -1e20,
    1e-40,
    65519,
    65520,
    3e-8,
    2049,
    2051,
    inf,
    -inf,
    nan,
  ],
  float64: [
    0,
    -0,
    0.9,
    -0.9,
    255.999,
    2147483647,
    2147483647.9,
    2147483648,
    -2147483648.9,
    4294967295,
    4294967295.5,
    1e300,
    1e-320,
    16777217,
    0.1,
    1.0000000596046448,
    65519.999,
    65520,
    inf,
    -inf,
    nan,
  ],
  float16: [0, -0, 0.5, -1.5, 255, 256.5, 2049, 65504, 6e-8, -6e-5, inf, -inf, nan],
  int32: [0, 1, -1, 127, 255, 256, -256, 257, 16777217, -16777219, 2147483647, -2147483648, 65536],
  uint32: [0, 1, 255, 256, 257, 16777217, 2147483648, 4294967295, 4294967167],
  uint8: [0, 1, 127, 128, 255],
  bool: [0, 1],
}

export const castCases: NonEmpty<Case> = [
  {
    name: 'cast of a bool to float in arithmetic',
    build: (i) => {
      const x = i.random([5, 7])
      return build.mul(x, build.cast(build.binary('gt', x, build.constant(0)), 'float32'))
    },
  },
  ...dtypes.flatMap((from) =>
    dtypes.flatMap((to): Case[] =>
      from === to
        ? []
        : [
            {
              name: `cast ${from} to ${to}`,
              build: (i) => [
                build.cast(i.values(holdable[from], from), to),
                build.cast(i.random([37], from), to),
                build.cast(i.viewed('permuted', [6, 5], from), to),
              ],
            },
          ],
    ),
  ),
  {
    name: 'casts in a row round at each',
    build: (i) => {
      const x = i.random([40])
      return [
        build.cast(build.cast(x, 'int32'), 'float32'),
        build.cast(build.cast(build.scale(x, 1000), 'uint8'), 'float32'),
        build.cast(build.cast(x, 'bool'), 'int32'),
      ]
    },
  },
  {
    name: 'a trip through float16 rounds',
    build: (i) => build.cast(build.cast(i.random([1031], 'float32', [-300, 300]), 'float16'), 'float32'),
  },
]
