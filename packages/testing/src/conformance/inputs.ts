import {
  build,
  type Dims,
  type DType,
  type HostArray,
  hostArray,
  isFloat,
  isStorageOnly,
  type Node,
  type NodeOf,
  parameter,
  sizeOf,
} from '@tessella/ir'
import { numberToHalf } from '../reference/half.ts'
import type { Rng } from '../rng.ts'

/** Ways to come to an operand: each makes another address expression or prologue in a compiling backend. */
export const viewKinds = [
  'plain',
  'permuted',
  'sliced',
  'flipped',
  'expanded',
  'reshaped',
  'padded',
  'chained',
  'computed',
] as const
export type ViewKind = (typeof viewKinds)[number]

const defaults: { readonly [D in DType]: readonly [number, number] } = {
  float32: [-2, 2],
  float64: [-2, 2],
  float16: [-2, 2],
  int32: [-100, 100],
  uint32: [0, 200],
  uint8: [0, 255],
  bool: [0, 1],
}

/** Makes a case's operands: parameters bound to generated elements. */
export class Inputs {
  readonly parameters: NodeOf<'parameter'>[] = []
  readonly data: HostArray[] = []
  readonly rng: Rng

  constructor(rng: Rng) {
    this.rng = rng
  }

  /** An input with these elements (numbers; float16 is encoded). */
  values(values: ArrayLike<number>, dtype: DType = 'float32', shape: Dims = [values.length]): Node {
    const data = hostArray(dtype, values.length)
    for (let i = 0; i < values.length; i++)
      data[i] = dtype === 'float16' ? numberToHalf(values[i] as number) : (values[i] as number)
    const node = parameter(shape, dtype)
    this.parameters.push(node)
    this.data.push(data)
    return node
  }

  /** Uniform elements; integers include `high`. */
  random(shape: Dims, dtype: DType = 'float32', range: readonly [number, number] = defaults[dtype]): Node {
    const [low, high] = range
    const draw = isFloat(dtype) ? () => this.rng.real(low, high) : () => this.rng.integer(low, high)
    return this.values(Float64Array.from({ length: sizeOf(shape) }, draw), dtype, shape)
  }

  /** A node of this shape whose elements come by way of views (or a small computation) from an input. */
  viewed(kind: ViewKind, shape: Dims, dtype: DType = 'float32', range?: readonly [number, number]): Node {
    const input = (s: Dims) => this.random(s, dtype, range)
    const reversed = shape.map((_, i) => shape.length - 1 - i)
    const sliced = (x: Node, s: Dims) =>
      build.slice(
        x,
        s.map(() => 1),
        s,
        s.map(() => 2),
      )
    const doubled = (s: Dims) => s.map((n) => 2 * n + 1)
    switch (kind) {
      case 'plain':
        return input(shape)
      case 'permuted':
        return build.permute(input([...shape].reverse()), reversed)
      case 'sliced':
        return sliced(input(doubled(shape)), shape)
      case 'flipped':
        return build.flip(
          input(shape),
          shape.map((_, i) => i),
        )
      case 'expanded':
        return build.expand(input(shape.map((n, i) => (i % 2 === 0 ? 1 : n))), shape)
      case 'reshaped':
        return build.reshape(input([sizeOf(shape)]), shape)
      case 'padded': {
        const lo = shape.map((n) => (n > 2 ? 1 : 0))
        const hi = shape.map((n) => (n > 3 ? 1 : 0))
        const inner = shape.map((n, i) => n - (lo[i] as number) - (hi[i] as number))
        return build.pad(input(inner), lo, hi, 1)
      }
      case 'chained': {
        const flat = sliced(input(doubled([sizeOf(shape)])), [sizeOf(shape)])
        const turned = build.permute(build.reshape(flat, [...shape].reverse()), reversed)
        return build.flip(
          turned,
          shape.flatMap((_, i) => (i % 2 ? [i] : [])),
        )
      }
      case 'computed':
        return computed(input(shape))
    }
  }
}

function computed(x: Node): Node {
  if (x.dtype === 'bool') return build.unary('not', x)
  if (isStorageOnly(x.dtype)) return build.select(build.full(x.shape, 1, 'bool'), x, x)
  return build.sub(build.add(x, x), x)
}
