import { type BinaryFn, isFloat, type Node, sizeOf, type UnaryFn } from '@tessella/ir'
import { constantOf } from './constants.ts'
import type { Rewriter } from './rewriter.ts'
import { roleOf } from './roles.ts'
import type { Rule } from './rules.ts'
import { baseOf } from './view.ts'

/** NaN in, NaN out: a gather that answers NaN outside its source may happen before these. */
const passesNaN: ReadonlySet<UnaryFn | BinaryFn> = new Set<UnaryFn | BinaryFn>([
  'neg',
  'abs',
  'sqrt',
  'exp',
  'expm1',
  'log',
  'log1p',
  'sin',
  'cos',
  'tanh',
  'erf',
  'add',
  'sub',
  'mul',
  'div',
])

/** Gathers of few elements of a computed value: pick first, compute after. */
export const gatherRule: Rule<'gather'> = (r, [x, index], { axis }) => {
  if (sizeOf(index.shape) === 0) return undefined
  if (sizeOf(x.shape) === 0) return r.full(index.shape, isFloat(x.dtype) ? Number.NaN : 0, x.dtype)
  if (sizeOf(index.shape) * 2 > sizeOf(x.shape) || !isFloat(x.dtype)) return undefined
  if (x.op === 'unary' && passesNaN.has(x.attrs.fn))
    return r.node('unary', [r.node('gather', [x.src[0], index], { axis })], { fn: x.attrs.fn })
  if (x.op !== 'binary' || !passesNaN.has(x.attrs.fn)) return undefined
  const [a, b] = x.src
  if (isResult(r, a) || isResult(r, b)) return undefined
  const first = steady(r, a, axis, index)
  const second = steady(r, b, axis, index)
  // One operand must be gathered, or nothing would answer NaN outside.
  if (!first && !second && (isCheap(a) || isCheap(b))) return undefined
  const pick = (y: Node) => r.node('gather', [y, index], { axis })
  if (first) return r.node('binary', [first, pick(b)], { fn: x.attrs.fn })
  return r.node('binary', [pick(a), second ?? pick(b)], { fn: x.attrs.fn })
}

/** A result that only `x` uses: then x is its kernel's epilogue, and is in memory anyway. */
function isResult(r: Rewriter, x: Node): boolean {
  const role = roleOf(baseOf(x))
  return (role === 'reduce' || role === 'routine') && !r.shared.has(x) && !r.shared.has(baseOf(x))
}

/** Neither stored nor worth two gathers. */
const isCheap = (x: Node): boolean => constantOf(x) !== undefined || x.op === 'iota'

/** A value that is the same all along the axis, at the shape of the index. */
function steady(r: Rewriter, x: Node, axis: number, index: Node): Node | undefined {
  if (x.op !== 'expand' || x.src[0].shape[axis] !== 1 || x.shape[axis] === 1) return undefined
  return r.expand(x.src[0], index.shape)
}

/** Scattering one value per line is choosing its place: out[j] = j == index ? v : 0. */
export const scatterAddRule: Rule<'scatterAdd'> = (r, [index, v], { axis, size }) => {
  const shape = v.shape.map((n, i) => (i === axis ? size : n))
  if (sizeOf(shape) === 0) return undefined
  if (v.shape[axis] === 0) return r.full(shape, 0, v.dtype)
  if (v.shape[axis] !== 1) return undefined
  const place = r.node('iota', [], { shape, axis, dtype: 'int32' })
  const here = r.node('binary', [place, r.expand(index, shape)], { fn: 'eq' })
  return r.node('select', [here, r.expand(v, shape), r.full(shape, 0, v.dtype)], {})
}
