import { FunctionBuilder, type FunctionRef, type Local, type ModuleBuilder } from './assembler.ts'
import type { ConstantTable } from './constants.ts'
import { emitValues, isStored, worthHoisting } from './emitValues.ts'
import type { Features } from './features.ts'
import type { LaneAccessOp, LaneOp, LoadOp, SimpleOp } from './opcodes.ts'

/** Type of a node's value: one vector register or one address-sized integer. */
export type NodeType = 'v128' | 'i32'

export type Payload =
  | { readonly kind: 'op'; readonly op: SimpleOp }
  | { readonly kind: 'lane'; readonly op: LaneOp; readonly lane: number }
  | { readonly kind: 'shuffle'; readonly bytes: readonly number[] }
  | { readonly kind: 'load'; readonly op: LoadOp; readonly offset: number }
  | { readonly kind: 'loadLane'; readonly op: LaneAccessOp; readonly lane: number; readonly offset: number }
  | { readonly kind: 'local'; readonly local: Local }
  /** One, two or four words, repeated to fill the vector. */
  | { readonly kind: 'constant'; readonly words: readonly number[] }
  | { readonly kind: 'integer'; readonly value: number }
  /** args = [mask, fast, ...rest]: any lane of mask set ? f(fast, ...rest) : fast. */
  | { readonly kind: 'patch'; readonly f: FunctionRef }

/**
 * One value of straight-line SIMD code. Nodes are hash-consed, so equal nodes are one object and computed once.
 * `level`: the innermost loop in which the value changes (0: constant in the function).
 */
export interface Value {
  readonly id: number
  readonly type: NodeType
  readonly payload: Payload
  readonly args: readonly Value[]
  readonly level: number
}

/** What value construction needs to know about its surroundings. */
export interface CodeContext {
  readonly module: ModuleBuilder
  readonly features: Features
  readonly constants: ConstantTable
}

/**
 * Straight-line SIMD code as a graph of values, built by plain functions and emitted in one go:
 * common values are shared, loop-invariant ones can be hoisted, constants come from the table.
 */
export class Dataflow {
  readonly context: CodeContext
  readonly #known = new Map<string, Value>()
  /** Values that live in a local already (hoisted, or bound by the caller). */
  readonly #pinned = new Map<Value, Local>()

  constructor(context: CodeContext) {
    this.context = context
  }

  #node(key: string, type: NodeType, payload: Payload, args: readonly Value[], level: number): Value {
    let full = key
    for (const a of args) full += ` ${a.id}`
    const known = this.#known.get(full)
    if (known) return known
    const made: Value = { id: this.#known.size, type, payload, args, level }
    this.#known.set(full, made)
    return made
  }

  /** An instruction with a vector result. */
  v(op: SimpleOp, ...args: readonly Value[]): Value {
    return this.#node(op, 'v128', { kind: 'op', op }, args, levelOf(args))
  }

  /** An instruction with an i32 result. */
  i(op: SimpleOp, ...args: readonly Value[]): Value {
    return this.#node(op, 'i32', { kind: 'op', op }, args, levelOf(args))
  }

  /** The i32 lane of a vector: `i32x4.extract_lane` and narrower ones. */
  extract(op: LaneOp, lane: number, x: Value): Value {
    return this.#node(`${op} ${lane}`, 'i32', { kind: 'lane', op, lane }, [x], x.level)
  }

  replace(op: LaneOp, lane: number, x: Value, value: Value): Value {
    return this.#node(`${op} ${lane}`, 'v128', { kind: 'lane', op, lane }, [x, value], levelOf([x, value]))
  }

  shuffle(bytes: readonly number[], a: Value, b: Value): Value {
    return this.#node(`shuffle ${bytes.join()}`, 'v128', { kind: 'shuffle', bytes }, [a, b], levelOf([a, b]))
  }

  /** Loads are values like any other: nothing may store to their bytes while this graph is emitted. */
  load(op: LoadOp, address: Address): Value {
    const type = op.startsWith('v128') ? 'v128' : 'i32'
    const payload: Payload = { kind: 'load', op, offset: address.offset }
    return this.#node(`${op} ${address.offset}`, type, payload, [address.base], address.base.level)
  }

  loadLane(op: LaneAccessOp, lane: number, address: Address, into: Value): Value {
    const args = [address.base, into]
    const payload: Payload = { kind: 'loadLane', op, lane, offset: address.offset }
    return this.#node(`${op} ${lane} ${address.offset}`, 'v128', payload, args, levelOf(args))
  }

  /** The content of a local; `level` tells in which loop it changes. */
  local(local: Local, level: number): Value {
    const type = local.type === 'v128' ? 'v128' : 'i32'
    return this.#node(`local ${local.index} ${level}`, type, { kind: 'local', local }, [], level)
  }

  /** Four lanes with these bits. */
  splat(bits: number): Value {
    return this.#constant([bits])
  }

  /** Two 64-bit lanes with these words. */
  splat64(low: number, high: number): Value {
    return this.#constant(low >>> 0 === high >>> 0 ? [low] : [low, high])
  }

  /** Four constant lanes. */
  vector(words: readonly number[]): Value {
    return this.#constant(words)
  }

  #constant(given: readonly number[]): Value {
    const words = given.map((w) => w >>> 0)
    return this.#node(`constant ${words.join()}`, 'v128', { kind: 'constant', words }, [], 0)
  }

  integer(value: number): Value {
    return this.#node(`integer ${value | 0}`, 'i32', { kind: 'integer', value: value | 0 }, [], 0)
  }

  /** any lane of mask ? f(fast, ...rest) : fast. For rare slow paths. */
  patch(f: FunctionRef, mask: Value, fast: Value, ...rest: readonly Value[]): Value {
    const args = [mask, fast, ...rest]
    return this.#node(`patch ${f.index}`, 'v128', { kind: 'patch', f }, args, levelOf(args))
  }

  /** Says that the value is in this local from here on; the caller keeps that true. */
  bind(value: Value, local: Local): void {
    this.#pinned.set(value, local)
  }

  unbind(value: Value): void {
    this.#pinned.delete(value)
  }

  /**
   * Emits, before the loop `level`, every value that `roots` need and that does not change in it, and up to `constants`
   * of their constants, and keeps those in locals. Returns a function to call after the loop: it frees them.
   */
  hoist(f: FunctionBuilder, roots: readonly Value[], level: number, constants = 0): () => void {
    const edge = new Set<Value>()
    const stored = new Set<Value>()
    const seen = new Set<Value>()
    const stack = [...roots]
    for (let v = stack.pop(); v; v = stack.pop()) {
      if (seen.has(v) || this.#pinned.has(v)) continue
      seen.add(v)
      if (v.payload.kind === 'constant' && isStored(v.payload.words) && stored.size < constants) stored.add(v)
      if (v.level < level) {
        if (worthHoisting(v)) edge.add(v)
        else stack.push(...v.args)
      } else stack.push(...v.args)
    }
    const wanted = [...edge, ...stored]
    const locals = wanted.map((v) => f.local(v.type))
    this.emit(
      f,
      wanted.map((value, i) => ({ value, use: () => f.set(locals[i] as Local) })),
    )
    for (const [i, v] of wanted.entries()) this.bind(v, locals[i] as Local)
    return () => {
      for (const [i, v] of wanted.entries()) {
        this.unbind(v)
        f.release(locals[i] as Local)
      }
    }
  }

  /**
   * Emits code that computes each job's value, in order, and hands it over. Of consecutive jobs that have an address
   * (stores), all values are computed before the first store, so that stores may overwrite what the values read.
   * `vectors`: the jobs do the same for so many vectors, one after the other, which an engine may merge.
   */
  emit(f: FunctionBuilder, jobs: readonly Job[], vectors = 1): void {
    emitValues(f, this.context, jobs, this.#pinned, vectors)
  }

  /** How many vector registers the code of these jobs, for one vector, needs at most, hoisted values included. */
  registers(jobs: readonly Job[]): number {
    let pinned = 0
    for (const v of this.#pinned.keys()) if (v.type === 'v128') pinned++
    const dry = jobs.map((job) => ({ ...job, use: () => undefined }))
    return pinned + emitValues(new FunctionBuilder([]), this.context, dry, this.#pinned, 1)
  }
}

/** One value to compute: pushes `address` if there is one, then `value`; `use` consumes both. */
export interface Job {
  readonly address?: Value
  readonly value: Value
  readonly use: () => void
}

/** `base` + `offset` bytes; the offset is not negative. */
export interface Address {
  readonly base: Value
  readonly offset: number
}

function levelOf(args: readonly Value[]): number {
  let level = 0
  for (const a of args) if (a.level > level) level = a.level
  return level
}

/** Whether computing these values may leave straight-line code. */
export function hasCalls(roots: readonly Value[]): boolean {
  const seen = new Set<Value>()
  const stack = [...roots]
  for (let v = stack.pop(); v; v = stack.pop()) {
    if (seen.has(v)) continue
    seen.add(v)
    if (v.payload.kind === 'patch') return true
    stack.push(...v.args)
  }
  return false
}
