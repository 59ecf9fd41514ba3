import { type Node, sizeOf } from '@tessella/ir'
import { sameAffine } from './affine.ts'
import type { Group } from './group.ts'
import type { Grouping, Item } from './grouping.ts'
import { lowerGroup } from './lowerGroup.ts'
import { groupOf, Merger, points, rebase, sameDims } from './merger.ts'
import type { Affine, Target } from './program.ts'
import { growRows } from './rows.ts'

/** Map kernels of up to this many elements become one even when they share nothing: the launch costs more. */
const smallMap = 4096
/** A value with more readers than this is a common scalar, no reason to join its readers. */
const mostReaders = 64
/** How many others of its size a small map is tried with. */
const mostTries = 16

class Fusion {
  readonly #merger: Merger
  readonly #grouping: Grouping

  constructor(merger: Merger) {
    this.#merger = merger
    this.#grouping = merger.grouping
  }

  /** Merges `b` into `a` through an element that both know. */
  #merge(a: Item, at: Affine, b: Item, bt: Affine): Item | undefined {
    const moved = rebase(groupOf(a), 'domain', at, groupOf(b), bt)
    if (moved === undefined) return undefined
    return this.#merger.accept(a, b, { ...moved.host, stores: [...moved.host.stores, ...moved.stores] })
  }

  /** Where each value made by the item is, by point of its domain. */
  #made(item: Item): Map<Node, Affine> {
    const flats = new Map<Node, Affine>()
    for (const anchor of groupOf(item).anchors) flats.set(anchor.node, anchor.flat)
    for (const s of groupOf(item).stores) if (s.target === s.value) flats.set(s.value, s.flat)
    return flats
  }

  /** Elementwise kernels over a kernel's results become its epilogue, or later lines of the same map. */
  consumers(start: Item): Item {
    let item = start
    for (;;) {
      const merged = this.#oneConsumer(item)
      if (merged === undefined) return item
      item = merged
    }
  }

  #oneConsumer(item: Item): Item | undefined {
    for (const [node, flat] of this.#made(item))
      for (const reader of this.#grouping.readers(node)) {
        if (groupOf(reader).kind !== 'map') continue
        const merged = this.#merger.once(item, reader, () => {
          for (const read of reader.lowered.reads) {
            if (read.node !== node || read.at === undefined) continue
            const out = this.#merge(item, flat, reader, read.at)
            if (out) return out
          }
          return undefined
        })
        if (merged) return merged
      }
    return undefined
  }

  /** Reductions over the same points that read a common value share the pass over it. */
  reductions(): void {
    for (const item of [...this.#grouping.items]) {
      if (groupOf(item).kind !== 'reduce') continue
      let current: Item | undefined = item
      while (current) current = this.#oneReduction(current)
    }
  }

  #oneReduction(item: Item): Item | undefined {
    const group = groupOf(item)
    for (const { node, at } of item.lowered.sources)
      for (const other of this.#grouping.readers(node)) {
        const second = groupOf(other)
        if (second.kind !== 'reduce' || !sameDims(group.domain, second.domain) || !sameDims(group.inner, second.inner))
          continue
        if (!at || !other.lowered.sources.some((read) => read.node === node && read.at && sameAffine(read.at, at)))
          continue
        const merged = this.#merger.once(item, other, () =>
          this.#merger.accept(item, other, {
            ...group,
            anchors: [...group.anchors, ...second.anchors],
            stores: [...group.stores, ...second.stores],
          }),
        )
        if (merged) return merged
      }
    return undefined
  }

  /** Maps that read a common value at the same points, and small ones in any case. */
  maps(): void {
    for (const item of [...this.#grouping.items]) {
      let current: Item | undefined = groupOf(item).kind === 'map' ? item : undefined
      while (current && this.#grouping.items.has(current)) current = this.#oneMap(current)
    }
    const bySize = new Map<string, Item[]>()
    for (const item of [...this.#grouping.items]) {
      const group = groupOf(item)
      if (group.kind !== 'map' || points(group) > smallMap) continue
      const key = group.domain.join()
      const open = bySize.get(key) ?? []
      bySize.set(key, open)
      this.#joinSmall(item, open)
    }
  }

  #oneMap(item: Item): Item | undefined {
    const size = points(groupOf(item))
    for (const { node, at } of item.lowered.reads) {
      const readers = this.#grouping.readers(node)
      if (at === undefined || sizeOf(node.shape) < size || readers.size > mostReaders) continue
      for (const other of readers) {
        if (groupOf(other).kind !== 'map') continue
        const merged = this.#merger.once(item, other, () => {
          const same = other.lowered.reads.find((read) => read.node === node && read.at)
          return same?.at && this.#merge(item, at, other, same.at)
        })
        if (merged) return merged
      }
    }
    return undefined
  }

  /** Joins a small map with one of those met lately; `open` are those that may still grow. */
  #joinSmall(item: Item, open: Item[]): void {
    for (const [i, other] of open.entries()) {
      const a = groupOf(other)
      const b = groupOf(item)
      const merged = this.#merger.once(other, item, () =>
        this.#merger.accept(other, item, { ...a, stores: [...a.stores, ...b.stores] }),
      )
      if (merged === undefined) continue
      open[i] = merged
      return
    }
    open.push(item)
    if (open.length > mostTries) open.shift()
  }

  /** A value kept for kernels that have become one is computed there instead. */
  inline(): void {
    const work = [...this.#grouping.items]
    for (let item = work.shift(); item !== undefined; item = work.shift()) {
      const group = groupOf(item)
      const [store, ...more] = group.stores
      if (!this.#grouping.items.has(item) || group.kind !== 'map' || store === undefined || more.length > 0) continue
      const node = store.target
      if (store.value !== node || this.#grouping.outputs.has(node)) continue
      const [reader, ...others] = this.#grouping.readers(node)
      const merged = reader && others.length === 0 ? this.#inlineInto(item, node, reader) : undefined
      if (merged) work.push(merged)
    }
  }

  #inlineInto(item: Item, node: Node, reader: Item): Item | undefined {
    const group = groupOf(reader)
    if (!this.#merger.fits(item, reader)) return undefined
    const uses = [...reader.lowered.reads, ...reader.lowered.sources].filter((read) => read.node === node)
    const first = uses[0]?.at
    const pointwise =
      first !== undefined &&
      uses.every((read) => read.at && sameAffine(read.at, first)) &&
      !reader.lowered.operands.includes(node)
    const space = sizeOf([...group.domain, ...group.inner])
    if (
      !pointwise ||
      group.kind === 'routine' ||
      group.kind === 'whole' ||
      group.kind === 'rows' ||
      space > sizeOf(node.shape)
    )
      return undefined
    const without = new Set(this.#grouping.stored)
    without.delete(node)
    const lowered = lowerGroup(group, { stored: without, bufferOf: (n) => this.#grouping.bufferOf(n) })
    if (lowered === 'illegal' || !('group' in lowered)) return undefined
    const buffers = new Set<Node>([...lowered.reads, ...lowered.sources].map((read) => read.node))
    for (const s of lowered.stores) buffers.add(s.target)
    if (buffers.size > this.#merger.target.maxBuffers) return undefined
    this.#grouping.stored.delete(node)
    return this.#grouping.replace([reader, item], lowered)
  }
}

/** Joins kernels while that saves memory traffic or launches. */
export function fuse(grouping: Grouping, target: Target): void {
  const merger = new Merger(grouping, target)
  const fusion = new Fusion(merger)
  const visit = (kinds: readonly Group['kind'][], action: (item: Item) => void) => {
    for (const item of [...grouping.items].sort((a, b) => a.order - b.order))
      if (kinds.includes(item.lowered.group.kind) && grouping.items.has(item)) action(item)
  }
  fusion.reductions()
  fusion.inline()
  visit(['reduce', 'routine'], (item) => fusion.consumers(item))
  // A merger of its own: what could not share a pass may be the next one.
  const rows = new Merger(grouping, target)
  const { rows: limits } = target
  if (limits) visit(['reduce'], (item) => growRows(rows, item, limits))
  visit(['map'], (item) => fusion.consumers(item))
  fusion.maps()
  fusion.inline()
}
