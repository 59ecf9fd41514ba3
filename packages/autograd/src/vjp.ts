import { build, dispatch, type Node, type NodeOf, sizeOf, type Table } from '@tessella/ir'
import { binaryDerivatives, unaryDerivatives } from './derivative.ts'
import { cumulativePull, reducePull } from './reductions.ts'

/** The cotangent of one source, built only when somebody wants it; `undefined` where the gradient is zero. */
export type Pull = (() => Node | undefined) | undefined

const spatial = (x: Node): readonly number[] => x.shape.slice(2)

const inverse = (perm: readonly number[]): number[] => {
  const out = new Array<number>(perm.length)
  for (const [i, p] of perm.entries()) out[p] = i
  return out
}

/** Zeros around and between, so that slicing the result again gives g. */
function unslice(node: NodeOf<'slice'>, g: Node): Node {
  const { start, size, step } = node.attrs
  const x = node.src[0]
  const interior = step.map((s) => s - 1)
  const hi = x.shape.map((n, i) => {
    const count = size[i] as number
    const extent = count === 0 ? 0 : (count - 1) * (step[i] as number) + 1
    return n - (start[i] as number) - extent
  })
  return build.pad(g, start, hi, 0, interior)
}

/** scatterAdd drops what falls outside, so its gradient there is 0, where gather would answer NaN. */
function gatherInside(g: Node, index: Node, axis: number, size: number): Node {
  if (sizeOf(index.shape) === 0 || size === 0) return build.full(index.shape, 0, g.dtype)
  const zero = build.constant(0, 'int32')
  const inside = build.binary(
    'and',
    build.binary('ge', index, zero),
    build.binary('lt', index, build.constant(size, 'int32')),
  )
  const picked = build.gather(g, index, axis)
  return build.select(inside, picked, build.zerosLike(picked))
}

const parts = (node: NodeOf<'concat'>, g: Node): Pull[] => {
  const { axis } = node.attrs
  let at = 0
  return node.src.map((s) => {
    const start = at
    const length = s.shape[axis] as number
    at += length
    return () => build.narrow(g, axis, start, length)
  })
}

/**
 * The vector-Jacobian rule of every operation: from a node and the cotangent of its value to one pull per source.
 * Conv and pooling form closed triples, so any order of derivative stays inside the language.
 */
export const vjpRules: Table<Node, readonly Pull[]> = {
  constant: () => [],
  parameter: () => [],
  iota: () => [],
  unary: (node, g) => {
    const pull = unaryDerivatives[node.attrs.fn]
    return [pull && (() => pull(g, node.src[0], node))]
  },
  binary: (node, g) => {
    const [a, b] = node.src
    return binaryDerivatives[node.attrs.fn].map((pull) => pull && (() => pull(g, a, b, node)))
  },
  select: ({ src: [c] }, g) => [
    undefined,
    () => build.select(c, g, build.zerosLike(g)),
    () => build.select(c, build.zerosLike(g), g),
  ],
  cast: ({ src: [x] }, g) => [() => build.cast(g, cotangentDtype(x))],
  reduce: (node, g) => [() => reducePull(node, g)],
  argReduce: () => [undefined],
  cumulative: (node, g) => [() => cumulativePull(node, g)],
  matmul: ({ src: [a, b] }, g) => [
    () => build.matmul(g, build.transpose(b)),
    () => build.matmul(build.transpose(a), g),
  ],
  conv: ({ src: [x, w], attrs }, g) => [
    () => build.convGradInput(g, w, attrs, spatial(x)),
    () => build.convGradWeight(x, g, attrs, spatial(w)),
  ],
  convGradInput: ({ src: [dy, w], attrs }, g) => [
    () => build.conv(g, w, windowOf(attrs)),
    () => build.convGradWeight(g, dy, attrs, spatial(w)),
  ],
  convGradWeight: ({ src: [x, dy], attrs }, g) => [
    () => build.convGradInput(dy, g, attrs, spatial(x)),
    () => build.conv(x, g, windowOf(attrs)),
  ],
  maxPool: ({ src: [x], attrs }, g) => [() => build.maxPoolGrad(x, g, attrs)],
  maxPoolGrad: ({ src: [x], attrs }, g) => [undefined, () => build.maxPoolPick(x, g, attrs)],
  maxPoolPick: ({ src: [x], attrs }, g) => [undefined, () => build.maxPoolGrad(x, g, attrs)],
  gather: ({ src: [x, index], attrs: { axis } }, g) => [
    () => build.scatterAdd(index, g, axis, x.shape[axis] as number),
    undefined,
  ],
  scatterAdd: ({ src: [index], attrs: { axis, size } }, g) => [undefined, () => gatherInside(g, index, axis, size)],
  argsort: () => [undefined],
  reshape: ({ src: [x] }, g) => [() => build.reshape(g, x.shape)],
  permute: ({ attrs: { perm } }, g) => [() => build.permute(g, inverse(perm))],
  expand: ({ src: [x] }, g) => [() => build.sumTo(g, x.shape)],
  slice: (node, g) => [() => unslice(node, g)],
  flip: ({ attrs: { axes } }, g) => [() => build.flip(g, axes)],
  pad: ({ src: [x], attrs: { lo, interior } }, g) => [
    () =>
      build.slice(
        g,
        lo,
        x.shape,
        interior.map((n) => n + 1),
      ),
  ],
  concat: parts,
  randomBits: () => [undefined],
  alias: (_, g) => [() => g],
  stopGradient: () => [undefined],
  after: (_, g) => [() => g, undefined],
  custom: (node, g) => {
    const [, ...inputs] = node.src
    return [undefined, ...node.attrs.vjp(inputs, node, g).map((d) => d && (() => d))]
  },
}

const windowOf = ({ stride, padding, dilation, groups }: NodeOf<'conv'>['attrs']) => ({
  stride,
  padding,
  dilation,
  groups,
})

/** Cotangents of float16 values are float32: float16 stores but does not add. */
export const cotangentDtype = (x: Node): 'float32' | 'float64' => (x.dtype === 'float64' ? 'float64' : 'float32')

/** The pulls of a node's sources for the cotangent `g` of its value. */
export const pullsOf = (node: Node, g: Node): readonly Pull[] => dispatch(vjpRules, node, g)
