import {
  type Attrs,
  type Dims,
  type DType,
  internalError,
  make,
  type Node,
  type OpName,
  type Sources,
  sameShape,
  sizeOf,
  topological,
  twin,
} from '@tessella/ir'
import { encode } from './fold.ts'
import type { Target } from './program.ts'
import type { Rules } from './rules.ts'

function attrKey(value: unknown): string {
  if (Object.is(value, -0)) return '-0'
  return String(value)
}

/** Equal exactly for nodes that compute the same. Parameters and copies are only equal to themselves. */
function nodeKey(node: Node): string {
  let key: string = node.op
  for (const [name, value] of Object.entries(node.attrs)) key += ` ${name}=${attrKey(value)}`
  for (const s of node.src) key += ` ${s.id}`
  return key
}

/** Rules that push an operation down a long chain stop here, so that the chain's length is no limit. */
const deepest = 200

/**
 * Builds simplified nodes: a rule answers a simpler value where it knows one, and equal nodes are one node.
 * Sources given to `node` are simplified already, so one bottom-up walk simplifies a graph.
 */
export class Rewriter {
  readonly target: Target
  readonly #rules: Rules
  /** Nodes known to have several users: rules that would compute them twice leave them. */
  readonly shared = new Set<Node>()
  readonly #interned = new Map<string, Node>()
  readonly #images = new Map<Node, Node>()
  #depth = 0

  constructor(target: Target, rules: Rules) {
    this.target = target
    this.#rules = rules
  }

  /** The simplified form of `root`; a graph met before is not walked again. */
  image(root: Node, uses?: ReadonlyMap<Node, number>): Node {
    const known = (node: Node) => this.#images.has(node)
    const order = topological([root], known).filter((node) => !known(node))
    // By id, so that new ids keep the order in which the user made the values.
    for (const node of order.sort((a, b) => a.id - b.id)) {
      const out = this.node(
        node.op,
        node.src.map((s) => this.#images.get(s) as Node) as Sources[OpName],
        node.attrs as Attrs[OpName],
        node,
      )
      this.#images.set(node, out)
      if (uses && (uses.get(node) ?? 0) > 1) this.shared.add(out)
    }
    const out = this.#images.get(root)
    if (out === undefined) throw internalError('a simplified graph lost its root')
    return out
  }

  /** The simplest known node for this operation on simplified sources. */
  node<K extends OpName>(op: K, src: Sources[K], attrs: Attrs[K], original?: Node): Node {
    const rule = (this.#rules as { readonly [P in K]: Rules[P] })[op]
    this.#depth++
    const simpler = this.#depth > deepest ? undefined : rule(this, src, attrs)
    this.#depth--
    if (simpler) return this.#remember(simpler)
    const kept = original !== undefined && src.every((s, i) => s === original.src[i])
    const fresh = () => make<OpName>(op, src as Sources[OpName], attrs as Attrs[OpName])
    const made = kept ? original : original ? twin(original, src) : fresh()
    if (op === 'parameter') return made
    if (sizeOf(made.shape) === 0 && op !== 'expand' && op !== 'reshape' && op !== 'constant')
      return this.full(made.shape, 0, made.dtype)
    const key = nodeKey(made)
    const same = this.#interned.get(key)
    if (same) return same
    this.#interned.set(key, made)
    return this.#remember(made)
  }

  /** A simplified node is its own image. */
  #remember(node: Node): Node {
    this.#images.set(node, node)
    return node
  }

  /** A constant of any shape, in the one form that the rules look for. */
  full(shape: Dims, value: number, dtype: DType): Node {
    const scalar = this.node('constant', [], { value: encode(value, dtype) ?? value, dtype })
    if (shape.length === 0) return scalar
    const flat = this.node('reshape', [scalar], { shape: shape.map(() => 1) })
    return this.node('expand', [flat], { shape })
  }

  reshape(x: Node, shape: Dims): Node {
    return sameShape(x.shape, shape) ? x : this.node('reshape', [x], { shape })
  }

  expand(x: Node, shape: Dims): Node {
    return sameShape(x.shape, shape) ? x : this.node('expand', [x], { shape })
  }

  /** x times a number, by the dtype's rules. */
  scale(x: Node, by: number): Node {
    return this.node('binary', [x, this.full(x.shape, by, x.dtype)], { fn: 'mul' })
  }
}
