import {
  binaryFacts,
  constantLike,
  type Dims,
  type DType,
  decomposeBinary,
  decomposeUnary,
  internalError,
  isDecomposableBinary,
  isDecomposableUnary,
  isFloat,
  type Node,
  sameShape,
  unaryFacts,
} from '@tessella/ir'
import { constantOf, hasExactInverse } from './constants.ts'
import { encode, foldBinary, foldCast, foldUnary } from './fold.ts'
import type { Rewriter } from './rewriter.ts'
import type { Rule } from './rules.ts'

export const constantRule: Rule<'constant'> = (r, _, { value, dtype }) => {
  const stored = encode(value, dtype)
  return stored === undefined || Object.is(stored, value) ? undefined : r.node('constant', [], { value: stored, dtype })
}

const missing = (name: string, fn: string): Error => internalError(`the backend ${name} lacks the core function ${fn}`)

/** The shape a value had before it was grown; constants can have any. */
function grownFrom(x: Node): Dims {
  return x.op === 'expand' ? x.src[0].shape : x.shape
}

/**
 * An elementwise operation on values that are all grown along an axis happens before the growth.
 * Answers undefined when there is no such axis.
 */
function beforeGrowth(r: Rewriter, src: readonly Node[], apply: (small: Node[]) => Node): Node | undefined {
  const shape = (src[0] as Node).shape
  let small = shape.map(() => 1)
  for (const x of src) {
    const from = grownFrom(x)
    small = small.map((n, d) => Math.max(n, from[d] as number))
  }
  if (sameShape(small, shape) || shape.some((n, d) => n === 0 && small[d] !== 0)) return undefined
  const shrunk = src.map((x) => (x.op === 'expand' ? r.expand(x.src[0], small) : r.reshape(x, small)))
  return r.expand(apply(shrunk), shape)
}

export const unaryRule: Rule<'unary'> = (r, [x], { fn }) => {
  const c = constantOf(x)
  if (c !== undefined) {
    const result = unaryFacts[fn].result === 'bool' ? 'bool' : x.dtype
    const folded = foldUnary(fn, c, x.dtype, result)
    if (folded !== undefined) return r.full(x.shape, folded, result)
  }
  if (x.op === 'unary') {
    const inner = x.attrs.fn
    if ((fn === 'neg' && inner === 'neg') || (fn === 'not' && inner === 'not')) return x.src[0]
    if (fn === 'abs' && inner === 'abs') return x
    if (fn === 'abs' && inner === 'neg') return r.node('unary', [x.src[0]], { fn: 'abs' })
  }
  const before = beforeGrowth(r, [x], ([s]) => r.node('unary', [s as Node], { fn }))
  if (before) return before
  if (r.target.unary.has(fn)) return undefined
  if (!isDecomposableUnary(fn)) throw missing(r.target.name, fn)
  return r.image(decomposeUnary(fn, x))
}

const isNeg = (x: Node): x is Extract<Node, { op: 'unary' }> => x.op === 'unary' && x.attrs.fn === 'neg'

function arithmetic(r: Rewriter, fn: string, a: Node, b: Node): Node | undefined {
  const p = constantOf(a)
  const q = constantOf(b)
  switch (fn) {
    case 'add':
      if (q === 0) return a
      if (p === 0) return b
      if (isNeg(b)) return r.node('binary', [a, b.src[0]], { fn: 'sub' })
      if (isNeg(a)) return r.node('binary', [b, a.src[0]], { fn: 'sub' })
      return undefined
    case 'sub':
      if (q === 0) return a
      if (p === 0) return r.node('unary', [b], { fn: 'neg' })
      if (isNeg(b)) return r.node('binary', [a, b.src[0]], { fn: 'add' })
      return undefined
    case 'mul':
      if (p !== undefined && q === undefined) return r.node('binary', [b, a], { fn: 'mul' })
      if (q === 1) return a
      if (q === -1 && a.dtype !== 'uint32') return r.node('unary', [a], { fn: 'neg' })
      if (q === 0 && !isFloat(a.dtype)) return b
      return q === undefined ? undefined : joinFactors(r, a, q)
    case 'div':
      if (q === 1) return a
      if (q !== undefined && hasExactInverse(q, a.dtype)) return r.scale(a, 1 / q)
      return undefined
    case 'pow':
      if (q === 0) return r.full(a.shape, 1, a.dtype)
      if (q === 1) return a
      if (q === 2) return r.node('binary', [a, a], { fn: 'mul' })
      if (q === 3) return r.node('binary', [r.node('binary', [a, a], { fn: 'mul' }), a], { fn: 'mul' })
      if (q === -1) return r.node('binary', [r.full(a.shape, 1, a.dtype), a], { fn: 'div' })
      return undefined
    case 'max':
    case 'min':
      return a === b ? a : undefined
  }
  return undefined
}

/** (x * c) * q = x * (c * q) for floats, while the product stays an ordinary number. */
function joinFactors(r: Rewriter, a: Node, q: number): Node | undefined {
  if (!isFloat(a.dtype)) return undefined
  if (isNeg(a)) return r.scale(a.src[0], -q)
  if (a.op !== 'binary' || a.attrs.fn !== 'mul') return undefined
  const c = constantOf(a.src[1])
  const product = c === undefined ? undefined : encode(c * q, a.dtype)
  if (product === undefined || !(Math.abs(product) > 1e-30 && Math.abs(product) < 1e30)) return undefined
  return r.scale(a.src[0], product)
}

function logic(r: Rewriter, fn: string, a: Node, b: Node): Node | undefined {
  if (a.dtype !== 'bool') return undefined
  if (a === b && (fn === 'and' || fn === 'or')) return a
  const p = constantOf(a)
  const q = constantOf(b)
  for (const [c, x] of [
    [p, b],
    [q, a],
  ] as const) {
    if (c === undefined) continue
    if (fn === 'and') return c === 1 ? x : r.full(x.shape, 0, 'bool')
    if (fn === 'or') return c === 0 ? x : r.full(x.shape, 1, 'bool')
    if (fn === 'xor' || fn === 'ne') return c === 0 ? x : r.node('unary', [x], { fn: 'not' })
  }
  return undefined
}

export const binaryRule: Rule<'binary'> = (r, [a, b], { fn }) => {
  const p = constantOf(a)
  const q = constantOf(b)
  if (p !== undefined && q !== undefined) {
    const result = binaryFacts[fn].result === 'bool' ? 'bool' : a.dtype
    const folded = foldBinary(fn, p, q, a.dtype, result)
    if (folded !== undefined) return r.full(a.shape, folded, result)
  }
  const simpler = arithmetic(r, fn, a, b) ?? logic(r, fn, a, b)
  if (simpler) return simpler
  const before = beforeGrowth(r, [a, b], ([x, y]) => r.node('binary', [x as Node, y as Node], { fn }))
  if (before) return before
  if (r.target.binary.has(fn)) return undefined
  if (!isDecomposableBinary(fn)) throw missing(r.target.name, fn)
  return r.image(decomposeBinary(fn, a, b))
}

export const selectRule: Rule<'select'> = (r, [c, a, b]) => {
  if (a === b) return a
  const known = constantOf(c)
  if (known !== undefined) return known ? a : b
  if (c.op === 'unary' && c.attrs.fn === 'not') return r.node('select', [c.src[0], b, a], {})
  if (a.op === 'select' && a.src[0] === c) return r.node('select', [c, a.src[1], b], {})
  if (b.op === 'select' && b.src[0] === c) return r.node('select', [c, a, b.src[2]], {})
  if (a.dtype === 'bool' && constantOf(a) === 1 && constantOf(b) === 0) return c
  // relu as a function of its own: then its mask can be read off the result.
  if (
    c.op === 'binary' &&
    c.attrs.fn === 'le' &&
    c.src[0] === b &&
    constantOf(c.src[1]) === 0 &&
    constantOf(a) === 0 &&
    isFloat(b.dtype)
  )
    return r.node('binary', [b, constantLike(b, 0)].map((x) => r.image(x)) as [Node, Node], { fn: 'max' })
  return beforeGrowth(r, [c, a, b], ([d, x, y]) => r.node('select', [d as Node, x as Node, y as Node], {}))
}

/** Every value of `from` survives in `to`. */
const fits: { readonly [D in DType]: readonly DType[] } = {
  bool: ['uint8', 'int32', 'uint32', 'float16', 'float32', 'float64'],
  uint8: ['int32', 'uint32', 'float16', 'float32', 'float64'],
  float16: ['float32', 'float64'],
  float32: ['float64'],
  int32: ['float64'],
  uint32: ['float64'],
  float64: [],
}

export const castRule: Rule<'cast'> = (r, [x], { dtype }) => {
  if (x.dtype === dtype) return x
  const c = constantOf(x)
  const folded = c === undefined ? undefined : foldCast(c, x.dtype, dtype)
  if (folded !== undefined) return r.full(x.shape, folded, dtype)
  if (x.op === 'cast' && fits[x.src[0].dtype].includes(x.dtype)) return r.node('cast', [x.src[0]], { dtype })
  return beforeGrowth(r, [x], ([s]) => r.node('cast', [s as Node], { dtype }))
}
