import { type Dims, type Node, sizeOf } from '@tessella/ir'
import { combine, digits, sameAffine, splitAffine } from './affine.ts'
import { type Group, lowerGroup, settleGroup, splitGroup } from './group.ts'
import type { Grouping, Item } from './grouping.ts'
import type { Affine, Target } from './program.ts'

/** Map kernels of up to this many elements become one even when they share nothing: the launch costs more. */
const smallMap = 4096
/** Most stores and expressions of one kernel. */
const mostStores = 16
const mostExpressions = 400
/** A value with more readers than this is a common scalar, no reason to join its readers. */
const mostReaders = 64
/** How many others of its size a small map is tried with. */
const mostTries = 16

const groupOf = (item: Item): Group => item.lowered.group
const points = (group: Group): number => sizeOf(group.domain)

/**
 * `b` over the domain of `a`, where the same element is at `at` in a and at `bt` in b; answers both, `a` cut where
 * that was needed.
 */
function rebase(a: Group, at: Affine, b: Group, bt: Affine): { a: Group; b: Group } | undefined {
  if (points(a) !== points(b)) return undefined
  let host = a
  let target: Affine = { offset: at.offset - bt.offset, strides: at.strides }
  const places = b.domain.map((extent, d) => ({ coefficient: bt.strides[d] as number, extent }))
  for (;;) {
    const found = b.domain.length === 0 ? [] : digits(target, host.domain, places)
    if (found === undefined) return undefined
    if (Array.isArray(found)) {
      const rank = host.domain.length
      const move = (flat: Affine) => combine(flat.offset, flat.strides, found, rank)
      return { a: host, b: { ...b, domain: host.domain, stores: b.stores.map((s) => ({ ...s, flat: move(s.flat) })) } }
    }
    if (host.kind === 'routine') return undefined
    host = splitGroup(host, found)
    target = splitAffine(target, found)
  }
}

class Fusion {
  readonly #grouping: Grouping
  readonly #target: Target
  readonly #refused = new Map<Item, Set<Item>>()

  constructor(grouping: Grouping, target: Target) {
    this.#grouping = grouping
    this.#target = target
  }

  /** Replaces both by `group` if that can be lowered within the limits. */
  #accept(a: Item, b: Item, group: Group): Item | undefined {
    if (group.stores.length > mostStores || a.lowered.size + b.lowered.size > mostExpressions) return undefined
    const lowered = settleGroup(group, this.#grouping)
    if (lowered === 'illegal' || 'store' in lowered) return undefined
    const buffers = new Set<Node>(lowered.operands)
    for (const read of [...lowered.reads, ...lowered.sources]) buffers.add(read.node)
    const others = (node: Node) => [...this.#grouping.readers(node)].some((r) => r !== a && r !== b)
    for (const s of lowered.stores) if (this.#grouping.outputs.has(s.target) || others(s.target)) buffers.add(s.target)
    return buffers.size > this.#target.maxBuffers ? undefined : this.#grouping.replace([a, b], lowered)
  }

  /** Tries each pair once; an item is new after every merge. */
  #once(a: Item, b: Item, attempt: () => Item | undefined): Item | undefined {
    let seen = this.#refused.get(a)
    if (seen?.has(b) || !this.#grouping.items.has(a) || !this.#grouping.items.has(b) || a === b) return undefined
    const merged = this.#grouping.wouldLoop(a, b) ? undefined : attempt()
    if (merged) return merged
    if (seen === undefined) {
      seen = new Set()
      this.#refused.set(a, seen)
    }
    seen.add(b)
    return undefined
  }

  /** Merges `b` into `a` through an element that both know. */
  #merge(a: Item, at: Affine, b: Item, bt: Affine): Item | undefined {
    const moved = rebase(groupOf(a), at, groupOf(b), bt)
    if (moved === undefined) return undefined
    return this.#accept(a, b, { ...moved.a, stores: [...moved.a.stores, ...moved.b.stores] })
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
        const merged = this.#once(item, reader, () => {
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
        const merged = this.#once(item, other, () =>
          this.#accept(item, other, {
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
        const merged = this.#once(item, other, () => {
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
      const merged = this.#once(other, item, () =>
        this.#accept(other, item, { ...a, stores: [...a.stores, ...b.stores] }),
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
    if (item.lowered.size + reader.lowered.size > mostExpressions) return undefined
    const uses = [...reader.lowered.reads, ...reader.lowered.sources].filter((read) => read.node === node)
    const first = uses[0]?.at
    const pointwise =
      first !== undefined &&
      uses.every((read) => read.at && sameAffine(read.at, first)) &&
      !reader.lowered.operands.includes(node)
    const space = sizeOf([...group.domain, ...group.inner])
    if (!pointwise || group.kind === 'routine' || group.kind === 'whole' || space > sizeOf(node.shape)) return undefined
    const without = new Set(this.#grouping.stored)
    without.delete(node)
    const lowered = lowerGroup(group, { stored: without, bufferOf: (n) => this.#grouping.bufferOf(n) })
    if (lowered === 'illegal' || !('group' in lowered)) return undefined
    const buffers = new Set<Node>([...lowered.reads, ...lowered.sources].map((read) => read.node))
    for (const s of lowered.stores) buffers.add(s.target)
    if (buffers.size > this.#target.maxBuffers) return undefined
    this.#grouping.stored.delete(node)
    return this.#grouping.replace([reader, item], lowered)
  }
}

const sameDims = (a: Dims, b: Dims): boolean => a.length === b.length && a.every((n, d) => n === b[d])

/** Joins kernels while that saves memory traffic or launches. */
export function fuse(grouping: Grouping, target: Target): void {
  const fusion = new Fusion(grouping, target)
  fusion.reductions()
  fusion.inline()
  const inOrder = () => [...grouping.items].sort((a, b) => a.order - b.order)
  for (const item of inOrder())
    if (item.lowered.group.kind === 'reduce' || item.lowered.group.kind === 'routine')
      if (grouping.items.has(item)) fusion.consumers(item)
  for (const item of inOrder())
    if (item.lowered.group.kind === 'map' && grouping.items.has(item)) fusion.consumers(item)
  fusion.maps()
  fusion.inline()
}
