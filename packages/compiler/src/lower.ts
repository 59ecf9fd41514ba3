import { type Dims, internalError, type Node, type NodeOf, sizeOf, stridesOf } from '@tessella/ir'
import { affineKey, type Split, sameAffine } from './affine.ts'
import type { Affine, Expr } from './program.ts'
import { isSplit, isView, joinDims, through, type View, type ViewNode, viewOf } from './view.ts'

/** Which values have memory. */
export interface Scope {
  readonly stored: ReadonlySet<Node>
  bufferOf(node: Node): number
}

/** A value that the kernel itself makes, at the position `flat` of each point; `undefined` where it may not be seen. */
export interface Local {
  readonly flat: Affine | undefined
  /** The kernel's result; without it the value is computed from its sources. */
  readonly result?: Expr
}

/** Why a value has no expression here: a dimension must be cut, a view must be stored, or the kernel is impossible. */
export type Conflict = { readonly split: Split } | { readonly store: Node } | 'illegal'

/** An element read at each point, or (at = undefined) in another order. */
export interface Read {
  readonly node: Node
  readonly at: Affine | undefined
}

const nothing: Expr = { kind: 'constant', dtype: 'float32', value: 0 }

/**
 * Expressions of values at the points of one domain. A value is asked for by its row-major position, affine in the
 * domain; views turn it into the position in their source, so only memory that is read out of order needs more dimensions.
 * Depth is bounded by `chooseStores`.
 */
export class Lowering {
  readonly reads: Read[] = []
  readonly events = new Set<Node>()
  conflict: Conflict | undefined
  /** Expressions made so far. */
  size = 0
  readonly #scope: Scope
  readonly #domain: Dims
  readonly #locals: ReadonlyMap<Node, Local>
  readonly #flats = new Map<string, Affine>()
  readonly #memo = new Map<Affine, Map<Node, Expr>>()
  readonly #loads = new Map<string, Expr>()

  constructor(scope: Scope, domain: Dims, locals: ReadonlyMap<Node, Local>) {
    this.#scope = scope
    this.#domain = domain
    this.#locals = locals
  }

  /** The expression of `node` at `flat`; meaningless once `conflict` is set. */
  value(node: Node, flat: Affine): Expr {
    return this.#value(node, this.#intern(flat))
  }

  /**
   * The stored value behind the views of `node`, read at `flat` over a domain of its own, of which the first
   * `ours` dimensions are those of this lowering.
   */
  resolve(node: Node, flat: Affine, domain: Dims, ours: number): { node: Node; at: Affine } | undefined {
    let source = node
    let at = flat
    while (!this.#scope.stored.has(source)) {
      if (!isView(source)) return this.#fail('illegal')
      const next = this.#through(source, viewOf(source), at, domain, ours)
      if (next === undefined) return undefined
      at = next
      source = source.src[0]
    }
    if (this.#locals.has(source)) return this.#fail('illegal')
    return { node: source, at }
  }

  #fail(conflict: Conflict): undefined {
    this.conflict ??= conflict
    return undefined
  }

  #intern(flat: Affine): Affine {
    const key = affineKey(flat)
    const same = this.#flats.get(key)
    if (same) return same
    this.#flats.set(key, flat)
    return flat
  }

  #through(node: Node, view: View, flat: Affine, domain = this.#domain, ours = domain.length): Affine | undefined {
    if (node.op === 'after') this.events.add(node.src[1])
    const at = through(view, flat, domain)
    if (at === undefined) return this.#fail({ store: node })
    if (!isSplit(at)) return at
    return this.#fail(at.dim < ours ? { split: at } : { store: node })
  }

  #value(node: Node, flat: Affine): Expr {
    if (this.conflict) return nothing
    let memo = this.#memo.get(flat)
    if (memo === undefined) {
      memo = new Map()
      this.#memo.set(flat, memo)
    }
    let expr = memo.get(node)
    if (expr === undefined) {
      this.size++
      expr = this.#compute(node, flat)
      memo.set(node, expr)
    }
    return expr
  }

  #compute(node: Node, flat: Affine): Expr {
    const local = this.#locals.get(node)
    if (local) {
      if (local.flat && sameAffine(local.flat, flat)) return local.result ?? this.#inline(node, flat)
      this.#fail('illegal')
      return nothing
    }
    return this.#scope.stored.has(node) ? this.#load(node, flat) : this.#inline(node, flat)
  }

  #load(node: Node, at: Affine): Expr {
    const buffer = this.#scope.bufferOf(node)
    const key = `${buffer} ${affineKey(at)}`
    const same = this.#loads.get(key)
    if (same) return same
    this.reads.push({ node, at })
    const load: Expr = { kind: 'load', dtype: node.dtype, buffer, at }
    this.#loads.set(key, load)
    return load
  }

  #inline(node: Node, flat: Affine): Expr {
    const { dtype } = node
    if (isView(node)) return this.#view(node, flat)
    switch (node.op) {
      case 'constant':
        return { kind: 'constant', dtype, value: node.attrs.value }
      case 'unary':
        return { kind: 'unary', dtype, fn: node.attrs.fn, x: this.#value(node.src[0], flat) }
      case 'binary':
        return {
          kind: 'binary',
          dtype,
          fn: node.attrs.fn,
          a: this.#value(node.src[0], flat),
          b: this.#value(node.src[1], flat),
        }
      case 'select': {
        const [c, a, b] = node.src
        return {
          kind: 'select',
          dtype,
          condition: this.#value(c, flat),
          a: this.#value(a, flat),
          b: this.#value(b, flat),
        }
      }
      case 'cast':
        return { kind: 'cast', dtype, x: this.#value(node.src[0], flat) }
      case 'alias':
        return this.#value(node.src[0], flat)
      case 'iota':
        return this.#iota(node, flat)
      case 'gather':
        return this.#gather(node, flat)
      case 'randomBits':
        return this.#random(node, flat)
      default:
        this.#fail('illegal')
        return nothing
    }
  }

  #view(node: ViewNode, flat: Affine): Expr {
    const at = this.#through(node, viewOf(node), flat)
    return at ? this.#value(node.src[0], this.#intern(at)) : nothing
  }

  #iota(node: NodeOf<'iota'>, flat: Affine): Expr {
    const along = joinDims(
      node.shape,
      node.shape.map((_, d) => (d === node.attrs.axis ? 1 : 0)),
      0,
    )
    const at = this.#through(node, along, flat)
    return at ? { kind: 'index', dtype: node.dtype, at } : nothing
  }

  /** The source is read at a position with one more index: the place along the axis. */
  #gather(node: NodeOf<'gather'>, flat: Affine): Expr {
    const [x, index] = node.src
    const { axis } = node.attrs
    const steps = stridesOf(x.shape)
    const others = joinDims(
      node.shape,
      steps.map((s, d) => (d === axis ? 0 : s)),
      0,
    )
    const start = this.#through(node, others, flat)
    if (start === undefined) return nothing
    const size = x.shape[axis] as number
    const place = { offset: start.offset, strides: [...start.strides, size === 1 ? 0 : (steps[axis] as number)] }
    const found = this.resolve(x, place, [...this.#domain, size], this.#domain.length)
    if (found === undefined) return nothing
    this.reads.push({ node: found.node, at: undefined })
    const { offset, strides } = found.at
    return {
      kind: 'gather',
      dtype: node.dtype,
      buffer: this.#scope.bufferOf(found.node),
      at: { offset, strides: strides.slice(0, -1) },
      index: this.#value(index, flat),
      stride: strides[strides.length - 1] as number,
      size,
    }
  }

  #random(node: NodeOf<'randomBits'>, flat: Affine): Expr {
    const key = node.src[0]
    const found = this.resolve(key, { offset: 0, strides: [...this.#domain.map(() => 0), 1] }, [...this.#domain, 2], 0)
    if (found === undefined) return nothing
    if (found.at.strides[this.#domain.length] !== 1) {
      this.#fail({ store: key })
      return nothing
    }
    this.reads.push({ node: found.node, at: undefined })
    return {
      kind: 'random',
      dtype: 'uint32',
      key: this.#scope.bufferOf(found.node),
      keyOffset: found.at.offset,
      at: flat,
    }
  }
}

/** Where the elements of a fresh map kernel are: one dimension until an address asks for more. */
export function lineOf(node: Node): { domain: Dims; flat: Affine } {
  const size = sizeOf(node.shape)
  if (size === 0) throw internalError('a kernel without points')
  return size === 1
    ? { domain: [], flat: { offset: 0, strides: [] } }
    : { domain: [size], flat: { offset: 0, strides: [1] } }
}
