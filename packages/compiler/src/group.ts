import { type Dims, internalError, type Node, sizeOf, stridesOf } from '@tessella/ir'
import { rowMajor, type Split, splitAffine, splitDims } from './affine.ts'
import { type Conflict, type Local, Lowering, lineOf, type Read, type Scope } from './lower.ts'
import type { Accumulator, Affine, Expr, MatrixOperand } from './program.ts'
import { isReduce, isRegion, isRoutine, isWhole, type ReduceNode, type RoutineNode, type WholeNode } from './roles.ts'
import { baseOf, isSplit, keepsOrder, regionOf, through, type View } from './view.ts'

/** One store of a group: `value` at position `flat` goes to `target`, which is the value itself or has it in a region. */
export interface Store {
  readonly value: Node
  readonly target: Node
  readonly flat: Affine
  readonly region: View | undefined
}

/** A reduction or routine of a group: its result at each point of the domain, and where a reduction reads. */
export interface Anchor {
  readonly node: Node
  readonly flat: Affine
  /** Position in the reduced value over domain + inner. */
  readonly source: Affine
}

/** What becomes one kernel. */
export interface Group {
  readonly kind: 'map' | 'reduce' | 'routine' | 'whole'
  readonly domain: Dims
  readonly inner: Dims
  readonly anchors: readonly Anchor[]
  readonly stores: readonly Store[]
}

export interface LoweredStore {
  readonly target: Node
  readonly at: Affine
  readonly value: Expr
}

/** A group in expressions, with what it reads. */
export interface Lowered {
  readonly group: Group
  readonly accumulators: readonly Accumulator[]
  /** Operands of a matmul. */
  readonly matrices: readonly MatrixOperand[]
  readonly stores: readonly LoweredStore[]
  /** Reads of map and epilogue expressions, over the domain. */
  readonly reads: readonly Read[]
  /** Reads of accumulators, over domain + inner. */
  readonly sources: readonly Read[]
  /** Values read whole: operands of routines. */
  readonly operands: readonly Node[]
  readonly events: readonly Node[]
  /** Number of expressions. */
  readonly size: number
}

const plain = (node: Node, flat: Affine): Store => ({ value: node, target: node, flat, region: undefined })
const nowhere: Affine = { offset: 0, strides: [] }

function mapGroup(value: Node, target: Node, region: View | undefined): Group {
  const { domain, flat } = lineOf(value)
  return { kind: 'map', domain, inner: [], anchors: [], stores: [{ value, target, flat, region }] }
}

/** Sizes of runs of dimensions that are kept or reduced together, and the position in the whole they add up to. */
function reduceGroup(node: ReduceNode): Group {
  const x = node.src[0]
  const axes = node.op === 'reduce' ? node.attrs.axes : [node.attrs.axis]
  const steps = stridesOf(x.shape)
  const runs: { size: number; step: number; reduced: boolean }[] = []
  for (const [d, size] of x.shape.entries()) {
    const reduced = axes.includes(d)
    if (size === 1) continue
    const last = runs[runs.length - 1]
    if (last?.reduced === reduced) runs[runs.length - 1] = { size: last.size * size, step: steps[d] as number, reduced }
    else runs.push({ size, step: steps[d] as number, reduced })
  }
  const kept = runs.filter((run) => !run.reduced)
  const inner = runs.filter((run) => run.reduced)
  const domain = kept.map((run) => run.size)
  const flat = rowMajor(domain)
  const source = { offset: 0, strides: [...kept, ...inner].map((run) => run.step) }
  return {
    kind: 'reduce',
    domain,
    inner: inner.map((run) => run.size),
    anchors: [{ node, flat, source }],
    stores: [plain(node, flat)],
  }
}

/** The groups that compute a stored value, in the order in which they must run. */
export function groupsOf(node: Node, fill: (node: Node) => Node): Group[] {
  if (sizeOf(node.shape) === 0 || node.op === 'parameter') return []
  if (isReduce(node)) return [reduceGroup(node)]
  if (isRoutine(node)) {
    const flat = rowMajor(node.shape)
    return [
      {
        kind: 'routine',
        domain: node.shape,
        inner: [],
        anchors: [{ node, flat, source: nowhere }],
        stores: [plain(node, flat)],
      },
    ]
  }
  if (isWhole(node))
    return [{ kind: 'whole', domain: [], inner: [], anchors: [{ node, flat: nowhere, source: nowhere }], stores: [] }]
  if (!isRegion(node)) return [mapGroup(node, node, undefined)]
  const zeros = node.shape.map(() => 0)
  if (node.op === 'pad') {
    const { lo, interior } = node.attrs
    const part = node.src[0]
    return [mapGroup(fill(node), node, undefined), mapGroup(part, node, regionOf(part.shape, node.shape, lo, interior))]
  }
  let at = 0
  return node.src.map((part) => {
    const lo = zeros.with(node.attrs.axis, at)
    at += part.shape[node.attrs.axis] as number
    return mapGroup(part, node, regionOf(part.shape, node.shape, lo, zeros))
  })
}

/** The stored values that a group makes or helps to make. */
export function productsOf(group: Group): Node[] {
  const nodes = new Set<Node>()
  for (const anchor of group.anchors) nodes.add(anchor.node)
  for (const store of group.stores) nodes.add(store.target)
  return [...nodes]
}

export function splitGroup(group: Group, split: Split): Group {
  const outer = split.dim < group.domain.length
  const cut = (a: Affine) => (outer ? splitAffine(a, split) : a)
  return {
    ...group,
    domain: outer ? splitDims(group.domain, split) : group.domain,
    inner: outer ? group.inner : splitDims(group.inner, { dim: split.dim - group.domain.length, inner: split.inner }),
    anchors: group.anchors.map((a) => ({ node: a.node, flat: cut(a.flat), source: splitAffine(a.source, split) })),
    stores: group.stores.map((s) => ({ ...s, flat: cut(s.flat) })),
  }
}

function matrixOf(lowering: Lowering, scope: Scope, operand: Node): { node: Node; matrix: MatrixOperand } | undefined {
  const found = lowering.resolve(operand, rowMajor(operand.shape), operand.shape, 0)
  if (found === undefined) return undefined
  const { strides, offset } = found.at
  const rank = strides.length
  if (strides.some((s) => s < 0)) {
    lowering.conflict ??= { store: operand }
    return undefined
  }
  const matrix: MatrixOperand = {
    buffer: scope.bufferOf(found.node),
    offset,
    batchStrides: strides.slice(0, -2),
    rowStride: strides[rank - 2] as number,
    colStride: strides[rank - 1] as number,
  }
  return { node: found.node, matrix }
}

/** Operands that routines read whole: the values that hold them. */
function wholeOperands(lowering: Lowering, node: RoutineNode | WholeNode): Node[] {
  return node.src.map((operand) => {
    for (let x: Node = operand; keepsOrder(x); x = x.src[0] as Node) if (x.op === 'after') lowering.events.add(x.src[1])
    return baseOf(operand)
  })
}

/** The group's expressions, or why there are none. */
export function lowerGroup(group: Group, scope: Scope): Lowered | Conflict {
  const hidden = new Map<Node, Local>()
  for (const node of productsOf(group)) hidden.set(node, { flat: undefined })
  const space = [...group.domain, ...group.inner]
  const prologue = new Lowering(scope, group.kind === 'reduce' ? space : group.domain, hidden)
  const accumulators: Accumulator[] = []
  const matrices: MatrixOperand[] = []
  const operands: Node[] = []
  const locals = new Map(hidden)
  for (const [index, anchor] of group.anchors.entries()) {
    const { node, flat, source } = anchor
    locals.set(node, { flat, result: { kind: 'result', dtype: node.dtype, index } })
    if (isReduce(node)) {
      const fn = node.op === 'reduce' ? node.attrs.fn : (`arg${node.attrs.fn}` as const)
      accumulators.push({ fn, value: prologue.value(node.src[0], source) })
    } else if (node.op === 'matmul') {
      for (const operand of node.src) {
        const found = matrixOf(prologue, scope, operand)
        if (found === undefined) return prologue.conflict ?? 'illegal'
        matrices.push(found.matrix)
        operands.push(found.node)
      }
    } else if (isRoutine(node) || isWhole(node)) operands.push(...wholeOperands(prologue, node))
    else throw internalError(`a ${node.op} anchors a kernel`)
  }
  if (prologue.conflict) return prologue.conflict

  for (const s of group.stores)
    if (s.target === s.value && !locals.get(s.value)?.result) locals.set(s.value, { flat: s.flat })
  const epilogue = new Lowering(scope, group.domain, locals)
  const stores: LoweredStore[] = []
  for (const s of group.stores) {
    const at = s.region ? through(s.region, s.flat, group.domain) : s.flat
    if (at === undefined) return 'illegal'
    if (isSplit(at)) return { split: at }
    stores.push({ target: s.target, at, value: epilogue.value(s.value, s.flat) })
  }
  if (epilogue.conflict) return epilogue.conflict
  return {
    group,
    accumulators,
    matrices,
    stores,
    reads: epilogue.reads,
    sources: prologue.reads,
    operands,
    events: [...new Set([...prologue.events, ...epilogue.events])],
    size: prologue.size + epilogue.size,
  }
}

/** Lowers a group, cutting its dimensions where addresses ask for it; routines keep theirs. */
export function settleGroup(group: Group, scope: Scope): Lowered | { readonly store: Node } | 'illegal' {
  let current = group
  for (;;) {
    const out = lowerGroup(current, scope)
    if (out === 'illegal' || 'group' in out || 'store' in out) return out
    if (group.kind === 'routine') return 'illegal'
    current = splitGroup(current, out.split)
  }
}
