import {
  build,
  checkOptions,
  type Dims,
  type Node,
  normalizeAxis,
  OpError,
  promote,
  sameShape,
  sizeOf,
} from '@tessella/ir'
import { arithDType, asCompute, asIndex } from './promotion.ts'

/** Cuts `x` to the sizes of `index` but for `axis`, as torch.gather does. */
function cutTo(x: Node, shape: Dims, axis: number): Node {
  const size = x.shape.map((n, i) => (i === axis ? n : (shape[i] as number)))
  return build.slice(
    x,
    x.shape.map(() => 0),
    size,
  )
}

function checkIndex(op: string, x: Node, index: Node, axis: number): void {
  const fits =
    index.shape.length === x.shape.length && index.shape.every((n, i) => i === axis || n <= (x.shape[i] as number))
  if (!fits)
    throw new OpError(
      op,
      `the index must have ${x.shape.length} dimensions, none larger than the tensor's but axis ${axis}`,
      {
        shapes: [x.shape, index.shape],
        hint: 'Unsqueeze and expand the index, or use take for whole rows.',
      },
    )
}

/** torch.gather: out[i] = x[i with axis replaced by index[i]]. */
export function gather(x: Node, axis: number, index: Node): Node {
  const at = normalizeAxis('gather', axis, x.shape.length)
  const i = asIndex('gather', index)
  checkIndex('gather', x, i, at)
  return build.gather(cutTo(x, i.shape, at), i, at)
}

/** Slices of `x` along an axis, picked by an index tensor of any rank, whose shape takes the axis' place. */
export function take(op: string, x: Node, index: Node, axis: number): Node {
  const at = normalizeAxis(op, axis, x.shape.length)
  const i = asIndex(op, index)
  const count = sizeOf(i.shape)
  const picked = x.shape.toSpliced(at, 1, count)
  const line = build.reshape(
    i,
    x.shape.map((_, d) => (d === at ? count : 1)),
  )
  const rows = build.gather(x, build.expand(line, picked), at)
  return build.reshape(rows, [...x.shape.slice(0, at), ...i.shape, ...x.shape.slice(at + 1)])
}

export function indexSelect(x: Node, axis: number, index: Node): Node {
  if (index.shape.length !== 1)
    throw new OpError('indexSelect', 'the index must be a vector', {
      shapes: [x.shape, index.shape],
      hint: 'Use take for other ranks.',
    })
  return take('indexSelect', x, index, axis)
}

/** torch.scatter_add: x plus, for each i, source[i] at i with axis replaced by index[i]. */
export function scatterAdd(x: Node, axis: number, index: Node, source: Node): Node {
  const at = normalizeAxis('scatterAdd', axis, x.shape.length)
  const i = asIndex('scatterAdd', index)
  checkIndex('scatterAdd', x, i, at)
  const covers = source.shape.length === i.shape.length && i.shape.every((n, d) => n <= (source.shape[d] as number))
  if (!covers)
    throw new OpError('scatterAdd', 'the source must cover the index', {
      shapes: [i.shape, source.shape],
      hint: 'Every index needs a value to add.',
    })
  const dtype = arithDType(promote(x.dtype, source.dtype))
  const values = build.slice(
    build.cast(source, dtype),
    source.shape.map(() => 0),
    i.shape,
  )
  const sum = build.scatterAdd(i, values, at, x.shape[at] as number)
  const grown = build.pad(
    sum,
    x.shape.map(() => 0),
    x.shape.map((n, d) => n - (sum.shape[d] as number)),
  )
  return build.add(build.cast(x, dtype), grown)
}

/** Adds whole slices of `source` to the slices of `x` that a vector of indices names. */
export function indexAdd(x: Node, axis: number, index: Node, source: Node): Node {
  const at = normalizeAxis('indexAdd', axis, x.shape.length)
  const expected = x.shape.toSpliced(at, 1, index.shape[0] ?? 0)
  if (index.shape.length !== 1 || !sameShape(source.shape, expected))
    throw new OpError('indexAdd', 'needs a vector of indices and one slice for each', {
      shapes: [x.shape, index.shape, source.shape],
      hint: `The source must be [${expected.join(', ')}].`,
    })
  const line = build.reshape(
    index,
    x.shape.map((_, d) => (d === at ? (index.shape[0] as number) : 1)),
  )
  return scatterAdd(x, at, build.expand(line, expected), source)
}

export function descendingOf(op: string, options: { readonly descending?: boolean | undefined }): boolean {
  checkOptions(op, options, ['descending'])
  return options.descending ?? false
}
export function largestOf(options: { readonly largest?: boolean | undefined }): boolean {
  checkOptions('topk', options, ['largest'])
  return options.largest ?? true
}

export function argsort(op: string, x: Node, axis: number, descending: boolean): Node {
  return build.argsort(asCompute(x), normalizeAxis(op, axis, x.shape.length), descending)
}

/** Values in order and where they came from; equal elements keep their order. */
export function sort(x: Node, axis: number, descending: boolean): { readonly values: Node; readonly indices: Node } {
  const at = normalizeAxis('sort', axis, x.shape.length)
  const indices = argsort('sort', x, at, descending)
  return { values: build.gather(x, indices, at), indices }
}

export function topk(
  x: Node,
  k: number,
  axis: number,
  largest: boolean,
): { readonly values: Node; readonly indices: Node } {
  const at = normalizeAxis('topk', axis, x.shape.length)
  const n = x.shape[at] as number
  if (!Number.isInteger(k) || k < 0 || k > n)
    throw new OpError('topk', `k = ${k} is not within the size ${n} of axis ${at}`, {
      shapes: [x.shape],
      hint: `Use a whole number from 0 to ${n}.`,
    })
  const indices = build.narrow(argsort('topk', x, at, largest), at, 0, k)
  return { values: build.gather(x, indices, at), indices }
}
