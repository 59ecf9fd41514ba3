import type { MemoryPlan, Program } from '@tessella/compiler'
import { BackendError, byteWidth, type DeviceBuffer, type Executable, internalError } from '@tessella/ir'
import type { CpuBuffer, Heap } from './heap.ts'
import { prepared } from './kernels/prepare.ts'
import type { Block } from './memory.ts'
import { buildModule, type ProgramModule } from './module.ts'
import { aligned } from './routines/workspace.ts'
import { Choice } from './threads/choice.ts'
import type { Announced } from './threads/pool.ts'
import type { Features } from './wasm/features.ts'

/** Work (element operations) of a run that is worth starting workers for: about 200 microseconds. */
const worthWorkers = 200_000

/** What a program with kernels that threads share keeps for that. */
interface Shared {
  readonly announced: Announced
  readonly choice: Choice
  readonly bytes: Block
  /** Element operations of its shared kernels. */
  readonly work: number
}

/** An input or output of a program. */
interface Port {
  readonly buffer: number
  readonly bytes: number
  /** The input whose place an output may take. */
  readonly reuses: number | undefined
}

/** A program as a WebAssembly instance over the backend's memory. */
export class CpuExecutable implements Executable {
  readonly kernels: number
  readonly #heap: Heap
  readonly #inputs: readonly Port[]
  readonly #outputs: readonly Port[]
  /** The words of the pointer table: one per buffer, then one for the scratch area. */
  readonly #buffers: number
  readonly #text: () => string
  readonly #pointers: Block
  #run: (() => void) | undefined
  readonly #scratchOffset: number
  /** Where temporaries lie in the arena. */
  readonly #offsets: MemoryPlan['offsets']
  /** Bytes that a run uses beside its inputs and outputs: temporaries, and the scratch memory of all threads. */
  readonly arenaBytes: number
  /** Where workers find the module, and its number; absent when no kernel is worth sharing. */
  readonly #shared: Shared | undefined
  /** Where the pointer table says the arena is. */
  #arena = -1
  #ran = false

  constructor(heap: Heap, features: Features, compiled: Program, text: () => string) {
    const program = prepared(compiled)
    for (const { dtype } of program.buffers) requireDType(dtype)
    this.#heap = heap
    const ports = (list: readonly number[]): Port[] => list.map((buffer) => portOf(program, buffer))
    this.#inputs = ports(program.inputs)
    this.#outputs = ports(program.outputs)
    this.#buffers = program.buffers.length
    this.#text = text
    this.kernels = compiled.kernels.length
    this.#pointers = heap.memory.allocate(4 * (program.buffers.length + 1))
    try {
      const { pool } = heap
      const threads = pool && { program: pool.number(), threading: pool.threading }
      const { constants } = heap
      const built = buildModule(program, { features, constants, pointers: this.#pointers.address, threads })
      this.#offsets = built.temporaries.offsets
      this.#scratchOffset = aligned(built.temporaries.bytes)
      this.arenaBytes = this.#scratchOffset + built.scratchBytes
      const module = new WebAssembly.Module(built.bytes)
      const instance = new WebAssembly.Instance(module, { env: { memory: heap.memory.memory } })
      this.#run = instance.exports['run'] as () => void
      if (threads && built.sharedWork > 0) this.#shared = publish(heap, threads.program, built)
    } catch (error) {
      heap.memory.release(this.#pointers)
      throw error
    }
    heap.attach(this)
  }

  run(inputs: readonly DeviceBuffer[], donated: readonly boolean[]): DeviceBuffer[] {
    const execute = this.#run
    if (!execute) throw new BackendError('cpu', 'disposed', 'this executable was disposed, or its backend')
    const heap = this.#heap
    if (inputs.length !== this.#inputs.length)
      throw internalError(`${inputs.length} inputs for a program of ${this.#inputs.length}`)
    const owned: CpuBuffer[] = []
    for (let i = 0; i < inputs.length; i++) owned.push(this.#input(inputs[i] as DeviceBuffer, i))
    const arena = this.arenaBytes > 0 ? heap.arena(this.arenaBytes) : 0
    const homes: CpuBuffer[] = []
    const reused: boolean[] = []
    try {
      for (const { reuses, bytes } of this.#outputs) {
        const home = reuses === undefined || !donated[reuses] ? undefined : unshared(owned, reuses)
        homes.push(home ?? heap.allocate(bytes))
        reused.push(home !== undefined)
      }
      this.#bind(owned, homes, arena)
      this.#execute(execute)
    } catch (error) {
      for (const [i, home] of homes.entries()) if (!reused[i]) heap.release(home)
      throw error
    }
    for (let i = 0; i < homes.length; i++) if (reused[i]) homes[i] = heap.take(homes[i] as CpuBuffer)
    // Those whose place was taken are dead by now.
    for (let i = 0; i < owned.length; i++) if (donated[i]) heap.release(owned[i] as CpuBuffer)
    return homes
  }

  print(): string {
    return this.#text()
  }

  dispose(): void {
    if (!this.#run) return
    this.#run = undefined
    this.#heap.memory.release(this.#pointers)
    if (this.#shared) {
      this.#heap.pool?.forget(this.#shared.announced.program)
      this.#heap.memory.release(this.#shared.bytes)
    }
    this.#heap.detach(this)
  }

  #execute(run: () => void): void {
    const { pool } = this.#heap
    if (!pool || !this.#shared) {
      run()
      return
    }
    // A program that runs once has no use for them, and their start would take a processor from its first run.
    if (this.#ran && this.#shared.work >= worthWorkers) pool.start()
    this.#ran = true
    pool.run(this.#shared.announced, this.#shared.choice, run)
  }

  #input(buffer: DeviceBuffer, index: number): CpuBuffer {
    const owned = this.#heap.own(buffer, index)
    const { bytes } = this.#inputs[index] as Port
    if (owned.byteLength !== bytes)
      throw internalError(`input ${index} holds ${owned.byteLength} bytes, the program expects ${bytes}`)
    return owned
  }

  #bind(inputs: readonly CpuBuffer[], outputs: readonly CpuBuffer[], arena: number): void {
    const words = this.#heap.memory.words
    const table = this.#pointers.address >>> 2
    for (let i = 0; i < inputs.length; i++)
      words[table + (this.#inputs[i] as Port).buffer] = (inputs[i] as CpuBuffer).block.address
    for (let i = 0; i < outputs.length; i++)
      words[table + (this.#outputs[i] as Port).buffer] = (outputs[i] as CpuBuffer).block.address
    if (this.#arena === arena) return
    for (const [buffer, offset] of this.#offsets) words[table + buffer] = arena + offset
    words[table + this.#buffers] = arena + this.#scratchOffset
    this.#arena = arena
  }
}

function portOf({ buffers }: Program, buffer: number): Port {
  const plan = buffers[buffer]
  if (!plan) throw internalError(`buffer ${buffer} is not in the program`)
  const { dtype, length, place } = plan
  return { buffer, bytes: length * byteWidth(dtype), reuses: place.kind === 'output' ? place.reuses : undefined }
}

/** The input, where no other one is the same buffer: only then may it be overwritten. */
function unshared(inputs: readonly CpuBuffer[], index: number): CpuBuffer | undefined {
  const input = inputs[index]
  return inputs.indexOf(input as CpuBuffer) === index && inputs.lastIndexOf(input as CpuBuffer) === index
    ? input
    : undefined
}

/** Puts the module where workers find it. */
function publish(heap: Heap, program: number, built: ProgramModule): Shared {
  const { length } = built.bytes
  const bytes = heap.memory.allocate(length)
  heap.memory.bytes.set(built.bytes, bytes.address)
  return {
    announced: { program, address: bytes.address, length },
    choice: new Choice(heap.pool?.threading.always ?? false),
    bytes,
    work: built.sharedWork,
  }
}

/** Throws for float64, which has no lanes here. */
export function requireDType(dtype: string): void {
  if (dtype === 'float64')
    throw new BackendError(
      'cpu',
      'unsupported-dtype',
      "float64 is not computed here. Cast to float32: x.cast('float32'), or use the reference backend of @tessella/testing.",
    )
}
