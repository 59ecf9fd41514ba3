import { type DType, isFloat, isStorageOnly } from './dtype.ts'
import { OpError } from './errors.ts'
import { inferConv, inferConvGradInput, inferConvGradWeight, inferPool, inferPoolPair } from './inferWindow.ts'
import type { Attrs, Node, OpName, Sources } from './ops.ts'
import { binaryFacts, type FnFacts, type ReduceFn, unaryFacts } from './scalar.ts'
import { type Dims, sameShape, sizeOf } from './shape.ts'
import { checkWhole } from './whole.ts'

export interface Inferred {
  readonly shape: Dims
  readonly dtype: DType
}

type Rule<K extends OpName> = (src: Sources[K], attrs: Attrs[K]) => Inferred
type Rules = { readonly [K in OpName]: Rule<K> }

const of = (shape: Dims, dtype: DType): Inferred => ({ shape, dtype })
const without = (shape: Dims, axes: Dims): number[] => shape.filter((_, i) => !axes.includes(i))

function checkFn(op: string, facts: FnFacts, dtype: DType): void {
  if (isStorageOnly(dtype))
    throw new OpError(op, `${dtype} holds data but does not compute`, {
      dtypes: [dtype],
      hint: "Cast first: x.cast('float32').",
    })
  const ok = {
    float: isFloat(dtype),
    number: dtype !== 'bool',
    integer: dtype === 'int32' || dtype === 'uint32',
    logical: dtype === 'bool' || dtype === 'int32' || dtype === 'uint32',
    ordered: true,
  }[facts.on]
  if (!ok)
    throw new OpError(op, `needs ${describe[facts.on]}, got ${dtype}`, {
      dtypes: [dtype],
      hint:
        facts.on === 'logical' || facts.on === 'integer'
          ? "Cast first: x.cast('int32')."
          : "Cast first: x.cast('float32').",
    })
}

const describe: { readonly [K in FnFacts['on']]: string } = {
  float: 'a floating dtype',
  number: 'a number',
  integer: 'int32 or uint32',
  logical: 'bool, int32 or uint32',
  ordered: 'a number or bool',
}

function checkReduce(op: string, fn: ReduceFn, x: Node): void {
  checkFn(op, { on: fn === 'max' || fn === 'min' ? 'ordered' : 'number', result: 'same' }, x.dtype)
}

function checkAxis(op: string, axis: number, shape: Dims): void {
  if (!Number.isInteger(axis) || axis < 0 || axis >= shape.length)
    throw new OpError(op, `axis ${axis} is not in the shape`, { shapes: [shape] })
}

function checkIndex(op: string, index: Node): void {
  if (index.dtype !== 'int32')
    throw new OpError(op, `index must be int32, got ${index.dtype}`, {
      dtypes: [index.dtype],
      hint: "Cast it: index.cast('int32').",
    })
}

function checkLengths(op: string, shape: Dims, ...lists: (readonly unknown[])[]): void {
  if (lists.some((l) => l.length !== shape.length))
    throw new OpError(op, `needs one entry per dimension (${shape.length})`, { shapes: [shape] })
}

const checkSizes = (op: string, shape: Dims): void => checkWhole(op, 'sizes', shape, 0)

function samePair(op: string, a: Node, b: Node): void {
  if (a.dtype !== b.dtype)
    throw new OpError(op, `operands have dtypes ${a.dtype} and ${b.dtype}`, {
      dtypes: [a.dtype, b.dtype],
      hint: 'Cast one of them.',
    })
  if (!sameShape(a.shape, b.shape)) throw new OpError(op, 'operands differ in shape', { shapes: [a.shape, b.shape] })
}

const rules: Rules = {
  constant: (_, { dtype }) => of([], dtype),
  parameter: (_, { shape, dtype }) => {
    checkSizes('parameter', shape)
    return of(shape, dtype)
  },
  iota: (_, { shape, axis, dtype }) => {
    checkSizes('iota', shape)
    checkAxis('iota', axis, shape)
    return of(shape, dtype)
  },
  unary: ([x], { fn }) => {
    checkFn(fn, unaryFacts[fn], x.dtype)
    return of(x.shape, unaryFacts[fn].result === 'bool' ? 'bool' : x.dtype)
  },
  binary: ([a, b], { fn }) => {
    samePair(fn, a, b)
    checkFn(fn, binaryFacts[fn], a.dtype)
    return of(a.shape, binaryFacts[fn].result === 'bool' ? 'bool' : a.dtype)
  },
  select: ([c, a, b]) => {
    if (c.dtype !== 'bool')
      throw new OpError('where', `condition must be bool, got ${c.dtype}`, { hint: 'Compare it: x.ne(0).' })
    samePair('where', a, b)
    if (!sameShape(c.shape, a.shape))
      throw new OpError('where', 'condition differs in shape', { shapes: [c.shape, a.shape] })
    return of(a.shape, a.dtype)
  },
  cast: ([x], { dtype }) => of(x.shape, dtype),
  reduce: ([x], { fn, axes }) => {
    checkReduce(fn, fn, x)
    for (const a of axes) checkAxis(fn, a, x.shape)
    if (axes.some((a, i) => i > 0 && a <= (axes[i - 1] as number)))
      throw new OpError(fn, `axes [${axes.join(', ')}] must increase`, { shapes: [x.shape] })
    if ((fn === 'max' || fn === 'min') && axes.some((a) => x.shape[a] === 0))
      throw new OpError(fn, 'cannot reduce an empty dimension', {
        shapes: [x.shape],
        hint: 'There is no largest or smallest of nothing.',
      })
    return of(without(x.shape, axes), x.dtype)
  },
  argReduce: ([x], { fn, axis }) => {
    checkReduce(`arg${fn}`, fn, x)
    checkAxis(`arg${fn}`, axis, x.shape)
    if (x.shape[axis] === 0) throw new OpError(`arg${fn}`, 'cannot reduce an empty dimension', { shapes: [x.shape] })
    return of(without(x.shape, [axis]), 'int32')
  },
  cumulative: ([x], { fn, axis }) => {
    checkReduce(`cum${fn}`, fn, x)
    checkAxis(`cum${fn}`, axis, x.shape)
    return of(x.shape, x.dtype)
  },
  matmul: ([a, b]) => {
    if (a.dtype !== b.dtype || !isFloat(a.dtype) || isStorageOnly(a.dtype))
      throw new OpError('matmul', `needs two floating operands of one dtype, got ${a.dtype} and ${b.dtype}`, {
        dtypes: [a.dtype, b.dtype],
        hint: "Cast first: x.cast('float32').",
      })
    const r = a.shape.length
    const batchOk = r >= 2 && b.shape.length === r && sameShape(a.shape.slice(0, -2), b.shape.slice(0, -2))
    if (!batchOk || a.shape[r - 1] !== b.shape[r - 2])
      throw new OpError('matmul', 'the last size of the first must equal the second-last of the second', {
        shapes: [a.shape, b.shape],
        hint: 'Transpose or reshape one operand.',
      })
    return of([...a.shape.slice(0, -1), b.shape[r - 1] as number], a.dtype)
  },
  conv: ([x, w], attrs) => of(inferConv(x, w, attrs), x.dtype),
  convGradInput: ([dy, w], attrs) => of(inferConvGradInput(dy, w, attrs), dy.dtype),
  convGradWeight: ([x, dy], attrs) => of(inferConvGradWeight(x, dy, attrs), x.dtype),
  maxPool: ([x], attrs) => of(inferPool(x, attrs), x.dtype),
  maxPoolGrad: ([x, dy], attrs) => {
    inferPoolPair(x, dy, attrs, 'out')
    return of(x.shape, x.dtype)
  },
  maxPoolPick: ([x, v], attrs) => of(inferPoolPair(x, v, attrs, 'in'), x.dtype),
  gather: ([x, index], { axis }) => {
    checkIndex('gather', index)
    checkAxis('gather', axis, x.shape)
    if (index.shape.length !== x.shape.length || index.shape.some((n, i) => i !== axis && n !== x.shape[i]))
      throw new OpError('gather', `index must have the shape of the source but for axis ${axis}`, {
        shapes: [x.shape, index.shape],
      })
    return of(index.shape, x.dtype)
  },
  scatterAdd: ([index, v], { axis, size }) => {
    checkIndex('scatterAdd', index)
    checkFn('scatterAdd', { on: 'number', result: 'same' }, v.dtype)
    if (!sameShape(index.shape, v.shape))
      throw new OpError('scatterAdd', 'index and values differ in shape', { shapes: [index.shape, v.shape] })
    checkAxis('scatterAdd', axis, v.shape)
    checkSizes('scatterAdd', [size])
    return of(
      v.shape.map((n, i) => (i === axis ? size : n)),
      v.dtype,
    )
  },
  argsort: ([x], { axis }) => {
    checkFn('argsort', { on: 'ordered', result: 'same' }, x.dtype)
    checkAxis('argsort', axis, x.shape)
    return of(x.shape, 'int32')
  },
  reshape: ([x], { shape }) => {
    checkSizes('reshape', shape)
    if (sizeOf(shape) !== sizeOf(x.shape))
      throw new OpError('reshape', `${sizeOf(x.shape)} elements do not fill ${sizeOf(shape)}`, {
        shapes: [x.shape, shape],
      })
    return of(shape, x.dtype)
  },
  permute: ([x], { perm }) => {
    if (perm.length !== x.shape.length || [...perm].sort((a, b) => a - b).some((p, i) => p !== i))
      throw new OpError('permute', `[${perm.join(', ')}] is not a permutation of the dimensions`, { shapes: [x.shape] })
    return of(
      perm.map((p) => x.shape[p] as number),
      x.dtype,
    )
  },
  expand: ([x], { shape }) => {
    checkSizes('expand', shape)
    if (shape.length !== x.shape.length || shape.some((n, i) => x.shape[i] !== n && x.shape[i] !== 1))
      throw new OpError('expand', 'only sizes of 1 can grow', { shapes: [x.shape, shape] })
    return of(shape, x.dtype)
  },
  slice: ([x], { start, size, step }) => {
    checkLengths('slice', x.shape, start, size, step)
    checkSizes('slice', size)
    for (const [i, n] of x.shape.entries()) {
      const s = start[i] as number
      const count = size[i] as number
      const by = step[i] as number
      if (by < 1 || s < 0 || (count > 0 && s + (count - 1) * by >= n) || s > n)
        throw new OpError('slice', `start ${s}, ${count} elements by ${by} leave dimension ${i}`, { shapes: [x.shape] })
    }
    return of(size, x.dtype)
  },
  flip: ([x], { axes }) => {
    for (const a of axes) checkAxis('flip', a, x.shape)
    return of(x.shape, x.dtype)
  },
  pad: ([x], { lo, hi, interior }) => {
    checkLengths('pad', x.shape, lo, hi, interior)
    for (const list of [lo, hi, interior]) checkSizes('pad', list)
    const grow = (n: number, i: number) =>
      n + Math.max(0, n - 1) * (interior[i] as number) + (lo[i] as number) + (hi[i] as number)
    return of(x.shape.map(grow), x.dtype)
  },
  concat: (src, { axis }) => {
    const first = src[0]
    if (first === undefined) throw new OpError('concat', 'needs at least one tensor')
    checkAxis('concat', axis, first.shape)
    let total = 0
    for (const s of src) {
      if (s.dtype !== first.dtype)
        throw new OpError('concat', `dtypes ${first.dtype} and ${s.dtype} differ`, { dtypes: [first.dtype, s.dtype] })
      if (s.shape.length !== first.shape.length || s.shape.some((n, i) => i !== axis && n !== first.shape[i]))
        throw new OpError('concat', `sizes must agree but for axis ${axis}`, { shapes: [first.shape, s.shape] })
      total += s.shape[axis] as number
    }
    return of(
      first.shape.map((n, i) => (i === axis ? total : n)),
      first.dtype,
    )
  },
  randomBits: ([key], { shape }) => {
    checkSizes('randomBits', shape)
    if (key.dtype !== 'uint32' || !sameShape(key.shape, [2]))
      throw new OpError('randomBits', `the key must be uint32 [2], got ${key.dtype}`, { shapes: [key.shape] })
    return of(shape, 'uint32')
  },
  alias: ([x]) => of(x.shape, x.dtype),
  stopGradient: ([x]) => of(x.shape, x.dtype),
  after: ([x]) => of(x.shape, x.dtype),
  custom: ([x]) => of(x.shape, x.dtype),
}

/** Shape and dtype of an operation on these sources. Throws {@link OpError} when they do not fit. */
export function inferNode<K extends OpName>(op: K, src: Sources[K], attrs: Attrs[K]): Inferred {
  const rule: Rule<K> = (rules as { readonly [P in K]: Rule<P> })[op]
  return rule(src, attrs)
}
