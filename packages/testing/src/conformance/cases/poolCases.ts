import { build, type Dims, type DType, type Node, type PoolAttrs } from '@tessella/ir'
import type { Case, NonEmpty, Tolerances } from '../case.ts'
import { viewKinds } from '../inputs.ts'

interface Geometry {
  readonly name: string
  readonly x: Dims
  readonly kernel: Dims
  readonly stride?: Dims
  readonly padding?: readonly (readonly [number, number])[]
  readonly dilation?: Dims
}

const geometries: NonEmpty<Geometry> = [
  { name: '2x2', x: [2, 3, 8, 8], kernel: [2, 2] },
  { name: '2x2 with a rest', x: [2, 3, 7, 9], kernel: [2, 2] },
  {
    name: '3x3 stride 2 padded (overlapping)',
    x: [2, 3, 9, 10],
    kernel: [3, 3],
    stride: [2, 2],
    padding: [
      [1, 1],
      [1, 1],
    ],
  },
  { name: '3x3 stride 1 (overlapping)', x: [1, 2, 6, 7], kernel: [3, 3], stride: [1, 1] },
  { name: 'stride larger than the kernel', x: [1, 2, 11, 9], kernel: [2, 1], stride: [3, 2] },
  { name: 'dilated', x: [2, 1, 9, 9], kernel: [2, 3], stride: [1, 2], dilation: [3, 2] },
  {
    name: 'padded on one side',
    x: [1, 2, 6, 5],
    kernel: [3, 2],
    stride: [2, 2],
    padding: [
      [0, 2],
      [1, 0],
    ],
  },
  { name: '1d', x: [2, 3, 17], kernel: [3], stride: [2], padding: [[1, 1]] },
  { name: '1d, the whole line', x: [2, 3, 17], kernel: [17], stride: [1] },
  {
    name: '3d',
    x: [1, 2, 5, 6, 4],
    kernel: [2, 3, 2],
    stride: [2, 2, 1],
    padding: [
      [0, 1],
      [1, 1],
      [0, 0],
    ],
  },
  { name: 'of one element', x: [1, 1, 1, 1], kernel: [1, 1] },
  { name: 'LeNet sized', x: [4, 6, 24, 24], kernel: [2, 2] },
]

const attrsOf = (g: Geometry): PoolAttrs => ({
  kernel: g.kernel,
  stride: g.stride ?? g.kernel,
  padding: g.padding ?? g.kernel.map(() => [0, 0] as const),
  dilation: g.dilation ?? g.kernel.map(() => 1),
})

type Operand = (shape: Dims) => Node
/** The three uses of one window. `x` makes the input that chooses, `other` what flows through. */
const kinds = {
  maxPool: (a: PoolAttrs, x: Node, _: Operand) => build.maxPool(x, a),
  maxPoolGrad: (a: PoolAttrs, x: Node, other: Operand) => build.maxPoolGrad(x, other(build.maxPool(x, a).shape), a),
  maxPoolPick: (a: PoolAttrs, x: Node, other: Operand) => build.maxPoolPick(x, other(x.shape), a),
} as const
type Kind = keyof typeof kinds

/** Overlapping gradients are added in any order. */
const tolerance: Tolerances = { float32: { absolute: 2e-6 }, float64: { absolute: 1e-14 } }
const { NaN: nan, NEGATIVE_INFINITY: low } = Number

function casesOf(kind: Kind): NonEmpty<Case> {
  const make = kinds[kind]
  return [
    {
      name: `${kind} with NaN and -infinity`,
      build: (i) => {
        const x = i.values([low, low, 1, nan, low, low, nan, 2, 3, 3, 5, 5, 3, 3, 5, 5], 'float32', [1, 1, 4, 4])
        return make(
          {
            kernel: [2, 2],
            stride: [2, 2],
            padding: [
              [0, 0],
              [0, 0],
            ],
            dilation: [1, 1],
          },
          x,
          (s) => i.random(s),
        )
      },
      tolerance,
    },
    ...geometries.map(
      (g): Case => ({
        name: `${kind} ${g.name}`,
        build: (i) => make(attrsOf(g), i.random(g.x), (s) => i.random(s)),
        tolerance,
      }),
    ),
    ...geometries.slice(0, 4).map(
      (g): Case => ({
        name: `${kind} ${g.name}, ties to the first`,
        build: (i) => make(attrsOf(g), build.unary('floor', i.random(g.x)), (s) => i.random(s)),
        tolerance,
      }),
    ),
    {
      name: `${kind} float64`,
      build: (i) => {
        const dtype: DType = 'float64'
        return make(attrsOf(geometries[2] as Geometry), i.random([1, 2, 9, 10], dtype), (s) => i.random(s, dtype))
      },
      tolerance,
    },
    ...viewKinds.map(
      (view): Case => ({
        name: `${kind} of ${view} operands`,
        build: (i) => make(attrsOf(geometries[2] as Geometry), i.viewed(view, [2, 3, 9, 10]), (s) => i.viewed(view, s)),
        tolerance,
      }),
    ),
    {
      name: `${kind} with a prologue and an epilogue`,
      build: (i) => {
        const x = build.binary('max', build.add(i.random([2, 3, 8, 8]), i.random([3, 1, 1])), build.constant(0))
        const y = make(attrsOf(geometries[0]), x, (s) => i.random(s))
        return [build.unary('tanh', y), build.reduce('sum', y, [0, 2, 3]), x]
      },
      tolerance: { float32: { absolute: 1e-5 } },
    },
  ]
}

export const maxPoolCases = casesOf('maxPool')
export const maxPoolGradCases = casesOf('maxPoolGrad')
export const maxPoolPickCases = casesOf('maxPoolPick')
