import { type Dims, type Node, sizeOf, stridesOf } from '@tessella/ir'
import { rowMajor, type Split, splitAffine, splitDims } from './affine.ts'
import { lineOf } from './lower.ts'
import type { Affine } from './program.ts'
import { isReduce, isRegion, isRoutine, isWhole, type ReduceNode } from './roles.ts'
import { regionOf, type View } from './view.ts'

/** One store of a group: `value` at position `flat` goes to `target`, which is the value itself or has it in a region. */
export interface Store {
  readonly value: Node
  readonly target: Node
  readonly flat: Affine
  readonly region: View | undefined
  /** In `rows` groups: the pass that stores each element (flat is over domain + inner); undefined stores once per row. */
  readonly pass: number | undefined
}

/** A reduction or routine of a group: its result at each point of the domain, and where a reduction reads. */
export interface Anchor {
  readonly node: Node
  readonly flat: Affine
  /** Position in the reduced value over domain + inner. */
  readonly source: Affine
  /** In `rows` groups, the pass that computes it; 0 elsewhere. */
  readonly pass: number
}

/** What becomes one kernel. */
export interface Group {
  readonly kind: 'map' | 'reduce' | 'rows' | 'routine' | 'whole'
  readonly domain: Dims
  readonly inner: Dims
  readonly anchors: readonly Anchor[]
  readonly stores: readonly Store[]
}

const plain = (node: Node, flat: Affine): Store => ({
  value: node,
  target: node,
  flat,
  region: undefined,
  pass: undefined,
})
const nowhere: Affine = { offset: 0, strides: [] }

function mapGroup(value: Node, target: Node, region: View | undefined): Group {
  const { domain, flat } = lineOf(value)
  return { kind: 'map', domain, inner: [], anchors: [], stores: [{ value, target, flat, region, pass: undefined }] }
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
    anchors: [{ node, flat, source, pass: 0 }],
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
        anchors: [{ node, flat, source: nowhere, pass: 0 }],
        stores: [plain(node, flat)],
      },
    ]
  }
  if (isWhole(node))
    return [
      {
        kind: 'whole',
        domain: [],
        inner: [],
        anchors: [{ node, flat: nowhere, source: nowhere, pass: 0 }],
        stores: [],
      },
    ]
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
    anchors: group.anchors.map((a) => ({ ...a, flat: cut(a.flat), source: splitAffine(a.source, split) })),
    stores: group.stores.map((s) => ({ ...s, flat: s.pass === undefined ? cut(s.flat) : splitAffine(s.flat, split) })),
  }
}
