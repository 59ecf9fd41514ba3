import { type Dims, type Node, sameShape, sizeOf } from '@tessella/ir'
import { constantOf } from './constants.ts'
import type { Rewriter } from './rewriter.ts'
import type { Rule } from './rules.ts'

const withoutOnes = (shape: Dims): number[] => shape.filter((n) => n !== 1)

export const reshapeRule: Rule<'reshape'> = (r, [x], { shape }) => {
  if (sameShape(x.shape, shape)) return x
  if (x.op === 'reshape') return r.reshape(x.src[0], shape)
  const c = constantOf(x)
  if (c !== undefined && x.op !== 'constant') return r.full(shape, c, x.dtype)
  if (x.op !== 'expand' || !sameShape(withoutOnes(x.shape), withoutOnes(shape))) return undefined
  // Only sizes of 1 come and go: they may do so before the growth.
  const from = x.src[0].shape
  const kept = x.shape.map((n, d) => (n === 1 ? -1 : (from[d] as number))).filter((n) => n >= 0)
  let next = 0
  const small = shape.map((n) => (n === 1 ? 1 : (kept[next++] as number)))
  return r.expand(r.reshape(x.src[0], small), shape)
}

export const permuteRule: Rule<'permute'> = (r, [x], { perm }) => {
  if (perm.every((p, i) => p === i)) return x
  const shape = perm.map((p) => x.shape[p] as number)
  if (x.op === 'permute') {
    const inner = x.attrs.perm
    return r.node('permute', [x.src[0]], { perm: perm.map((p) => inner[p] as number) })
  }
  if (x.op === 'expand') return r.expand(r.node('permute', [x.src[0]], { perm }), shape)
  const moved = perm.filter((p) => x.shape[p] !== 1)
  return moved.every((p, i) => i === 0 || p > (moved[i - 1] as number)) ? r.reshape(x, shape) : undefined
}

export const expandRule: Rule<'expand'> = (r, [x], { shape }) => {
  if (sameShape(x.shape, shape)) return x
  return x.op === 'expand' ? r.expand(x.src[0], shape) : undefined
}

export const sliceRule: Rule<'slice'> = (r, [x], { start, size, step }) => {
  if (sameShape(x.shape, size) && start.every((s) => s === 0)) return x
  const c = constantOf(x)
  if (c !== undefined) return r.full(size, c, x.dtype)
  if (x.op === 'slice') {
    const inner = x.attrs
    return r.node('slice', [x.src[0]], {
      start: start.map((s, d) => (inner.start[d] as number) + s * (inner.step[d] as number)),
      size,
      step: step.map((s, d) => s * (inner.step[d] as number)),
    })
  }
  if (x.op === 'expand') {
    const from = x.src[0].shape
    const grown = (d: number) => from[d] === 1
    const small = r.node('slice', [x.src[0]], {
      start: start.map((s, d) => (grown(d) ? 0 : s)),
      size: size.map((n, d) => (grown(d) ? 1 : n)),
      step: step.map((s, d) => (grown(d) ? 1 : s)),
    })
    return r.expand(small, size)
  }
  if (x.op === 'pad') return sliceOfPad(r, x, start, size, step)
  if (x.op !== 'concat') return undefined
  // A slice inside one part of a concatenation is a slice of the part.
  const { axis } = x.attrs
  const from = start[axis] as number
  const to = from + ((size[axis] as number) - 1) * (step[axis] as number)
  let at = 0
  for (const part of x.src) {
    const length = part.shape[axis] as number
    if (from >= at && to < at + length)
      return r.node('slice', [part], { start: start.map((s, d) => (d === axis ? s - at : s)), size, step })
    at += length
  }
  return undefined
}

function sliceOfPad(
  r: Rewriter,
  x: Extract<Node, { op: 'pad' }>,
  start: Dims,
  size: Dims,
  step: Dims,
): Node | undefined {
  const { lo, interior } = x.attrs
  const from = x.src[0].shape
  const inner = start.map((s, d) => s - (lo[d] as number))
  const plain = interior.every((n) => n === 0)
  const inside = inner.every(
    (s, d) => s >= 0 && s + ((size[d] as number) - 1) * (step[d] as number) < (from[d] as number),
  )
  return plain && inside ? r.node('slice', [x.src[0]], { start: inner, size, step }) : undefined
}

export const flipRule: Rule<'flip'> = (r, [x], { axes }) => {
  const used = axes.filter((a) => x.shape[a] !== 1)
  if (used.length === 0) return x
  if (x.op === 'flip') {
    const both = x.attrs.axes
    const once = [...used.filter((a) => !both.includes(a)), ...both.filter((a) => !used.includes(a))]
    return once.length === 0 ? x.src[0] : r.node('flip', [x.src[0]], { axes: once.sort((a, b) => a - b) })
  }
  if (x.op === 'expand') {
    const from = x.src[0].shape
    return r.expand(r.node('flip', [x.src[0]], { axes: used.filter((a) => from[a] !== 1) }), x.shape)
  }
  return used.length === axes.length ? undefined : r.node('flip', [x], { axes: used })
}

export const padRule: Rule<'pad'> = (r, [x], { lo, hi, interior, value }) => {
  if ([...lo, ...hi].every((n) => n === 0) && interior.every((n, d) => n === 0 || (x.shape[d] as number) <= 1)) return x
  const grow = (n: number, d: number) =>
    n + Math.max(0, n - 1) * (interior[d] as number) + (lo[d] as number) + (hi[d] as number)
  const shape = x.shape.map(grow)
  const nothing = sizeOf(x.shape) === 0
  const c = constantOf(x)
  return nothing || (c !== undefined && c === value) ? r.full(shape, value, x.dtype) : undefined
}

export const concatRule: Rule<'concat'> = (r, src, { axis }) => {
  const full = src.filter((s) => s.shape[axis] !== 0)
  const only = full.length === 0 ? src[0] : full.length === 1 ? full[0] : undefined
  if (only) return only
  return full.length === src.length ? undefined : r.node('concat', full, { axis })
}
