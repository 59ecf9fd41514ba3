import { byteWidth, internalError, type Node, sizeOf } from '@tessella/ir'
import type { Grouping, Item } from './grouping.ts'

const bytesOf = (node: Node): number => sizeOf(node.shape) * byteWidth(node.dtype)

/**
 * Kernels in an order that respects their dependencies and keeps memory low: among those that are ready, one that
 * frees as much as it takes goes first; otherwise the user's order holds.
 */
export function schedule(grouping: Grouping): Item[] {
  const waiting = new Map<Item, number>()
  const users = new Map<Item, Item[]>()
  const ready: Item[] = []
  for (const item of grouping.items) {
    const before = grouping.before(item)
    waiting.set(item, before.size)
    if (before.size === 0) ready.push(item)
    for (const b of before) {
      const list = users.get(b)
      if (list) list.push(item)
      else users.set(b, [item])
    }
  }
  const isTemporary = (node: Node) => node.op !== 'parameter' && !grouping.outputs.has(node)
  const readersLeft = new Map<Node, number>()
  for (const item of grouping.items)
    for (const node of item.reads) readersLeft.set(node, (readersLeft.get(node) ?? 0) + 1)
  const allocated = new Set<Node>()
  const targets = (item: Item) => item.lowered.group.stores.map((s) => s.target)
  const growth = (item: Item): number => {
    let bytes = 0
    for (const node of new Set(item.lowered.group.kind === 'whole' ? item.products : targets(item)))
      if (isTemporary(node) && !allocated.has(node)) bytes += bytesOf(node)
    for (const node of item.reads) if (isTemporary(node) && readersLeft.get(node) === 1) bytes -= bytesOf(node)
    return bytes
  }

  const order: Item[] = []
  while (ready.length > 0) {
    let best = 0
    let least = Number.POSITIVE_INFINITY
    for (const [i, item] of ready.entries()) {
      const bytes = Math.min(growth(item), 1)
      const chosen = ready[best] as Item
      if (bytes < least || (bytes === least && item.order < chosen.order)) {
        best = i
        least = bytes
      }
    }
    const [item] = ready.splice(best, 1) as [Item]
    order.push(item)
    for (const node of item.products) allocated.add(node)
    for (const node of item.reads) readersLeft.set(node, (readersLeft.get(node) as number) - 1)
    for (const user of users.get(item) ?? []) {
      const left = (waiting.get(user) as number) - 1
      waiting.set(user, left)
      if (left === 0) ready.push(user)
    }
  }
  if (order.length !== grouping.items.size) throw internalError('kernels wait for each other')
  return order
}
