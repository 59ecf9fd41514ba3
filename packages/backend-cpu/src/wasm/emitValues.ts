import type { FunctionBuilder, FunctionRef, Local } from './assembler.ts'
import type { CodeContext, Job, Payload, Value } from './dataflow.ts'

/** Constants and variables are pushed again at every use. */
const free: ReadonlySet<Payload['kind']> = new Set<Payload['kind']>(['constant', 'integer', 'local'])
export const worthHoisting = (v: Value): boolean => !free.has(v.payload.kind)

/** Whether a constant is read from the table: V8 makes zeros and ones in one instruction. */
export const isStored = (words: readonly number[]): boolean =>
  words.some((w) => w !== words[0]) || (words[0] !== 0 && words[0] !== 0xffffffff)

/** Deeper expressions are cut into locals, so that neither our recursion nor an engine's limits are met. */
const maxDepth = 100

/**
 * Emits the code of jobs (see `Dataflow.emit`). `pinned`: values that are in locals already. Answers how many vector
 * registers it needs at most, the pinned ones not counted.
 */
export function emitValues(
  f: FunctionBuilder,
  context: CodeContext,
  jobs: readonly Job[],
  pinned: ReadonlyMap<Value, Local>,
): number {
  const emitter = new Emitter(f, context, jobs, pinned)
  emitter.emit()
  return emitter.registers
}

const vectors = (values: Iterable<Value>): number => {
  let n = 0
  for (const v of values) if (v.type === 'v128') n++
  return n
}

class Emitter {
  /** Most vectors alive at once so far. */
  registers = 0
  readonly #f: FunctionBuilder
  readonly #context: CodeContext
  readonly #jobs: readonly Job[]
  readonly #pinned: ReadonlyMap<Value, Local>
  readonly #order: readonly Value[]
  readonly #uses: ReadonlyMap<Value, number>
  /** Uses to come. */
  readonly #left: Map<Value, number>
  /** Values in locals until their last use. */
  readonly #held = new Map<Value, Local>()
  #stacked = 0

  constructor(f: FunctionBuilder, context: CodeContext, jobs: readonly Job[], pinned: ReadonlyMap<Value, Local>) {
    const { order, uses } = survey(jobs, pinned)
    this.#f = f
    this.#context = context
    this.#jobs = jobs
    this.#pinned = pinned
    this.#order = order
    this.#uses = uses
    this.#left = new Map(uses)
  }

  emit(): void {
    this.#cut()
    for (let i = 0; i < this.#jobs.length; ) {
      const job = this.#jobs[i] as Job
      if (!job.address) {
        this.#push(job.value)
        job.use()
        this.#stacked -= vectors([job.value])
        i++
        continue
      }
      // Neighbouring stores: everything goes on the stack first, so that all loads precede all stores.
      let end = i
      while (this.#jobs[end]?.address) end++
      const stores = this.#jobs.slice(i, end)
      for (const { address, value } of stores) {
        this.#push(address as Value)
        this.#push(value)
      }
      for (const store of [...stores].reverse()) store.use()
      this.#stacked -= vectors(stores.map((s) => s.value))
      i = end
    }
  }

  /** Cuts deep expressions into locals. */
  #cut(): void {
    const depth = new Map<Value, number>()
    for (const v of this.#order) {
      let d = 0
      for (const a of v.args) d = Math.max(d, (depth.get(a) ?? 0) + 1)
      if (d >= maxDepth && worthHoisting(v) && !this.#pinned.has(v)) {
        this.#compute(v)
        d = 0
      }
      depth.set(v, d)
    }
  }

  /** Computes a value into a local, ahead of its users; one more use keeps it alive until the first of them. */
  #compute(v: Value): void {
    const made = this.#f.local(v.type)
    this.#left.set(v, (this.#left.get(v) ?? 1) + 1)
    this.#push(v)
    this.#f.set(made)
    this.#stacked -= vectors([v])
    const teed = this.#held.get(v)
    if (teed) this.#f.release(teed)
    this.#held.set(v, made)
  }

  #push(v: Value): void {
    const local = this.#pinned.get(v) ?? this.#held.get(v)
    if (local) this.#f.get(local)
    else {
      for (const a of v.args) if (!(v.payload.kind === 'patch' && a === v.args[0])) this.#push(a)
      this.#instruction(v)
      this.#stacked -= vectors(v.args) - (v.payload.kind === 'patch' ? 1 : 0)
      const splat = this.#context.features.wide && v.payload.kind === 'constant' && isStored(v.payload.words)
      if ((this.#uses.get(v) ?? 1) > 1 && (splat || worthHoisting(v))) {
        const made = this.#f.local(v.type)
        this.#held.set(v, made)
        this.#f.tee(made)
      }
    }
    this.#stacked += vectors([v])
    this.registers = Math.max(this.registers, this.#stacked + vectors(this.#held.keys()))
    this.#consume(v)
  }

  #consume(v: Value): void {
    const n = (this.#left.get(v) ?? 1) - 1
    this.#left.set(v, n)
    const local = this.#held.get(v)
    if (n !== 0 || !local) return
    this.#held.delete(v)
    this.#f.release(local)
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
    this.#push(mask as Value)
    this.#stacked--
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
  const address = isStored(words) ? constants.address(...words) : undefined
  if (address === undefined) {
    f.v128(new Uint8Array(Uint32Array.from([0, 1, 2, 3], (i) => words[i % words.length] as number).buffer))
    return
  }
  f.i32(0)
  // Engines that merge neighbouring vectors take a splat for both, and not one load for two.
  const splat = features.wide && words.length < 4
  f.load(splat ? (words.length === 1 ? 'v128.load32_splat' : 'v128.load64_splat') : 'v128.load', address)
}

/** Sources before users, and how often each value is pushed. */
function survey(jobs: readonly Job[], pinned: ReadonlyMap<Value, Local>): { order: Value[]; uses: Map<Value, number> } {
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
