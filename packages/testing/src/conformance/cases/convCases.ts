import { build, type ConvAttrs, type Dims, type DType, type Node, windowSize } from '@tessella/ir'
import type { Case, NonEmpty } from '../case.ts'
import { type Inputs, viewKinds } from '../inputs.ts'
import { products } from './matmulCases.ts'

interface Geometry {
  readonly name: string
  readonly x: Dims
  readonly w: Dims
  readonly stride?: Dims
  readonly padding?: readonly (readonly [number, number])[]
  readonly dilation?: Dims
  readonly groups?: number
}

const both = (n: number): readonly [number, number] => [n, n]

const geometries: NonEmpty<Geometry> = [
  { name: '1d', x: [2, 3, 9], w: [4, 3, 3] },
  { name: '1d of kernel 1', x: [2, 3, 9], w: [5, 3, 1] },
  { name: '1d of all options', x: [2, 4, 23], w: [6, 2, 3], stride: [2], padding: [[1, 2]], dilation: [3], groups: 2 },
  { name: '1d long', x: [1, 2, 301], w: [3, 2, 7], padding: [both(3)] },
  { name: '2d of one everything', x: [1, 1, 1, 1], w: [1, 1, 1, 1] },
  { name: '2d 3x3', x: [2, 3, 7, 9], w: [5, 3, 3, 3] },
  { name: '2d 3x3 padded', x: [2, 3, 8, 8], w: [4, 3, 3, 3], padding: [both(1), both(1)] },
  { name: '2d 1x1', x: [2, 16, 5, 5], w: [8, 16, 1, 1] },
  { name: '2d 1x1 strided', x: [2, 6, 9, 8], w: [4, 6, 1, 1], stride: [2, 3] },
  { name: '2d 5x5 of LeNet, first', x: [3, 1, 28, 28], w: [6, 1, 5, 5] },
  { name: '2d 5x5 of LeNet, second', x: [3, 6, 12, 12], w: [16, 6, 5, 5] },
  { name: '2d 3x3 of VGG', x: [1, 16, 16, 16], w: [32, 16, 3, 3], padding: [both(1), both(1)] },
  { name: '2d patches (stride = kernel)', x: [2, 3, 12, 12], w: [7, 3, 4, 4], stride: [4, 4] },
  { name: '2d stride 2 that leaves a rest', x: [2, 3, 10, 11], w: [4, 3, 3, 3], stride: [2, 2] },
  { name: '2d stride larger than the kernel', x: [2, 2, 11, 11], w: [3, 2, 2, 2], stride: [3, 4] },
  { name: '2d dilated', x: [2, 3, 11, 13], w: [4, 3, 3, 3], dilation: [2, 3], padding: [both(2), both(3)] },
  {
    name: '2d padded on one side',
    x: [2, 3, 6, 7],
    w: [4, 3, 3, 2],
    padding: [
      [2, 0],
      [0, 1],
    ],
  },
  { name: '2d with more padding than kernel', x: [1, 2, 4, 4], w: [3, 2, 2, 2], padding: [both(3), both(2)] },
  { name: '2d kernel as large as the input', x: [2, 3, 5, 6], w: [4, 3, 5, 6] },
  { name: '2d in groups', x: [2, 6, 7, 7], w: [9, 2, 3, 3], groups: 3, padding: [both(1), both(1)] },
  { name: '2d depthwise', x: [2, 5, 8, 8], w: [5, 1, 3, 3], groups: 5, padding: [both(1), both(1)] },
  { name: '2d depthwise with multiplier, strided', x: [2, 3, 9, 9], w: [6, 1, 3, 3], groups: 3, stride: [2, 2] },
  { name: '2d of an empty batch', x: [0, 2, 5, 5], w: [3, 2, 3, 3] },
  { name: '3d', x: [2, 2, 5, 6, 7], w: [3, 2, 3, 3, 3] },
  {
    name: '3d of all options',
    x: [1, 4, 7, 6, 9],
    w: [4, 2, 2, 3, 2],
    stride: [2, 1, 2],
    padding: [
      [1, 0],
      [1, 1],
      [0, 2],
    ],
    dilation: [1, 2, 3],
    groups: 2,
  },
]

function attrsOf(g: Geometry): ConvAttrs {
  const spatial = g.x.slice(2)
  return {
    stride: g.stride ?? spatial.map(() => 1),
    padding: g.padding ?? spatial.map(() => both(0)),
    dilation: g.dilation ?? spatial.map(() => 1),
    groups: g.groups ?? 1,
  }
}

function outputShape(g: Geometry): number[] {
  const { stride, padding, dilation } = attrsOf(g)
  const spatial = g.x.slice(2).map((n, i) => {
    const [lo, hi] = padding[i] as readonly [number, number]
    return windowSize(n, g.w[i + 2] as number, stride[i] as number, lo, hi, dilation[i] as number)
  })
  return [g.x[0] as number, g.w[0] as number, ...spatial]
}

/** The three products of one convolution: each has its own operands. */
const kinds = {
  conv: (g: Geometry, operand: Operand) => build.conv(operand(g.x), operand(g.w), attrsOf(g)),
  convGradInput: (g: Geometry, operand: Operand) =>
    build.convGradInput(operand(outputShape(g)), operand(g.w), attrsOf(g), g.x.slice(2)),
  convGradWeight: (g: Geometry, operand: Operand) =>
    build.convGradWeight(operand(g.x), operand(outputShape(g)), attrsOf(g), g.w.slice(2)),
} as const
type Operand = (shape: Dims) => Node
type Kind = keyof typeof kinds

const small: Geometry = { name: 'small', x: [2, 3, 8, 9], w: [5, 3, 3, 3], padding: [both(1), both(0)] }
const plain =
  (i: Inputs, dtype: DType = 'float32'): Operand =>
  (shape) =>
    i.random(shape, dtype)

function casesOf(kind: Kind): NonEmpty<Case> {
  const make = kinds[kind]
  return [
    {
      name: `${kind} float64`,
      build: (i) => make(small, plain(i, 'float64')),
      tolerance: products,
    },
    ...geometries.map(
      (g): Case => ({ name: `${kind} ${g.name}`, build: (i) => make(g, plain(i)), tolerance: products }),
    ),
    ...viewKinds.map(
      (view): Case => ({
        name: `${kind} of ${view} operands`,
        build: (i) => make(small, (shape) => i.viewed(view, shape)),
        tolerance: products,
      }),
    ),
    {
      name: `${kind} with an epilogue and a second use`,
      build: (i) => {
        const y = make(small, plain(i))
        const bias = i.random([y.shape[1] as number, 1, 1])
        const active = build.binary('max', build.add(y, bias), build.constant(0))
        return [active, build.reduce('sum', y, [0, 2, 3]), build.permute(active, [0, 2, 3, 1])]
      },
      tolerance: { float32: { relative: 1e-5, scale: 1e-5 } },
    },
  ]
}

export const convCases = casesOf('conv')
export const convGradInputCases = casesOf('convGradInput')
export const convGradWeightCases = casesOf('convGradWeight')
