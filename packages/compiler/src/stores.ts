import { type BinaryFn, type Node, sizeOf, topological, type UnaryFn } from '@tessella/ir'
import { constantOf } from './constants.ts'
import type { Target } from './program.ts'
import { roleOf } from './roles.ts'
import { baseOf, isView } from './view.ts'

/** Rough cost of one element, in additions; functions not named cost 16. */
const costs: { readonly [F in UnaryFn | BinaryFn]?: number } = {
  neg: 1,
  abs: 1,
  sign: 1,
  floor: 1,
  ceil: 1,
  round: 1,
  trunc: 1,
  not: 1,
  isNan: 1,
  isInf: 1,
  isFinite: 1,
  sqrt: 4,
  reciprocal: 4,
  rsqrt: 6,
  div: 4,
  rem: 6,
  add: 1,
  sub: 1,
  mul: 1,
  max: 1,
  min: 1,
  eq: 1,
  ne: 1,
  lt: 1,
  le: 1,
  gt: 1,
  ge: 1,
  and: 1,
  or: 1,
  xor: 1,
  shl: 1,
  shr: 1,
}

function ownCost(node: Node): number {
  if (node.op === 'unary' || node.op === 'binary') return costs[node.attrs.fn] ?? 16
  if (node.op === 'randomBits') return 40
  if (node.op === 'gather') return 2
  return node.op === 'select' || node.op === 'cast' ? 1 : 0
}

/** Recomputing up to this much work in all costs less than a kernel of its own. */
const smallWork = 16384
/** Recomputing this much per element costs less than the memory traffic of keeping it. */
const cheapElement = 6
/** Work per element, and in all, that is worth storing a value which spreads over a larger one. */
const cheapSpread = 4
const smallSpread = 2048
/** Most operations in a row inside one expression; also bounds the recursion of `Lowering`. */
const longest = 100

/** What computing a value inside a consumer's expression would take. */
interface Inline {
  readonly cost: number
  readonly depth: number
  /** Stored values it reads; where there are more than asked for, at least so many. */
  readonly leaves: ReadonlySet<Node>
}

const underViews = (node: Node): Node => {
  let x = node
  while (isView(x)) x = x.src[0]
  return x
}

const noLeaves: ReadonlySet<Node> = new Set()

/** Leaves that tell whether a value is worth storing; whole sets would take quadratic memory on long sums. */
const tellingLeaves = 256

function union(sets: readonly ReadonlySet<Node>[], enough: number): ReadonlySet<Node> {
  const all = new Set<Node>()
  for (const leaves of sets) {
    if (leaves.size >= enough) return leaves
    for (const leaf of leaves) all.add(leaf)
  }
  return all
}

function inlineOf(node: Node, infos: ReadonlyMap<Node, Inline>, stored: ReadonlySet<Node>, enough: number): Inline {
  if (stored.has(node)) return { cost: 0, depth: 1, leaves: new Set([node]) }
  const src = node.op === 'after' ? node.src.slice(0, 1) : node.src
  let cost = ownCost(node)
  let depth = 0
  for (const s of src) {
    const info = infos.get(s) as Inline
    cost += info.cost
    depth = Math.max(depth, info.depth)
  }
  const only = src.length === 1 ? infos.get(src[0] as Node)?.leaves : undefined
  const leaves =
    only ??
    (src.length === 0
      ? noLeaves
      : union(
          src.map((s) => (infos.get(s) as Inline).leaves),
          enough,
        ))
  return { cost: Math.min(cost, 1e9), depth: depth + 1, leaves }
}

/** Decides which values get memory; everything else is computed inside the kernels that use it. */
class Stores {
  readonly stored = new Set<Node>()
  readonly #order: readonly Node[]
  readonly #users = new Map<Node, Node[]>()
  readonly #limit: number

  constructor(outputs: readonly Node[], target: Target) {
    this.#order = topological(outputs)
    this.#limit = target.maxBuffers - 1
    for (const node of this.#order) {
      this.#users.set(node, [])
      for (const s of node.src) this.#users.get(s)?.push(node)
    }
    for (const node of this.#order) this.#force(node)
    for (const output of outputs) this.stored.add(baseOf(output))
    this.#shareResults()
    this.#keepWithinLimits()
  }

  /** Values that are memory by their nature, and operands that are read from memory. */
  #force(node: Node): void {
    const role = roleOf(node)
    if (role !== 'pointwise' && role !== 'view') this.stored.add(node)
    if (node.op === 'matmul') for (const s of node.src) this.stored.add(underViews(s))
    else if (role === 'routine' || role === 'whole') for (const s of node.src) this.stored.add(baseOf(s))
    else if (node.op === 'gather' || node.op === 'randomBits') this.stored.add(underViews(node.src[0]))
    else if (node.op === 'after' && constantOf(node.src[0]) === undefined) this.stored.add(underViews(node.src[0]))
  }

  #infos(): Map<Node, Inline> {
    const infos = new Map<Node, Inline>()
    for (const node of this.#order) infos.set(node, inlineOf(node, infos, this.stored, tellingLeaves))
    return infos
  }

  /** Users before sources: a value that several kernels would compute is stored unless that costs more. */
  #shareResults(): void {
    const infos = this.#infos()
    const roots = new Map<Node, Set<object>>()
    const reach = (s: Node, from: Iterable<object>) => {
      let set = roots.get(s)
      if (set === undefined) {
        set = new Set()
        roots.set(s, set)
      }
      for (const root of from) set.add(root)
    }
    for (let i = this.#order.length - 1; i >= 0; i--) {
      const node = this.#order[i] as Node
      const kernels = roots.get(node) ?? new Set()
      if (roleOf(node) === 'pointwise' && !this.stored.has(node) && kernels.size > 1)
        if (this.#isWorthStoring(node, infos.get(node) as Inline, kernels.size)) this.stored.add(node)
      const inlined = !this.stored.has(node)
      // Each part of a region has a kernel of its own.
      for (const s of node.op === 'after' ? [node.src[0]] : node.src)
        reach(s, inlined ? kernels : roleOf(node) === 'region' ? [{}] : [node])
    }
  }

  #isWorthStoring(node: Node, { cost, leaves }: Inline, kernels: number): boolean {
    const size = sizeOf(node.shape)
    if (leaves.size === 0 && cost <= cheapElement) return false
    if (this.#onlyUserOfAnchor(node, size)) return true
    if (size * cost * (kernels - 1) <= smallWork) return false
    let big = 0
    for (const leaf of leaves) if (sizeOf(leaf.shape) * 2 >= size) big++
    return !(cost <= cheapElement && (big <= 1 || (big === 2 && kernels === 2)))
  }

  /** True when storing the value saves storing the result of a reduction or routine: nobody else needs that. */
  #onlyUserOfAnchor(node: Node, size: number): boolean {
    const only = (s: Node) => this.#users.get(s)?.length === 1 && sizeOf(s.shape) === size
    const stack = node.src.filter(only)
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      const role = roleOf(at)
      if (role === 'reduce' || role === 'routine') return true
      if (!this.stored.has(at)) stack.push(...at.src.filter(only))
    }
    return false
  }

  /** Sources before users: growth of costly values, too many buffers, too long expressions. */
  #keepWithinLimits(): void {
    const infos = new Map<Node, Inline>()
    const enough = this.#limit + 1
    for (const node of this.#order) {
      if (node.op === 'expand') this.#storeBeforeGrowth(node, infos)
      let info = inlineOf(node, infos, noLeaves, enough)
      while (this.#isPoint(node) && (info.leaves.size > this.#limit || info.depth > longest)) {
        const source = this.#heaviest(node, infos)
        if (source === undefined) {
          if (isView(node)) this.stored.add(node)
          break
        }
        this.stored.add(source)
        this.#refresh(node, infos)
        info = inlineOf(node, infos, noLeaves, enough)
      }
      infos.set(node, this.stored.has(node) ? inlineOf(node, infos, this.stored, enough) : info)
    }
  }

  /** Values whose sources are computed inside one expression. */
  #isPoint(node: Node): boolean {
    const role = roleOf(node)
    return role === 'pointwise' || role === 'view' || role === 'reduce'
  }

  #storeBeforeGrowth(node: Node, infos: Map<Node, Inline>): void {
    const from = underViews(node)
    const { cost } = infos.get(from) as Inline
    if (this.stored.has(from) || cost <= cheapSpread || sizeOf(node.shape) * cost <= smallSpread) return
    if (sizeOf(from.shape) >= sizeOf(node.shape)) return
    this.stored.add(from)
    this.#refresh(node, infos)
  }

  /** The computed source that reads the most. */
  #heaviest(node: Node, infos: ReadonlyMap<Node, Inline>): Node | undefined {
    let best: Node | undefined
    let most = -1
    for (const s of node.src) {
      const x = underViews(s)
      const info = infos.get(s) as Inline
      const weight = info.leaves.size * longest + info.depth
      if (this.stored.has(x) || constantOf(x) !== undefined || weight <= most) continue
      most = weight
      best = x
    }
    return best
  }

  /** Recounts the sources of `node` through their views. */
  #refresh(node: Node, infos: Map<Node, Inline>): void {
    for (const s of node.src) {
      const chain: Node[] = []
      for (let x: Node | undefined = s; x !== undefined; x = isView(x) ? x.src[0] : undefined) chain.push(x)
      for (const x of chain.reverse()) infos.set(x, inlineOf(x, infos, this.stored, this.#limit + 1))
    }
  }
}

/**
 * The values that get memory: parameters, outputs, results of reductions and routines and what those read whole, and
 * elementwise values that several kernels use and that are dearer to compute twice than to keep.
 */
export function chooseStores(outputs: readonly Node[], target: Target): Set<Node> {
  return new Stores(outputs, target).stored
}
