import type { DType } from './dtype.ts'
import { make } from './make.ts'
import type { ConvAttrs, Node, NodeOf, PoolAttrs } from './ops.ts'
import type { BinaryFn, ReduceFn, UnaryFn } from './scalar.ts'
import { broadcastShapes, type Dims, sameShape, sizeOf } from './shape.ts'

/*
 * Thin constructors over `make` that leave out operations which change nothing.
 * Axes are non-negative and shapes explicit; promotion and negative axes belong to `tensor`.
 */

export const constant = (value: number, dtype: DType = 'float32'): Node => make('constant', [], { value, dtype })
export const iota = (shape: Dims, axis: number, dtype: DType = 'int32'): Node =>
  make('iota', [], { shape, axis, dtype })

/** A constant of any shape. */
export const full = (shape: Dims, value: number, dtype: DType): Node => broadcastTo(constant(value, dtype), shape)
export const zerosLike = (x: Node): Node => full(x.shape, 0, x.dtype)
export const onesLike = (x: Node): Node => full(x.shape, 1, x.dtype)

export const unary = (fn: UnaryFn, x: Node): Node => make('unary', [x], { fn })
/** Broadcasts both operands to their common shape; dtypes must agree already. */
export function binary(fn: BinaryFn, a: Node, b: Node): Node {
  const shape = broadcastShapes(fn, a.shape, b.shape)
  return make('binary', [broadcastTo(a, shape), broadcastTo(b, shape)], { fn })
}
export const neg = (x: Node): Node => unary('neg', x)
export const add = (a: Node, b: Node): Node => binary('add', a, b)
export const sub = (a: Node, b: Node): Node => binary('sub', a, b)
export const mul = (a: Node, b: Node): Node => binary('mul', a, b)
export const div = (a: Node, b: Node): Node => binary('div', a, b)
/** x times a host number. */
export const scale = (x: Node, by: number): Node => mul(x, constant(by, x.dtype))
/** x plus a host number. */
export const shift = (x: Node, by: number): Node => add(x, constant(by, x.dtype))

export function select(condition: Node, a: Node, b: Node): Node {
  const shape = broadcastShapes('where', broadcastShapes('where', condition.shape, a.shape), b.shape)
  return make('select', [broadcastTo(condition, shape), broadcastTo(a, shape), broadcastTo(b, shape)], {})
}
export const cast = (x: Node, dtype: DType): Node => (x.dtype === dtype ? x : make('cast', [x], { dtype }))

/** Removes `axes`. */
export const reduce = (fn: ReduceFn, x: Node, axes: Dims): Node =>
  axes.length === 0 ? x : make('reduce', [x], { fn, axes: [...axes].sort((p, q) => p - q) })
/** Keeps `axes` as sizes of 1. */
export const reduceKeep = (fn: ReduceFn, x: Node, axes: Dims): Node =>
  reshape(
    reduce(fn, x, axes),
    x.shape.map((n, i) => (axes.includes(i) ? 1 : n)),
  )
export const argReduce = (fn: 'max' | 'min', x: Node, axis: number): Node => make('argReduce', [x], { fn, axis })
export const cumulative = (fn: ReduceFn, x: Node, axis: number, reverse = false): Node =>
  make('cumulative', [x], { fn, axis, reverse })

/** Batch dimensions must be equal already. */
export const matmul = (a: Node, b: Node): Node => make('matmul', [a, b], {})
export const conv = (x: Node, w: Node, attrs: ConvAttrs): Node => make('conv', [x, w], attrs)
export const convGradInput = (dy: Node, w: Node, attrs: ConvAttrs, inputSize: Dims): Node =>
  make('convGradInput', [dy, w], { ...windowOf(attrs), groups: attrs.groups, inputSize })
export const convGradWeight = (x: Node, dy: Node, attrs: ConvAttrs, kernelSize: Dims): Node =>
  make('convGradWeight', [x, dy], { ...windowOf(attrs), groups: attrs.groups, kernelSize })
export const maxPool = (x: Node, attrs: PoolAttrs): Node => make('maxPool', [x], attrs)
export const maxPoolGrad = (x: Node, dy: Node, attrs: PoolAttrs): Node => make('maxPoolGrad', [x, dy], attrs)
export const maxPoolPick = (x: Node, v: Node, attrs: PoolAttrs): Node => make('maxPoolPick', [x, v], attrs)
const windowOf = (a: ConvAttrs) => ({ stride: a.stride, padding: a.padding, dilation: a.dilation })

export const gather = (x: Node, index: Node, axis: number): Node => make('gather', [x, index], { axis })
export const scatterAdd = (index: Node, v: Node, axis: number, size: number): Node =>
  make('scatterAdd', [index, v], { axis, size })
export const argsort = (x: Node, axis: number, descending = false): Node => make('argsort', [x], { axis, descending })

export const reshape = (x: Node, shape: Dims): Node => {
  if (sameShape(x.shape, shape)) return x
  // Two reshapes in a row are one.
  const from = x.op === 'reshape' ? (x as NodeOf<'reshape'>).src[0] : x
  return sameShape(from.shape, shape) ? from : make('reshape', [from], { shape })
}
export const permute = (x: Node, perm: Dims): Node =>
  perm.every((p, i) => p === i) ? x : make('permute', [x], { perm })
/** Swaps the last two dimensions. */
export const transpose = (x: Node): Node => {
  const r = x.shape.length
  return permute(x, [...Array.from({ length: r - 2 }, (_, i) => i), r - 1, r - 2])
}
export const expand = (x: Node, shape: Dims): Node => (sameShape(x.shape, shape) ? x : make('expand', [x], { shape }))
/** NumPy broadcasting to `shape`: leading dimensions of 1, then growth. */
export const broadcastTo = (x: Node, shape: Dims): Node => {
  if (sameShape(x.shape, shape)) return x
  const lead = Math.max(0, shape.length - x.shape.length)
  return expand(reshape(x, [...new Array<number>(lead).fill(1), ...x.shape]), shape)
}
/** The gradient of `broadcastTo`: sums `x` down to `shape`. */
export function sumTo(x: Node, shape: Dims): Node {
  const lead = x.shape.length - shape.length
  const axes = x.shape.flatMap((n, i) => (i < lead || (shape[i - lead] === 1 && n !== 1) ? [i] : []))
  return reshape(reduce('sum', x, axes), shape)
}
export function slice(x: Node, start: Dims, size: Dims, step: Dims = x.shape.map(() => 1)): Node {
  const whole = sameShape(size, x.shape) && step.every((s) => s === 1)
  return whole ? x : make('slice', [x], { start, size, step })
}
/** A range of one dimension. */
export const narrow = (x: Node, axis: number, start: number, length: number): Node =>
  slice(
    x,
    x.shape.map((_, i) => (i === axis ? start : 0)),
    x.shape.map((n, i) => (i === axis ? length : n)),
  )
export const flip = (x: Node, axes: Dims): Node => (axes.length === 0 ? x : make('flip', [x], { axes }))
export function pad(x: Node, lo: Dims, hi: Dims, value = 0, interior: Dims = x.shape.map(() => 0)): Node {
  const nothing = [...lo, ...hi, ...interior].every((n) => n === 0)
  return nothing ? x : make('pad', [x], { lo, hi, interior, value })
}
export const concat = (parts: readonly Node[], axis: number): Node =>
  parts.length === 1 && parts[0] ? parts[0] : make('concat', parts, { axis })

export const randomBits = (key: Node, shape: Dims): Node => make('randomBits', [key], { shape })
export const alias = (x: Node): Node => make('alias', [x], {})
export const stopGradient = (x: Node): Node => make('stopGradient', [x], {})
export const after = (x: Node, event: Node): Node => make('after', [x, event], {})

/** True when every element is this constant, seen through views. */
export function isConstant(x: Node, value: number): boolean {
  let node: Node = x
  while (node.op === 'reshape' || node.op === 'expand' || node.op === 'permute') node = node.src[0] as Node
  return node.op === 'constant' && (node as NodeOf<'constant'>).attrs.value === value && sizeOf(x.shape) > 0
}
