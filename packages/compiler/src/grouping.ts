import { type Graph, internalError, make, type Node } from '@tessella/ir'
import { type Group, groupsOf, productsOf } from './group.ts'
import type { Scope } from './lower.ts'
import { type Lowered, settleGroup } from './lowerGroup.ts'
import { Order } from './order.ts'
import { roleOf } from './roles.ts'
import { baseOf } from './view.ts'

/** One kernel in the making. */
export interface Item {
  readonly lowered: Lowered
  /** Its number in the order of dependencies. */
  readonly cell: number
  /** Position in the user's order. */
  readonly order: number
  /** Stored values it reads in any way. */
  readonly reads: ReadonlySet<Node>
  readonly products: readonly Node[]
}

function itemOf(lowered: Lowered, cell: number, order: number): Item {
  const reads = new Set<Node>(lowered.operands)
  for (const read of lowered.reads) reads.add(read.node)
  for (const read of lowered.sources) reads.add(read.node)
  return { lowered, cell, order, reads, products: productsOf(lowered.group) }
}

const add = (map: Map<Node, Set<Item>>, node: Node, item: Item): void => {
  const set = map.get(node)
  if (set) set.add(item)
  else map.set(node, new Set([item]))
}

const none: ReadonlySet<Item> = new Set()

/** The kernels of a graph with who makes and who reads each stored value; passes replace items. */
export class Grouping implements Scope {
  readonly stored: Set<Node>
  readonly outputs: ReadonlySet<Node>
  readonly items = new Set<Item>()
  /** The input that an output may overwrite: its other readers come first where that is possible. */
  readonly overwrites = new Map<Node, Node>()
  readonly #overwritten = new Set<Node>()
  readonly #makers = new Map<Node, Set<Item>>()
  readonly #readers = new Map<Node, Set<Item>>()
  readonly #slots = new Map<Node, number>()
  readonly #order: Order

  constructor(graph: Graph, outputs: readonly Node[], stored: Set<Node>) {
    this.stored = stored
    this.outputs = new Set(outputs.map(baseOf))
    for (const lowered of this.#lowerAll()) {
      const { anchors, stores } = lowered.group
      this.#insert(itemOf(lowered, this.items.size, anchors[0]?.node.id ?? (stores[0]?.value.id as number)))
    }
    const cells = [...this.items]
    const plain = new Order(cells.map((item) => [...this.before(item)].map((b) => b.cell)))
    for (const { input, output } of graph.updates ?? [])
      this.#allowOverwrite(plain, baseOf(outputs[output] as Node), graph.inputs[input] as Node)
    this.#order = this.overwrites.size > 0 ? new Order(plain.before) : plain
  }

  bufferOf(node: Node): number {
    let slot = this.#slots.get(node)
    if (slot === undefined) {
      slot = this.#slots.size
      this.#slots.set(node, slot)
    }
    return slot
  }

  makers(node: Node): ReadonlySet<Item> {
    return this.#makers.get(node) ?? none
  }

  readers(node: Node): ReadonlySet<Item> {
    return this.#readers.get(node) ?? none
  }

  /** A view that no address form can follow gets memory; then everything is lowered again, so that all know of it. */
  #lowerAll(): Lowered[] {
    const groups = new Map<Node, Group[]>()
    for (;;) {
      const before = this.stored.size
      for (const node of [...this.stored].sort((a, b) => a.id - b.id))
        if (!groups.has(node)) groups.set(node, groupsOf(node, filling))
      const all: Lowered[] = []
      for (const group of [...groups.values()].flat()) {
        const out = settleGroup(group, this)
        if (out === 'illegal') throw internalError('a value cannot be computed')
        if ('store' in out) this.stored.add(out.store)
        else all.push(out)
      }
      if (this.stored.size === before) return all
    }
  }

  #insert(item: Item): void {
    this.items.add(item)
    for (const node of item.products) add(this.#makers, node, item)
    for (const node of item.reads) add(this.#readers, node, item)
  }

  #remove(item: Item): void {
    this.items.delete(item)
    for (const node of item.products) this.#makers.get(node)?.delete(item)
    for (const node of item.reads) this.#readers.get(node)?.delete(item)
  }

  /** Puts `lowered` in the place of `old` and forgets stores that nobody reads any more. */
  replace(old: readonly Item[], lowered: Lowered): Item {
    const { cell } = old[0] as Item
    for (const item of old) {
      this.#remove(item)
      this.#order.merge(cell, item.cell)
    }
    const own = new Set([...lowered.reads, ...lowered.sources].map((read) => read.node))
    const isDead = (target: Node, value: Node) =>
      target === value && !this.outputs.has(target) && this.readers(target).size === 0 && !own.has(target)
    const alive = lowered.group.stores.map((s) => !isDead(s.target, s.value))
    for (const [i, s] of lowered.group.stores.entries()) if (!alive[i]) this.stored.delete(s.target)
    const group = { ...lowered.group, stores: lowered.group.stores.filter((_, i) => alive[i]) }
    const trimmed = { ...lowered, group, stores: lowered.stores.filter((_, i) => alive[i]) }
    const item = itemOf(trimmed, cell, Math.min(...old.map((o) => o.order)))
    this.#insert(item)
    return item
  }

  /** The items that must run before this one. */
  before(item: Item): Set<Item> {
    const out = new Set<Item>()
    const after = (node: Node) => {
      for (const maker of this.makers(node)) out.add(maker)
    }
    for (const node of item.reads) after(node)
    for (const event of item.lowered.events) this.#leaves(event, after)
    for (const store of item.lowered.group.stores) {
      if (store.region && store.target.op === 'pad')
        for (const maker of this.makers(store.target))
          if (maker.lowered.group.stores.some((s) => s.target === store.target && !s.region)) out.add(maker)
    }
    for (const product of item.products) {
      const input = this.overwrites.get(product)
      if (input) for (const reader of this.readers(input)) out.add(reader)
    }
    out.delete(item)
    return out
  }

  /** The stored values that an event's computation starts from. */
  #leaves(event: Node, visit: (node: Node) => void): void {
    const seen = new Set<Node>()
    const stack = [event]
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      if (seen.has(node)) continue
      seen.add(node)
      const role = roleOf(node)
      if (this.stored.has(node) || (role !== 'pointwise' && role !== 'view')) visit(node)
      else stack.push(...node.src)
    }
  }

  /** True when one kernel for both would have to run before itself. */
  wouldLoop(a: Item, b: Item): boolean {
    return this.#order.wouldLoop(a.cell, b.cell)
  }

  /** Lets an output overwrite an input unless a reader of the input needs the output. */
  #allowOverwrite(plain: Order, output: Node, input: Node): void {
    if (this.overwrites.has(output) || this.#overwritten.has(input)) return
    const pairs = [...this.makers(output)].flatMap((maker) =>
      [...this.readers(input)].map((reader) => [maker.cell, reader.cell] as const),
    )
    const others = pairs.filter(([maker, reader]) => maker !== reader)
    if (others.some(([maker, reader]) => plain.needs(reader, maker))) return
    for (const [maker, reader] of others) plain.require(maker, reader)
    this.overwrites.set(output, input)
    this.#overwritten.add(input)
  }
}

/** The value that a padded one starts as. */
function filling(node: Node): Node {
  if (node.op !== 'pad') throw internalError(`${node.op} needs no filling`)
  const value = make('constant', [], { value: node.attrs.value, dtype: node.dtype })
  const flat = make('reshape', [value], { shape: node.shape.map(() => 1) })
  return make('expand', [flat], { shape: node.shape })
}
