import { type Dims, type Node, sizeOf } from '@tessella/ir'
import { combine, digits, isInjective, splitAffine } from './affine.ts'
import { type Group, type Store, splitGroup } from './group.ts'
import type { Grouping, Item } from './grouping.ts'
import { settleGroup } from './lowerGroup.ts'
import type { Affine, Target } from './program.ts'

/** Most stores and expressions of one kernel. */
const mostStores = 16
const mostExpressions = 400

export const groupOf = (item: Item): Group => item.lowered.group
export const points = (group: Group): number => sizeOf(group.domain)
export const sameDims = (a: Dims, b: Dims): boolean => a.length === b.length && a.every((n, d) => n === b[d])

/**
 * The stores of a map `b` over the points of `host` (its domain, or domain + inner): the same element is at `at` in the
 * host and at `bt` in b. The host is cut where that is needed.
 */
export function rebase(
  host: Group,
  over: 'domain' | 'elements',
  at: Affine,
  b: Group,
  bt: Affine,
): { host: Group; stores: Store[] } | undefined {
  const spaceOf = (g: Group): Dims => (over === 'domain' ? g.domain : [...g.domain, ...g.inner])
  if (sizeOf(spaceOf(host)) !== points(b) || !isInjective(at, spaceOf(host))) return undefined
  let group = host
  let target: Affine = { offset: at.offset - bt.offset, strides: at.strides }
  const places = b.domain.map((extent, d) => ({ coefficient: bt.strides[d] as number, extent }))
  for (;;) {
    const space = spaceOf(group)
    const found = b.domain.length === 0 ? [] : digits(target, space, places)
    if (found === undefined) return undefined
    if (Array.isArray(found)) {
      const move = (flat: Affine) => combine(flat.offset, flat.strides, found, space.length)
      return { host: group, stores: b.stores.map((s) => ({ ...s, flat: move(s.flat) })) }
    }
    if (group.kind === 'routine') return undefined
    group = splitGroup(group, found)
    target = splitAffine(target, found)
  }
}

/** Puts one kernel in the place of two, within the limits of the target. */
export class Merger {
  readonly grouping: Grouping
  readonly target: Target
  readonly #refused = new Map<Item, Set<Item>>()

  constructor(grouping: Grouping, target: Target) {
    this.grouping = grouping
    this.target = target
  }

  /** True while one kernel for both stays small enough to be one expression. */
  fits(a: Item, b: Item): boolean {
    return a.lowered.size + b.lowered.size <= mostExpressions
  }

  /** Replaces both by `group` if that can be lowered within the limits. */
  accept(a: Item, b: Item, group: Group): Item | undefined {
    if (group.stores.length > mostStores || !this.fits(a, b)) return undefined
    const lowered = settleGroup(group, this.grouping)
    if (lowered === 'illegal' || 'store' in lowered) return undefined
    const buffers = new Set<Node>(lowered.operands)
    for (const read of [...lowered.reads, ...lowered.sources]) buffers.add(read.node)
    const others = (node: Node) => [...this.grouping.readers(node)].some((r) => r !== a && r !== b)
    for (const s of group.stores)
      if (s.target !== s.value || this.grouping.outputs.has(s.target) || others(s.target)) buffers.add(s.target)
    return buffers.size > this.target.maxBuffers ? undefined : this.grouping.replace([a, b], lowered)
  }

  /** Tries each pair once; an item is new after every merge. */
  once(a: Item, b: Item, attempt: () => Item | undefined): Item | undefined {
    let seen = this.#refused.get(a)
    if (seen?.has(b) || !this.grouping.items.has(a) || !this.grouping.items.has(b) || a === b) return undefined
    const merged = this.grouping.wouldLoop(a, b) ? undefined : attempt()
    if (merged) return merged
    if (seen === undefined) {
      seen = new Set()
      this.#refused.set(a, seen)
    }
    seen.add(b)
    return undefined
  }
}
