import type { Features } from './features.ts'
import type { FunctionBuilder, FunctionRef, Local, ModuleBuilder } from './assembler.ts'
import type { ConstantTable } from './constants.ts'
import type { LaneAccessOp, LaneOp, LoadOp, SimpleOp } from './opcodes.ts'

/** Type of a node's value: one vector register or one address-sized integer. */
export type NodeType = 'v128' | 'i32'

type Payload =
  | { readonly kind: 'op'; readonly op: SimpleOp }
  | { readonly kind: 'lane'; readonly op: LaneOp; readonly lane: number }
  | { readonly kind: 'shuffle'; readonly bytes: readonly number[] }
  | { readonly kind: 'load'; readonly op: LoadOp; readonly offset: number }
  | { readonly kind: 'loadLane'; readonly op: LaneAccessOp; readonly lane: number; readonly offset: number }
  | { readonly kind: 'local'; readonly local: Local }
  | { readonly kind: 'splat'; readonly bits: number }
  | { readonly kind: 'splat64'; readonly low: number; readonly high: number }
  | { readonly kind: 'vector'; readonly words: readonly number[] }
  | { readonly kind: 'integer'; readonly value: number }
  | { readonly kind: 'call'; readonly f: FunctionRef }
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
    return this.#node(`splat ${bits >>> 0}`, 'v128', { kind: 'splat', bits: bits >>> 0 }, [], 0)
  }

  /** Two 64-bit lanes with these words. */
  splat64(low: number, high: number): Value {
    if (low >>> 0 === high >>> 0) return this.splat(low)
    return this.#node(`splat64 ${low >>> 0} ${high >>> 0}`, 'v128', { kind: 'splat64', low: low >>> 0, high: high >>> 0 }, [], 0)
  }

  /** Four constant lanes. */
  vector(words: readonly number[]): Value {
    return this.#node(`vector ${words.join()}`, 'v128', { kind: 'vector', words: words.map((w) => w >>> 0) }, [], 0)
  }

  integer(value: number): Value {
    return this.#node(`integer ${value | 0}`, 'i32', { kind: 'integer', value: value | 0 }, [], 0)
  }

  call(f: FunctionRef, ...args: readonly Value[]): Value {
    return this.#node(`call ${f.index}`, 'v128', { kind: 'call', f }, args, levelOf(args))
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
    const splats = new Set<Value>()
    const seen = new Set<Value>()
    const stack = [...roots]
    for (let v = stack.pop(); v; v = stack.pop()) {
      if (seen.has(v) || this.#pinned.has(v)) continue
      seen.add(v)
      if (v.payload.kind === 'splat' && v.payload.bits !== 0 && splats.size < constants) splats.add(v)
      if (v.level < level) {
        if (worthHoisting(v)) edge.add(v)
        else stack.push(...v.args)
      } else stack.push(...v.args)
    }
    const wanted = [...edge, ...splats]
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
   * Emits code that computes each job's value, in order, and hands it over. With several jobs that have an address
   * (stores), all values are computed before the first of them, so that stores may overwrite what the values read.
   */
  emit(f: FunctionBuilder, jobs: readonly Job[]): void {
    emitValues(f, this.context, jobs, this.#pinned)
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

/** Constants and variables are pushed again at every use. */
const free: ReadonlySet<string> = new Set<Payload['kind']>(['splat', 'splat64', 'integer', 'local'])
const worthHoisting = (v: Value): boolean => !free.has(v.payload.kind)

/** Deeper expressions are cut into locals, so that neither our recursion nor an engine's limits are met. */
const maxDepth = 100

function emitValues(
  f: FunctionBuilder,
  context: CodeContext,
  jobs: readonly Job[],
  pinned: ReadonlyMap<Value, Local>,
): void {
  const { order, uses } = survey(jobs, pinned)
  const depth = new Map<Value, number>()
  const held = new Map<Value, Local>()
  const left = new Map(uses)

  const consume = (v: Value): void => {
    const n = (left.get(v) ?? 1) - 1
    left.set(v, n)
    const local = held.get(v)
    if (n === 0 && local) {
      held.delete(v)
      f.release(local)
    }
  }
  const push = (v: Value): void => {
    const local = pinned.get(v) ?? held.get(v)
    if (local) {
      f.get(local)
      consume(v)
      return
    }
    for (const a of v.args) if (!(v.payload.kind === 'patch' && a === v.args[0])) push(a)
    instruction(v)
    if ((uses.get(v) ?? 1) > 1 && worthHoisting(v)) {
      const made = f.local(v.type)
      held.set(v, made)
      f.tee(made)
    }
    consume(v)
  }
  const instruction = (v: Value): void => {
    const p = v.payload
    switch (p.kind) {
      case 'op':
        f.op(p.op)
        return
      case 'lane':
        f.lane(p.op, p.lane)
        return
      case 'shuffle':
        f.shuffle(p.bytes)
        return
      case 'load':
        f.load(p.op, p.offset)
        return
      case 'loadLane':
        f.laneAccess(p.op, p.lane, p.offset)
        return
      case 'local':
        f.get(p.local)
        return
      case 'integer':
        f.i32(p.value)
        return
      case 'splat':
        pushConstant(f, context.constants, [p.bits])
        return
      case 'splat64':
        pushConstant(f, context.constants, [p.low, p.high])
        return
      case 'vector':
        pushConstant(f, context.constants, p.words)
        return
      case 'call':
        f.call(p.f)
        return
      case 'patch':
        emitPatch(v, p.f)
    }
  }
  // The operands but the mask are on the stack; they go to locals, because the call may or may not happen.
  const emitPatch = (v: Value, callee: FunctionRef): void => {
    const rest = v.args.slice(1)
    const locals = rest.map((a) => f.local(a.type))
    for (const l of [...locals].reverse()) f.set(l)
    push(v.args[0] as Value)
    f.op('v128.any_true')
    f.if(() => {
      for (const l of locals) f.get(l)
      f.call(callee)
      f.set(locals[0] as Local)
    })
    f.get(locals[0] as Local)
    for (const l of locals) f.release(l)
  }

  /** Computes a value into a local, ahead of its users; one more use keeps it alive until the first of them. */
  const compute = (v: Value): void => {
    const made = f.local(v.type)
    left.set(v, (left.get(v) ?? 1) + 1)
    push(v)
    f.set(made)
    const teed = held.get(v)
    if (teed) f.release(teed)
    held.set(v, made)
  }

  for (const v of order) {
    let d = 0
    for (const a of v.args) d = Math.max(d, (depth.get(a) ?? 0) + 1)
    if (d >= maxDepth && worthHoisting(v) && !pinned.has(v)) {
      compute(v)
      d = 0
    }
    depth.set(v, d)
  }
  const stores = jobs.filter((job) => job.address)
  if (new Set(stores.map((job) => job.value)).size > 1)
    for (const { value } of stores) if (worthHoisting(value) && !pinned.has(value) && !held.has(value)) compute(value)
  for (const job of jobs) {
    if (job.address) push(job.address)
    push(job.value)
    job.use()
  }
}

function pushConstant(f: FunctionBuilder, constants: ConstantTable, words: readonly number[]): void {
  const same = words.every((w) => w === words[0])
  // V8 makes these two in one instruction.
  const address = same && (words[0] === 0 || words[0] === 0xffffffff) ? undefined : constants.address(...words)
  if (address === undefined) {
    f.v128(new Uint8Array(Uint32Array.from([0, 1, 2, 3], (i) => words[i % words.length] as number).buffer))
    return
  }
  f.i32(0)
  f.load('v128.load', address)
}

/** Sources before users, and how often each value is pushed. */
function survey(
  jobs: readonly Job[],
  pinned: ReadonlyMap<Value, Local>,
): { order: Value[]; uses: Map<Value, number> } {
  const uses = new Map<Value, number>()
  const order: Value[] = []
  const visit = (root: Value): void => {
    uses.set(root, (uses.get(root) ?? 0) + 1)
    if ((uses.get(root) as number) > 1) return
    const stack: { v: Value; next: number }[] = [{ v: root, next: 0 }]
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const arg = pinned.has(top.v) ? undefined : top.v.args[top.next++]
      if (!arg) {
        order.push(top.v)
        stack.pop()
        continue
      }
      const n = (uses.get(arg) ?? 0) + 1
      uses.set(arg, n)
      if (n === 1) stack.push({ v: arg, next: 0 })
    }
  }
  for (const job of jobs) {
    if (job.address) visit(job.address)
    visit(job.value)
  }
  return { order, uses }
}
