import type { FunctionBuilder, FunctionRef, Local } from './assembler.ts'
import type { CodeContext, Job, Payload, Value } from './dataflow.ts'

/** Constants and variables are pushed again at every use. */
const free: ReadonlySet<Payload['kind']> = new Set<Payload['kind']>(['constant', 'integer', 'local'])
const commutative: ReadonlySet<string> = new Set(['f32x4.add', 'f32x4.mul'])
export const worthHoisting = (v: Value): boolean => !free.has(v.payload.kind)

/** Whether a constant is read from the table: V8 makes zeros and ones in one instruction. */
export const isStored = (words: readonly number[]): boolean =>
  words.some((w) => w !== words[0]) || (words[0] !== 0 && words[0] !== 0xffffffff)

/** Deeper expressions are cut into locals, so that neither our recursion nor an engine's limits are met. */
const maxDepth = 100

/**
 * Emits the code of jobs (see `Dataflow.emit`). `pinned`: values that are in locals already; `vectors`: how many alike
 * the jobs are for. Answers how many vector registers it needs at most, the pinned ones not counted.
 */
export function emitValues(
  f: FunctionBuilder,
  context: CodeContext,
  jobs: readonly Job[],
  pinned: ReadonlyMap<Value, Local>,
  vectors: number,
): number {
  const emitter = new Emitter(f, context, jobs, pinned, vectors)
  emitter.emit()
  return emitter.registers
}

/** How far a value is. */
interface State {
  /** 1 for a vector, 0 for an integer. */
  readonly vector: 0 | 1
  /** Vectors among its operands that are on the stack before it. */
  operands: number
  /** How often it is pushed. */
  uses: number
  /** Uses to come. */
  left: number
  /** The local it is in until its last use, or for good where it is pinned. */
  local: Local | undefined
  readonly pinned: boolean
}

class Emitter {
  /** Most vectors alive at once so far. */
  registers = 0
  readonly #f: FunctionBuilder
  readonly #context: CodeContext
  readonly #jobs: readonly Job[]
  readonly #order: readonly Value[]
  readonly #states: ReadonlyMap<Value, State>
  readonly #vectors: number
  /** Constants that wait for the next vector's turn, by their place among a vector's uses of them. */
  readonly #constants = new Map<Value, (Local | undefined)[]>()
  /** Vectors on the stack, and in locals until their last use. */
  #stacked = 0
  #held = 0

  constructor(
    f: FunctionBuilder,
    context: CodeContext,
    jobs: readonly Job[],
    pinned: ReadonlyMap<Value, Local>,
    vectors: number,
  ) {
    const { order, states } = survey(jobs, pinned)
    this.#f = f
    this.#context = context
    this.#jobs = jobs
    this.#order = order
    this.#states = states
    this.#vectors = vectors
  }

  emit(): void {
    if (this.#order.length > maxDepth) this.#cut()
    for (let i = 0; i < this.#jobs.length; ) {
      const job = this.#jobs[i] as Job
      if (!job.address) {
        this.#stacked -= this.#push(job.value)
        job.use()
        i++
        continue
      }
      // Neighbouring stores: everything goes on the stack first, so that all loads precede all stores.
      let end = i
      while (this.#jobs[end]?.address) end++
      let stored = 0
      for (let k = i; k < end; k++) {
        const { address, value } = this.#jobs[k] as Job
        this.#push(address as Value)
        stored += this.#push(value)
      }
      for (let k = end - 1; k >= i; k--) this.#jobs[k]?.use()
      this.#stacked -= stored
      i = end
    }
  }

  #stateOf(v: Value): State {
    return this.#states.get(v) as State
  }

  /** Cuts deep expressions into locals. */
  #cut(): void {
    const depth = new Map<Value, number>()
    for (const v of this.#order) {
      let d = 0
      for (const a of v.args) d = Math.max(d, (depth.get(a) ?? 0) + 1)
      if (d >= maxDepth && worthHoisting(v) && !this.#stateOf(v).pinned) {
        this.#compute(v)
        d = 0
      }
      depth.set(v, d)
    }
  }

  /** Computes a value into a local, ahead of its users; one more use keeps it alive until the first of them. */
  #compute(v: Value): void {
    const made = this.#f.local(v.type)
    const state = this.#stateOf(v)
    state.left++
    this.#stacked -= this.#push(v)
    this.#f.set(made)
    if (state.local) this.#f.release(state.local)
    else this.#held += state.vector
    state.local = made
  }

  /** Answers how many vectors that leaves on the stack. */
  #push(v: Value): 0 | 1 {
    const state = this.#states.get(v) as State
    const { vector } = state
    const { payload } = v
    if (state.local) this.#f.get(state.local)
    else if (payload.kind === 'constant' && this.#context.features.wide && isStored(payload.words))
      this.#constant(v, state)
    else {
      const args = this.#ordered(v)
      // The mask of a patch comes after the rest.
      for (let i = payload.kind === 'patch' ? 1 : 0; i < args.length; i++) this.#push(args[i] as Value)
      this.#instruction(v)
      this.#stacked -= state.operands
      if (state.uses > 1 && worthHoisting(v)) {
        const made = this.#f.local(v.type)
        state.local = made
        this.#held += vector
        this.#f.tee(made)
      }
    }
    this.#stacked += vector
    this.registers = Math.max(this.registers, this.#stacked + this.#held)
    if (--state.left === 0 && !state.pinned && state.local) {
      this.#f.release(state.local)
      state.local = undefined
      this.#held -= vector
    }
    return vector
  }

  /** The operands in the order in which they are pushed: what is at hand waits for what is not, where either may be first. */
  #ordered({ args, payload }: Value): readonly Value[] {
    const [a, b] = args
    const either = payload.kind === 'op' && commutative.has(payload.op)
    const swapped = either && a && b && free.has(a.payload.kind) && !free.has(b.payload.kind)
    return swapped ? [b, a] : args
  }

  /**
   * Vectors that an engine may merge take a constant from one local. A vector that uses it twice reads it again: held in
   * between, the constants of two functions would take all registers.
   */
  #constant(v: Value, { uses, left }: State): void {
    const each = uses % this.#vectors === 0 ? uses / this.#vectors : 1
    const use = uses - left
    const locals = this.#constants.get(v) ?? []
    this.#constants.set(v, locals)
    const local = locals[use % each]
    const isLast = left <= each
    if (local) {
      this.#f.get(local)
      if (!isLast) return
      this.#f.release(local)
      this.#held--
      return
    }
    this.#instruction(v)
    if (isLast) return
    const made = this.#f.local(v.type)
    locals[use % each] = made
    this.#held++
    this.#f.tee(made)
  }

  #instruction(v: Value): void {
    const f = this.#f
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
      case 'constant':
        pushConstant(f, this.#context, p.words)
        return
      case 'patch':
        this.#patch(v, p.f)
    }
  }

  /** The operands but the mask are on the stack; they go to locals, because the call may or may not happen. */
  #patch(v: Value, callee: FunctionRef): void {
    const f = this.#f
    const [mask, ...rest] = v.args
    const locals = rest.map((a) => f.local(a.type))
    for (const l of [...locals].reverse()) f.set(l)
    this.#stacked -= this.#push(mask as Value)
    f.op('v128.any_true')
    f.if(() => {
      for (const l of locals) f.get(l)
      f.call(callee)
      f.set(locals[0] as Local)
    })
    f.get(locals[0] as Local)
    for (const l of locals) f.release(l)
  }
}

function pushConstant(f: FunctionBuilder, { constants, features }: CodeContext, words: readonly number[]): void {
  const address = isStored(words) ? constants.address(words) : undefined
  if (address === undefined) {
    const lanes = new Uint32Array(4)
    for (let i = 0; i < 4; i++) lanes[i] = words[i % words.length] as number
    f.v128(new Uint8Array(lanes.buffer))
    return
  }
  f.i32(0)
  // Engines that merge neighbouring vectors take a splat for both, and not one load for two.
  const splat = features.wide && words.length < 4
  f.load(splat ? (words.length === 1 ? 'v128.load32_splat' : 'v128.load64_splat') : 'v128.load', address)
}

/** Sources before users, and how often each value is pushed. */
function survey(
  jobs: readonly Job[],
  pinned: ReadonlyMap<Value, Local>,
): { readonly order: readonly Value[]; readonly states: ReadonlyMap<Value, State> } {
  const states = new Map<Value, State>()
  const order: Value[] = []
  /** Counts a use; answers the state when it is the first. */
  const use = (v: Value): State | undefined => {
    const known = states.get(v)
    if (known) {
      known.uses++
      known.left++
      return undefined
    }
    const local = pinned.get(v)
    const vector = v.type === 'v128' ? 1 : 0
    const state: State = { vector, operands: 0, uses: 1, left: 1, local, pinned: local !== undefined }
    states.set(v, state)
    return state
  }
  const visit = (v: Value): void => {
    const first = use(v)
    if (!first) return
    const stack = [{ v, state: first, next: 0 }]
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const arg = top.state.pinned ? undefined : top.v.args[top.next++]
      if (!arg) {
        order.push(top.v)
        stack.pop()
        continue
      }
      if (arg.type === 'v128' && !(top.v.payload.kind === 'patch' && top.next === 1)) top.state.operands++
      const state = use(arg)
      if (state) stack.push({ v: arg, state, next: 0 })
    }
  }
  for (const job of jobs) {
    if (job.address) visit(job.address)
    visit(job.value)
  }
  return { order, states }
}
