import type { FunctionBuilder, FunctionRef, Local } from './assembler.ts'
import type { ConstantTable } from './constants.ts'
import type { CodeContext, Job, Payload, Value } from './dataflow.ts'

/** Constants and variables are pushed again at every use. */
const free: ReadonlySet<Payload['kind']> = new Set<Payload['kind']>(['constant', 'integer', 'local'])
export const worthHoisting = (v: Value): boolean => !free.has(v.payload.kind)

/** Whether a constant is read from the table: V8 makes zeros and ones in one instruction. */
export const isStored = (words: readonly number[]): boolean =>
  words.some((w) => w !== words[0]) || (words[0] !== 0 && words[0] !== 0xffffffff)

/** Deeper expressions are cut into locals, so that neither our recursion nor an engine's limits are met. */
const maxDepth = 100

/** Emits the code of jobs (see `Dataflow.emit`). `pinned`: values that are in locals already. */
export function emitValues(
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
      case 'constant':
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
  const address = isStored(words) ? constants.address(...words) : undefined
  if (address === undefined) {
    f.v128(new Uint8Array(Uint32Array.from([0, 1, 2, 3], (i) => words[i % words.length] as number).buffer))
    return
  }
  f.i32(0)
  f.load('v128.load', address)
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
