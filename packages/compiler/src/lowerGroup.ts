import { internalError, type Node } from '@tessella/ir'
import { rowMajor, sameAffine } from './affine.ts'
import { type Anchor, type Group, productsOf, type Store, splitGroup } from './group.ts'
import { type Conflict, type Local, Lowering, type Read, type Scope } from './lower.ts'
import type { Accumulator, Affine, Expr, MatrixOperand } from './program.ts'
import { isReduce, isRoutine, isWhole, type RoutineNode, type WholeNode } from './roles.ts'
import { baseOf, isSplit, keepsOrder, through } from './view.ts'

export interface LoweredStore {
  readonly target: Node
  readonly at: Affine
  readonly value: Expr
  readonly pass: number | undefined
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
  /** Reads of accumulators and of element stores, over domain + inner. */
  readonly sources: readonly Read[]
  /** Values read whole: operands of routines. */
  readonly operands: readonly Node[]
  readonly events: readonly Node[]
  /** Number of expressions. */
  readonly size: number
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

const resultOf = (group: Group, anchor: Anchor): Expr => ({
  kind: 'result',
  dtype: anchor.node.dtype,
  index: group.anchors.indexOf(anchor),
})

/** What the group makes and nobody in it may see, unless said otherwise. */
function hiddenProducts(group: Group): Map<Node, Local> {
  return new Map(productsOf(group).map((node) => [node, { flat: undefined }]))
}

const isOwn = (s: Store): boolean => s.target === s.value

/** The stores' addresses and values, or undefined with the conflict in the lowering. */
function lowerStores(lowering: Lowering, stores: readonly Store[], domain: readonly number[]): LoweredStore[] {
  return stores.flatMap((s) => {
    const at = s.region ? through(s.region, s.flat, domain) : s.flat
    if (at === undefined) lowering.conflict ??= 'illegal'
    else if (isSplit(at)) lowering.conflict ??= { split: at }
    else return [{ target: s.target, at, value: lowering.value(s.value, s.flat), pass: s.pass }]
    return []
  })
}

interface Prologue {
  readonly accumulators: Accumulator[]
  readonly matrices: MatrixOperand[]
  readonly operands: Node[]
  /** In the order of the group's stores; holes where a store belongs to the epilogue. */
  readonly elements: Map<Store, LoweredStore>
  readonly lowerings: Lowering[]
}

function lowerAnchor(lowering: Lowering, anchor: Anchor, scope: Scope, out: Prologue): void {
  const { node, source } = anchor
  if (isReduce(node)) {
    const fn = node.op === 'reduce' ? node.attrs.fn : (`arg${node.attrs.fn}` as const)
    out.accumulators.push({ fn, value: lowering.value(node.src[0], source) })
  } else if (node.op === 'matmul') {
    for (const operand of node.src) {
      const found = matrixOf(lowering, scope, operand)
      if (found === undefined) return
      out.matrices.push(found.matrix)
      out.operands.push(found.node)
    }
  } else if (isRoutine(node) || isWhole(node)) out.operands.push(...wholeOperands(lowering, node))
  else throw internalError(`a ${node.op} anchors a kernel`)
}

/** Reductions, routines and, in `rows` groups, the stores of elements, pass by pass. */
function lowerPasses(group: Group, scope: Scope): Prologue {
  const out: Prologue = { accumulators: [], matrices: [], operands: [], elements: new Map(), lowerings: [] }
  const space = group.kind === 'reduce' || group.kind === 'rows' ? [...group.domain, ...group.inner] : group.domain
  const passes = Math.max(0, ...group.anchors.map((a) => a.pass), ...group.stores.map((s) => s.pass ?? 0)) + 1
  const along = (flat: Affine): Affine => ({
    offset: flat.offset,
    strides: [...flat.strides, ...group.inner.map(() => 0)],
  })
  for (let pass = 0; pass < passes; pass++) {
    const locals = hiddenProducts(group)
    if (group.kind === 'rows') {
      for (const s of group.stores) {
        if (!isOwn(s)) continue
        if (s.pass === undefined) locals.set(s.value, { flat: along(s.flat) })
        else if (s.pass === pass) locals.set(s.value, { flat: s.flat })
        else if (s.pass < pass) locals.delete(s.value)
      }
      for (const a of group.anchors)
        locals.set(a.node, a.pass < pass ? { flat: along(a.flat), result: resultOf(group, a) } : { flat: undefined })
    }
    const lowering = new Lowering(scope, space, locals)
    out.lowerings.push(lowering)
    for (const anchor of group.anchors) if (anchor.pass === pass) lowerAnchor(lowering, anchor, scope, out)
    const stores = group.stores.filter((s) => s.pass === pass)
    const lowered = lowerStores(lowering, stores, space)
    for (const [i, s] of stores.entries()) if (lowered[i]) out.elements.set(s, lowered[i])
    if (lowering.conflict || !readsOwnElements(lowering, group)) {
      lowering.conflict ??= 'illegal'
      break
    }
  }
  return out
}

/** A pass may load what an earlier one stored only at the same element. */
function readsOwnElements(lowering: Lowering, group: Group): boolean {
  return group.stores.every(
    (s) =>
      s.pass === undefined ||
      lowering.reads.every(
        (read) => read.node !== s.target || (read.at !== undefined && isOwn(s) && sameAffine(read.at, s.flat)),
      ),
  )
}

/** The group's expressions, or why there are none. */
export function lowerGroup(group: Group, scope: Scope): Lowered | Conflict {
  const prologue = lowerPasses(group, scope)
  const refused = prologue.lowerings.find((l) => l.conflict)?.conflict
  if (refused) return refused

  const locals = hiddenProducts(group)
  for (const s of group.stores) if (isOwn(s) && s.pass === undefined) locals.set(s.value, { flat: s.flat })
  for (const a of group.anchors) locals.set(a.node, { flat: a.flat, result: resultOf(group, a) })
  const epilogue = new Lowering(scope, group.domain, locals)
  const rowStores = group.stores.filter((s) => s.pass === undefined)
  const lowered = lowerStores(epilogue, rowStores, group.domain)
  if (epilogue.conflict) return epilogue.conflict
  const byStore = new Map([...prologue.elements, ...rowStores.map((s, i) => [s, lowered[i] as LoweredStore] as const)])
  const all = [...prologue.lowerings, epilogue]
  return {
    group,
    accumulators: prologue.accumulators,
    matrices: prologue.matrices,
    stores: group.stores.map((s) => byStore.get(s) as LoweredStore),
    reads: epilogue.reads,
    sources: prologue.lowerings.flatMap((l) => l.reads),
    operands: prologue.operands,
    events: [...new Set(all.flatMap((l) => [...l.events]))],
    size: all.reduce((sum, l) => sum + l.size, 0),
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
