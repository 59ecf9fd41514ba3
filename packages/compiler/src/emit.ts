import { type Dims, internalError, type Node, sizeOf } from '@tessella/ir'
import { mapLeaves, walkExprs } from './expr.ts'
import type { Scope } from './lower.ts'
import { type Lowered, type LoweredStore, lowerGroup } from './lowerGroup.ts'
import type { Accumulator, Affine, Expr, Kernel, Pass, WholeOperand, Write } from './program.ts'
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

/** Drops joined dimensions from values and addresses; what is shared stays shared within one call. */
function dropping(joined: ReadonlySet<number>) {
  const change = dropJoined(joined)
  const go = joined.size === 0 ? (e: Expr) => e : mapLeaves((leaf) => ({ ...leaf, at: change(leaf.at) }))
  return {
    write: (w: Write): Write => ({ buffer: w.buffer, at: change(w.at), value: go(w.value) }),
    accumulator: (a: Accumulator): Accumulator => ({ fn: a.fn, value: go(a.value) }),
  }
}

/** The element-wise part of a kernel over domain + inner, and its stores once per point of the domain. */
interface Loops {
  readonly passes: readonly Pass[]
  readonly writes: readonly Write[]
}

function loopKernel(lowered: Lowered, { passes, writes }: Loops): Kernel {
  const { group } = lowered
  const rank = group.domain.length
  const space = [...group.domain, ...group.inner]
  const outer = [...affinesOf(writes.map((w) => w.value)), ...writes.map((w) => w.at)]
  const inside = passes.flatMap((p) => [
    ...affinesOf([...p.accumulators, ...p.writes].map((entry) => entry.value)),
    ...p.writes.map((w) => w.at),
  ])
  const inDomain = joints(space, [...outer, ...inside], 0, rank)
  const domain = joinSizes(group.domain, inDomain, 0)
  const stores = writes.map(dropping(inDomain).write)
  if (group.kind === 'map') return { kind: 'map', domain, writes: stores }
  const joined = new Set([...inDomain, ...joints(space, inside, rank, space.length)])
  const inner = joinSizes(group.inner, joined, rank)
  const dropped = passes.map((p): Pass => {
    const drop = dropping(joined)
    return { accumulators: p.accumulators.map(drop.accumulator), writes: p.writes.map(drop.write) }
  })
  if (group.kind === 'rows') return { kind: 'rows', domain, inner, passes: dropped, writes: stores }
  return { kind: 'reduce', domain, inner, accumulators: dropped[0]?.accumulators ?? [], writes: stores }
}

/** The accumulators and stores of each pass; a reduction is one pass. */
function loopsOf(lowered: Lowered, scope: Scope): Loops {
  const { anchors } = lowered.group
  const write = (s: LoweredStore): Write => ({ buffer: scope.bufferOf(s.target), at: s.at, value: s.value })
  const count = Math.max(0, ...anchors.map((a) => a.pass + 1), ...lowered.stores.map((s) => (s.pass ?? -1) + 1))
  const passes = Array.from({ length: count }, (_, pass): Pass => {
    const accumulators = lowered.accumulators.filter((_, i) => anchors[i]?.pass === pass)
    return { accumulators, writes: lowered.stores.filter((s) => s.pass === pass).map(write) }
  })
  return { passes, writes: lowered.stores.filter((s) => s.pass === undefined).map(write) }
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
  const loops = loopsOf(fresh, scope)
  return node && isRoutine(node) ? routineKernel(node, fresh, loops.writes, scope) : loopKernel(fresh, loops)
}
