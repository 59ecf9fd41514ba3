import { type Dims, type Node, type NodeOf, sizeOf, stridesOf } from '@tessella/ir'
import { combine, digits, type Place, type Split } from './affine.ts'
import type { Affine } from './program.ts'

/** Elements of a row-major value seen as an array: element i is at offset + sum(i[d] * strides[d]). */
export interface View {
  readonly shape: Dims
  readonly strides: Dims
  readonly offset: number
}

export type ViewNode = NodeOf<'reshape' | 'permute' | 'expand' | 'slice' | 'flip' | 'after'>

export const isView = (node: Node): node is ViewNode =>
  node.op === 'reshape' ||
  node.op === 'permute' ||
  node.op === 'expand' ||
  node.op === 'slice' ||
  node.op === 'flip' ||
  node.op === 'after'

/** The source of a view that keeps the order of elements, and so the memory. */
export const keepsOrder = (node: Node): boolean => node.op === 'reshape' || node.op === 'after'

/** The value whose memory holds `node`: through reshapes and `after`. */
export function baseOf(node: Node): Node {
  let base = node
  while (keepsOrder(base)) base = base.src[0] as Node
  return base
}

/** Drops sizes of 1 and joins neighbours that are one run of memory. */
export function joinDims(shape: Dims, strides: Dims, offset: number): View {
  const sizes: number[] = []
  const steps: number[] = []
  for (let d = 0; d < shape.length; d++) {
    const n = shape[d] as number
    const step = strides[d] as number
    if (n === 1) continue
    const last = sizes.length - 1
    if (last >= 0 && steps[last] === step * n) {
      sizes[last] = (sizes[last] as number) * n
      steps[last] = step
    } else {
      sizes.push(n)
      steps.push(step)
    }
  }
  return { shape: sizes, strides: steps, offset }
}

/** How a view operation reads its source. */
export function viewOf(node: ViewNode): View {
  const from = node.src[0].shape
  if (node.op === 'reshape' || node.op === 'after') return joinDims([sizeOf(from)], [1], 0)
  const steps = stridesOf(from)
  switch (node.op) {
    case 'permute':
      return joinDims(
        node.shape,
        node.attrs.perm.map((p) => steps[p] as number),
        0,
      )
    case 'expand':
      return joinDims(
        node.shape,
        steps.map((s, d) => (from[d] === 1 ? 0 : s)),
        0,
      )
    case 'slice': {
      const { start, step } = node.attrs
      const offset = steps.reduce((sum, s, d) => sum + s * (start[d] as number), 0)
      return joinDims(
        node.shape,
        steps.map((s, d) => s * (step[d] as number)),
        offset,
      )
    }
    case 'flip': {
      const flipped = (d: number) => node.attrs.axes.includes(d)
      const offset = steps.reduce((sum, s, d) => sum + (flipped(d) ? s * ((from[d] as number) - 1) : 0), 0)
      return joinDims(
        node.shape,
        steps.map((s, d) => (flipped(d) ? -s : s)),
        offset,
      )
    }
  }
}

/** Where a part of `pad` or `concat` lies in the whole: one stride per dimension of the part. */
export function regionOf(part: Dims, whole: Dims, lo: Dims, interior: Dims): View {
  const steps = stridesOf(whole)
  const offset = steps.reduce((sum, s, d) => sum + s * (lo[d] as number), 0)
  return joinDims(
    part,
    steps.map((s, d) => s * (1 + (interior[d] as number))),
    offset,
  )
}

/**
 * The position in the source for the position `flat` in the view, both affine in the domain;
 * or the split that brings it nearer; or undefined when it is not affine.
 */
export function through(view: View, flat: Affine, domain: Dims): Affine | Split | undefined {
  const { shape, strides, offset } = view
  if (shape.length === 0) return { offset, strides: domain.map(() => 0) }
  const coefficients = stridesOf(shape)
  const places: Place[] = shape.map((extent, d) => ({ coefficient: coefficients[d] as number, extent }))
  const found = digits(flat, domain, places)
  if (!Array.isArray(found)) return found
  return combine(offset, strides, found, domain.length)
}

export const isSplit = (x: object): x is Split => 'inner' in x
