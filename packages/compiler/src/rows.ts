import { sizeOf } from '@tessella/ir'
import type { Anchor, Group, Store } from './group.ts'
import type { Item } from './grouping.ts'
import { lowerGroup } from './lowerGroup.ts'
import { groupOf, type Merger, points, rebase, sameDims } from './merger.ts'
import type { RowsTarget } from './program.ts'

/** Above this many elements in all, few rows would leave most of the machine idle. */
const sequentialElements = 1 << 16
const fewRows = 8

/**
 * Makes a reduction the first pass of a kernel that walks each row again: later reductions over the same rows and
 * elementwise values that read its results join in, as softmax and normalisation do.
 */
export function growRows(merger: Merger, start: Item, { elements, keep }: RowsTarget): void {
  const { domain, inner } = groupOf(start)
  const length = sizeOf(inner)
  const rows = sizeOf(domain)
  if (length > elements || (rows < fewRows && rows * length > sequentialElements)) return
  let item = start
  for (let next: Item | undefined = start; next; next = joinOne(merger, item)) item = next
  if (!keep) forget(merger, item)
}

/** Computes what later passes of the same kernel load from earlier ones once more instead. */
function forget({ grouping }: Merger, start: Item): void {
  let item = start
  for (const { value, target, pass } of groupOf(start).stores) {
    const readers = grouping.readers(target)
    if (pass === undefined || value !== target || grouping.outputs.has(target)) continue
    if (readers.size !== 1 || !readers.has(item)) continue
    const group = { ...groupOf(item), stores: groupOf(item).stores.filter((s) => s.target !== target) }
    const stored = new Set(grouping.stored)
    stored.delete(target)
    const lowered = lowerGroup(group, { stored, bufferOf: (node) => grouping.bufferOf(node) })
    if (lowered === 'illegal' || !('group' in lowered)) continue
    grouping.stored.delete(target)
    item = grouping.replace([item], lowered)
  }
}

/** One more reader of what the rows make joins them, in the earliest pass that can have it. */
function joinOne(merger: Merger, item: Item): Item | undefined {
  for (const product of item.products)
    for (const reader of merger.grouping.readers(product)) {
      const merged = merger.once(item, reader, () => joinReader(merger, item, reader))
      if (merged) return merged
    }
  return undefined
}

const byPass = (a: Anchor, b: Anchor): number => a.pass - b.pass

function joinReader(merger: Merger, item: Item, reader: Item): Item | undefined {
  const rows = groupOf(item)
  const other = groupOf(reader)
  const passes = Math.max(...rows.anchors.map((a) => a.pass), ...rows.stores.map((s) => s.pass ?? 0)) + 1
  const joined = joining(rows, other)
  if (joined === undefined) return undefined
  for (let pass = 0; pass <= passes; pass++) {
    const anchors = [...joined.host.anchors, ...other.anchors.map((a) => ({ ...a, pass }))].sort(byPass)
    const stores = joined.stores.map((s) => (other.kind === 'map' ? { ...s, pass } : s))
    const group: Group = { ...joined.host, kind: 'rows', anchors, stores: [...joined.host.stores, ...stores] }
    const merged = merger.accept(item, reader, group)
    if (merged) return merged
  }
  return undefined
}

/** The reader's stores over the rows: a reduction of the same points, or a map of their elements. */
function joining(rows: Group, other: Group): { host: Group; stores: readonly Store[] } | undefined {
  if (other.kind === 'reduce')
    return sameDims(rows.domain, other.domain) && sameDims(rows.inner, other.inner)
      ? { host: rows, stores: other.stores }
      : undefined
  const [anchor] = rows.anchors
  const [store] = other.stores
  if (other.kind !== 'map' || anchor === undefined || store === undefined) return undefined
  if (points(other) !== sizeOf(rows.domain) * sizeOf(rows.inner)) return undefined
  // Elements correspond by their position in the reduced value; what the map then reads must agree, or it is refused.
  return rebase(rows, 'elements', anchor.source, other, store.flat)
}
