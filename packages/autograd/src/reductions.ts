import { build, type Dims, type Node, type NodeOf, type ReduceFn, sizeOf } from '@tessella/ir'

/** g of a reduced value, back at the shape before the reduction. */
function unreduce(g: Node, shape: Dims, axes: Dims): Node {
  return build.expand(
    build.reshape(
      g,
      shape.map((n, i) => (axes.includes(i) ? 1 : n)),
    ),
    shape,
  )
}

/** Moves the values by one along `axis`, away from the end that comes in as `fill`. */
function shifted(x: Node, axis: number, by: number, fill: number): Node {
  const n = x.shape[axis] as number
  const zeros = x.shape.map(() => 0)
  const only = (value: number) => x.shape.map((_, i) => (i === axis ? value : 0))
  const amount = Math.min(Math.abs(by), n)
  if (by > 0) return build.pad(build.narrow(x, axis, 0, n - amount), only(amount), zeros, fill)
  return build.pad(build.narrow(x, axis, amount, n - amount), zeros, only(amount), fill)
}

/** Product of the elements before (or, reversed, after) each one. */
const exclusiveProduct = (x: Node, axis: number, reverse: boolean): Node =>
  shifted(build.cumulative('prod', x, axis, reverse), axis, reverse ? -1 : 1, 1)

/** Products of all the others, without a division: right with any number of zeros. */
function productOfOthers(x: Node, axes: Dims): Node {
  const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i))
  const perm = [...kept, ...axes]
  const moved = build.permute(x, perm)
  const axis = kept.length
  const flat = build.reshape(moved, [...moved.shape.slice(0, axis), sizeOf(moved.shape.slice(axis))])
  const others = build.mul(exclusiveProduct(flat, axis, false), exclusiveProduct(flat, axis, true))
  const back = new Array<number>(perm.length)
  for (const [i, p] of perm.entries()) back[p] = i
  return build.permute(build.reshape(others, moved.shape), back)
}

/** Extremes share g evenly, as torch.amax. */
function extremes({ src: [x], attrs: { axes } }: NodeOf<'reduce'>, y: Node, g: Node): Node {
  const isBest = build.binary('eq', x, unreduce(y, x.shape, axes))
  const count = build.reduceKeep('sum', build.cast(isBest, g.dtype), axes)
  const share = build.div(build.reshape(g, count.shape), count)
  return build.select(isBest, build.expand(share, x.shape), build.zerosLike(x))
}

type ReduceRow = (node: NodeOf<'reduce'>, g: Node) => Node

const reduceRows: { readonly [F in ReduceFn]: ReduceRow } = {
  sum: ({ src: [x], attrs: { axes } }, g) => unreduce(g, x.shape, axes),
  prod: ({ src: [x], attrs: { axes } }, g) => build.mul(unreduce(g, x.shape, axes), productOfOthers(x, axes)),
  max: (node, g) => extremes(node, node, g),
  min: (node, g) => extremes(node, node, g),
}

/**
 * s[k] = g[k] + a[k] s[k + 1] (the other way round when `forward`) by doubling: ceil(log2 n) elementwise steps.
 * Hillis and Steele, "Data parallel algorithms" (1986).
 */
function linearRecurrence(g: Node, a: Node, axis: number, forward: boolean): Node {
  const n = g.shape[axis] as number
  let sum = g
  let factor = a
  for (let step = 1; step < n; step *= 2) {
    const by = forward ? step : -step
    sum = build.add(sum, build.mul(factor, shifted(sum, axis, by, 0)))
    if (2 * step < n) factor = build.mul(factor, shifted(factor, axis, by, 1))
  }
  return sum
}

/** Index of the element that holds each running extreme: the latest of equals, as torch.cummax. */
function holders({ src: [x], attrs: { axis, reverse } }: NodeOf<'cumulative'>, y: Node): Node {
  const at = build.iota(x.shape, axis)
  const edge = build.full(x.shape, reverse ? (x.shape[axis] as number) - 1 : 0, 'int32')
  return build.cumulative(reverse ? 'min' : 'max', build.select(build.binary('eq', x, y), at, edge), axis, reverse)
}

type CumulativeRow = (node: NodeOf<'cumulative'>, g: Node) => Node

const toHolders: CumulativeRow = (node, g) => {
  const { axis } = node.attrs
  return build.scatterAdd(holders(node, node), g, axis, node.shape[axis] as number)
}

const cumulativeRows: { readonly [F in ReduceFn]: CumulativeRow } = {
  sum: ({ attrs: { axis, reverse } }, g) => build.cumulative('sum', g, axis, !reverse),
  // dx[k] = (product before k) * sum over i >= k of g[i] * (product of k+1..i); no division, so zeros are safe.
  prod: (node, g) => {
    const { axis, reverse } = node.attrs
    const x = node.src[0]
    const before = shifted(node, axis, reverse ? -1 : 1, 1)
    const next = shifted(x, axis, reverse ? 1 : -1, 0)
    return build.mul(before, linearRecurrence(g, next, axis, reverse))
  },
  max: toHolders,
  min: toHolders,
}

/** The cotangent of what was reduced. */
export const reducePull = (node: NodeOf<'reduce'>, g: Node): Node => reduceRows[node.attrs.fn](node, g)

/** The cotangent of what was accumulated. */
export const cumulativePull = (node: NodeOf<'cumulative'>, g: Node): Node =>
  sizeOf(node.shape) === 0 ? build.broadcastTo(g, node.shape) : cumulativeRows[node.attrs.fn](node, g)
