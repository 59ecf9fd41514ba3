import { internalError } from '@tessella/ir'
import { Bytes } from './bytes.ts'
import {
  type AtomicOp,
  bytesOf,
  type LaneAccessOp,
  type LaneOp,
  type LoadOp,
  type SimpleOp,
  type StoreOp,
} from './opcodes.ts'

export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128'
export const valueTypeCode: Readonly<Record<ValueType, number>> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
}

/** A parameter or local variable of one function. */
export interface Local {
  readonly index: number
  readonly type: ValueType
}

export interface FunctionRef {
  readonly index: number
  readonly params: readonly ValueType[]
  readonly results: readonly ValueType[]
}

/** A variable of an instance of the module. */
export interface GlobalRef {
  readonly index: number
}

/** A block that `br` can leave (or a loop it can repeat). */
export interface Label {
  readonly depth: number
}

/** Emits the body of one function in stack order; method names follow the instructions. */
export class FunctionBuilder {
  readonly params: readonly Local[]
  readonly #code = new Bytes()
  readonly #locals: ValueType[] = []
  readonly #free = new Map<ValueType, Local[]>()
  #depth = 0

  constructor(params: readonly ValueType[]) {
    this.params = params.map((type, index) => ({ index, type }))
  }

  /** A variable of this type: a released one, or a new one (new ones start at zero). */
  local(type: ValueType): Local {
    const reused = this.#free.get(type)?.pop()
    if (reused) return reused
    this.#locals.push(type)
    return { index: this.params.length + this.#locals.length - 1, type }
  }

  /** Gives a variable back for reuse by a later `local`. */
  release(local: Local): void {
    const list = this.#free.get(local.type)
    if (list) list.push(local)
    else this.#free.set(local.type, [local])
  }

  get(local: Local): void {
    this.#code.pair(0x20, local.index)
  }

  set(local: Local): void {
    this.#code.pair(0x21, local.index)
  }

  tee(local: Local): void {
    this.#code.pair(0x22, local.index)
  }

  /** Instructions in a row: a variable or an i32 constant is pushed, a name takes its operands from the stack. */
  push(...parts: readonly (Local | number | SimpleOp)[]): void {
    for (const part of parts) {
      if (typeof part === 'number') this.i32(part)
      else if (typeof part === 'string') this.op(part)
      else this.get(part)
    }
  }

  /** An instruction without immediates: operands from the stack. */
  op(name: SimpleOp): void {
    this.#code.raw(bytesOf(name))
  }

  i32(value: number): void {
    this.#code.byte(0x41)
    this.#code.s32(value)
  }

  i64(value: bigint): void {
    this.#code.byte(0x42)
    this.#code.s64(value)
  }

  f32(value: number): void {
    this.#code.byte(0x43)
    this.#code.f32(value)
  }

  f64(value: number): void {
    this.#code.byte(0x44)
    this.#code.f64(value)
  }

  /** 16 bytes. V8 rebuilds it at every execution: keep it out of hot loops. */
  v128(bytes: ArrayLike<number>): void {
    this.#code.raw(bytesOf('v128.const'))
    this.#code.raw(bytes)
  }

  /** Address on the stack; `offset` is an unsigned immediate. */
  load(name: LoadOp, offset = 0): void {
    this.#access(name, offset)
  }

  /** Address and value on the stack. */
  store(name: StoreOp, offset = 0): void {
    this.#access(name, offset)
  }

  /** Address and operands on the stack, as the instruction has them. */
  atomic(name: AtomicOp, offset = 0): void {
    this.#access(name, offset)
  }

  /** Address and vector on the stack. */
  laneAccess(name: LaneAccessOp, lane: number, offset = 0): void {
    this.#access(name, offset)
    this.#code.byte(lane)
  }

  #access(name: LoadOp | StoreOp | LaneAccessOp | AtomicOp, offset: number): void {
    if (offset < 0 || !Number.isInteger(offset)) throw internalError(`wasm memory offset ${offset}`)
    this.#code.raw(bytesOf(name))
    this.#code.u32(offset)
  }

  lane(name: LaneOp, lane: number): void {
    this.#code.raw(bytesOf(name))
    this.#code.byte(lane)
  }

  /** Bytes 0-15 pick from the first vector, 16-31 from the second. */
  shuffle(bytes: readonly number[]): void {
    this.#code.raw(bytesOf('i8x16.shuffle'))
    this.#code.raw(bytes)
  }

  /** Destination, source, byte count on the stack. */
  memoryCopy(): void {
    this.#code.raw([0xfc, 10, 0, 0])
  }

  /** Destination, byte, byte count on the stack. */
  memoryFill(): void {
    this.#code.raw([0xfc, 11, 0])
  }

  call(f: FunctionRef): void {
    this.#code.pair(0x10, f.index)
  }

  /** Arguments and then the place in the module's table on the stack; `type` is the type's number in the module. */
  callIndirect(type: number): void {
    this.#code.pair(0x11, type)
    this.#code.byte(0)
  }

  getGlobal(global: GlobalRef): void {
    this.#code.pair(0x23, global.index)
  }

  setGlobal(global: GlobalRef): void {
    this.#code.pair(0x24, global.index)
  }

  drop(): void {
    this.#code.byte(0x1a)
  }

  /** a, b, condition (i32) on the stack: a where the condition is not 0. */
  select(type: ValueType): void {
    this.#code.raw([0x1c, 1, valueTypeCode[type]])
  }

  return(): void {
    this.#code.byte(0x0f)
  }

  unreachable(): void {
    this.#code.byte(0x00)
  }

  #structure(opcode: number, result: ValueType | undefined, body: (label: Label) => void): void {
    this.#code.byte(opcode)
    this.#code.byte(result ? valueTypeCode[result] : 0x40)
    this.#depth++
    body({ depth: this.#depth })
    this.#depth--
    this.#code.byte(0x0b)
  }

  /** `br` to its label leaves it. */
  block(body: (label: Label) => void, result?: ValueType): void {
    this.#structure(0x02, result, body)
  }

  /** `br` to its label repeats it. */
  loop(body: (label: Label) => void): void {
    this.#structure(0x03, undefined, body)
  }

  /** Condition (i32) on the stack. */
  if(then: () => void, otherwise?: () => void, result?: ValueType): void {
    this.#structure(0x04, result, () => {
      then()
      if (otherwise) {
        this.#code.byte(0x05)
        otherwise()
      }
    })
  }

  br(label: Label): void {
    this.#code.pair(0x0c, this.#depth - label.depth)
  }

  brIf(label: Label): void {
    this.#code.pair(0x0d, this.#depth - label.depth)
  }

  /** local += amount. */
  bump(local: Local, amount: number): void {
    if (amount === 0) return
    this.get(local)
    this.i32(amount)
    this.op('i32.add')
    this.set(local)
  }

  /** do { body; counter += step } while (counter <u end): the body runs at least once. */
  doWhileBelow(counter: Local, end: Local | number, step: number, body: () => void): void {
    this.loop((again) => {
      body()
      this.get(counter)
      this.i32(step)
      this.op('i32.add')
      this.tee(counter)
      this.#operand(end)
      this.op('i32.lt_u')
      this.brIf(again)
    })
  }

  /** for (; counter <u end; counter += step) body. `counter` keeps its value before and after. */
  whileBelow(counter: Local, end: Local | number, step: number, body: () => void): void {
    this.get(counter)
    this.#operand(end)
    this.op('i32.lt_u')
    this.if(() => this.doWhileBelow(counter, end, step, body))
  }

  /** Runs the body exactly `count` times (a constant); uses a fresh counter that is passed to the body. */
  times(count: number, body: (counter: Local) => void): void {
    if (count <= 0) return
    const counter = this.local('i32')
    this.i32(0)
    this.set(counter)
    if (count === 1) body(counter)
    else this.doWhileBelow(counter, count, 1, () => body(counter))
    this.release(counter)
  }

  #operand(value: Local | number): void {
    if (typeof value === 'number') this.i32(value)
    else this.get(value)
  }

  /** The function's entry in the code section: local declarations, then the code. */
  finish(): Bytes {
    if (this.#depth !== 0) throw internalError('an open block in a wasm function')
    const runs: { type: ValueType; count: number }[] = []
    for (const type of this.#locals) {
      const last = runs.at(-1)
      if (last?.type === type) last.count++
      else runs.push({ type, count: 1 })
    }
    const out = new Bytes(this.#code.length + 16)
    out.u32(runs.length)
    for (const { type, count } of runs) {
      out.u32(count)
      out.byte(valueTypeCode[type])
    }
    out.append(this.#code)
    out.byte(0x0b)
    return out
  }
}
