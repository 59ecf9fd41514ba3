import { type Dims, internalError, type Node, sizeOf } from '@tessella/ir'
import { mapAffines, walkExprs } from './expr.ts'
import { type Lowered, lowerGroup } from './group.ts'
import type { Scope } from './lower.ts'
import type { Accumulator, Affine, Expr, Kernel, WholeOperand, Write } from './program.ts'
import { isRoutine, isWhole, type RoutineNode, type WholeNode } from './roles.ts'
import { baseOf } from './view.ts'

/** Dimensions d whose next one continues them in every address: both can be one. */
function joints(domain: Dims, affines: readonly Affine[], from: number, to: number): Set<number> {
  const out = new Set<number>()
  for (let d = from; d + 1 < to; d++) {
    const n = domain[d + 1] as number
    if (affines.every((a) => (a.strides[d] as number) === (a.strides[d + 1] as number) * n)) out.add(d)
  }
  return out
}

function joinSizes(sizes: Dims, joined: ReadonlySet<number>, first: number): number[] {
  const out: number[] = []
  let product = 1
  for (const [i, n] of sizes.entries()) {
    product *= n
    if (joined.has(first + i)) continue
    out.push(product)
    product = 1
  }
  return out
}

const dropJoined =
  (joined: ReadonlySet<number>) =>
  (a: Affine): Affine => ({ offset: a.offset, strides: a.strides.filter((_, d) => !joined.has(d)) })

function affinesOf(roots: readonly Expr[]): Affine[] {
  const out: Affine[] = []
  walkExprs(roots, (e) => {
    if (e.kind === 'load' || e.kind === 'index' || e.kind === 'random' || e.kind === 'gather') out.push(e.at)
  })
  return out
}

function joinWrites(writes: readonly Write[], joined: ReadonlySet<number>): Write[] {
  const change = dropJoined(joined)
  const go = mapAffines(change)
  return writes.map((w) => ({ buffer: w.buffer, at: change(w.at), value: go(w.value) }))
}

function loopKernel(lowered: Lowered, writes: readonly Write[]): Kernel {
  const { group } = lowered
  const accumulators: readonly Accumulator[] = lowered.accumulators
  const rank = group.domain.length
  const space = [...group.domain, ...group.inner]
  const outer = [...affinesOf(writes.map((w) => w.value)), ...writes.map((w) => w.at)]
  const all = affinesOf(accumulators.map((a) => a.value))
  const inDomain = joints(space, [...outer, ...all], 0, rank)
  const domain = joinSizes(group.domain, inDomain, 0)
  const stores = inDomain.size === 0 ? writes : joinWrites(writes, inDomain)
  if (group.kind === 'map') return { kind: 'map', domain, writes: stores }
  const joined = new Set([...inDomain, ...joints(space, all, rank, space.length)])
  const go = mapAffines(dropJoined(joined))
  const values = joined.size === 0 ? accumulators : accumulators.map((a) => ({ fn: a.fn, value: go(a.value) }))
  return { kind: 'reduce', domain, inner: joinSizes(group.inner, joined, rank), accumulators: values, writes: stores }
}

function routineKernel(node: RoutineNode, lowered: Lowered, writes: readonly Write[], scope: Scope): Kernel {
  const { dtype, shape: domain } = node
  const whole = (x: Node): WholeOperand => ({ buffer: scope.bufferOf(baseOf(x)), shape: x.shape })
  switch (node.op) {
    case 'matmul': {
      const [a, b] = lowered.matrices
      if (a === undefined || b === undefined) throw internalError('a matmul without operands')
      return { kind: 'matmul', domain, k: node.src[0].shape[domain.length - 1] as number, dtype, a, b, writes }
    }
    case 'conv':
    case 'convGradInput':
    case 'convGradWeight': {
      const { stride, padding, dilation, groups } = node.attrs
      const attrs = { stride, padding, dilation, groups }
      return { kind: node.op, domain, dtype, attrs, a: whole(node.src[0]), b: whole(node.src[1]), writes }
    }
    case 'maxPool':
      return { kind: 'maxPool', domain, dtype, attrs: node.attrs, x: whole(node.src[0]), writes }
    case 'maxPoolGrad':
    case 'maxPoolPick':
      return {
        kind: node.op,
        domain,
        dtype,
        attrs: node.attrs,
        x: whole(node.src[0]),
        other: whole(node.src[1]),
        writes,
      }
  }
}

function wholeKernel(node: WholeNode, scope: Scope): Kernel {
  const buffer = (x: Node) => scope.bufferOf(baseOf(x))
  const { shape } = node.src[0]
  const { axis } = node.attrs
  const outer = sizeOf(shape.slice(0, axis))
  const length = shape[axis] as number
  const inner = sizeOf(shape.slice(axis + 1))
  const out = scope.bufferOf(node)
  switch (node.op) {
    case 'cumulative': {
      const { fn, reverse } = node.attrs
      return { kind: 'cumulative', fn, reverse, dtype: node.dtype, outer, length, inner, x: buffer(node.src[0]), out }
    }
    case 'argsort': {
      const [x] = node.src
      return {
        kind: 'argsort',
        descending: node.attrs.descending,
        dtype: x.dtype,
        outer,
        length,
        inner,
        x: buffer(x),
        out,
      }
    }
    case 'scatterAdd': {
      const [index, values] = node.src
      const { size } = node.attrs
      return {
        kind: 'scatterAdd',
        dtype: node.dtype,
        outer,
        length,
        inner,
        size,
        index: buffer(index),
        values: buffer(values),
        out,
      }
    }
  }
}

/** The kernel of a fused group, its dimensions joined where every address allows; undefined when it stores nothing. */
export function emit(lowered: Lowered, scope: Scope): Kernel | undefined {
  const node = lowered.group.anchors[0]?.node
  if (node && isWhole(node)) return wholeKernel(node, scope)
  if (lowered.group.stores.length === 0) return undefined
  const fresh = lowerGroup(lowered.group, scope)
  if (fresh === 'illegal' || !('group' in fresh)) throw internalError('a kernel changed while it was emitted')
  const writes = fresh.stores.map((s) => ({ buffer: scope.bufferOf(s.target), at: s.at, value: s.value }))
  return node && isRoutine(node) ? routineKernel(node, fresh, writes, scope) : loopKernel(fresh, writes)
}
