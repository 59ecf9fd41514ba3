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

/** A program as a WebAssembly instance over the backend's memory. */
export class CpuExecutable implements Executable {
  readonly kernels: number
  readonly #heap: Heap
  readonly #program: Program
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
    this.#program = program
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
    const program = this.#program
    if (inputs.length !== program.inputs.length)
      throw internalError(`${inputs.length} inputs for a program of ${program.inputs.length}`)
    const owned = inputs.map((b, i) => this.#input(b, i))
    const arena = this.arenaBytes > 0 ? this.#heap.arena(this.arenaBytes) : 0
    const reused = new Set<CpuBuffer>()
    const fresh: CpuBuffer[] = []
    try {
      const homes = program.outputs.map((buffer) => {
        const home = this.#reusable(buffer, owned, donated)
        if (home) reused.add(home)
        else fresh.push(this.#heap.allocate(this.#byteLength(buffer)))
        return home ?? (fresh.at(-1) as CpuBuffer)
      })
      this.#bind(owned, homes, arena)
      this.#execute(execute)
      const outputs = homes.map((home) => (reused.has(home) ? this.#heap.take(home) : home))
      for (const [i, buffer] of owned.entries()) if (donated[i] && !reused.has(buffer)) this.#heap.release(buffer)
      return outputs
    } catch (error) {
      for (const buffer of fresh) this.#heap.release(buffer)
      throw error
    }
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
    const owned = this.#heap.own(buffer, `input ${index}`)
    const expected = this.#byteLength(this.#program.inputs[index] as number)
    if (owned.byteLength !== expected)
      throw internalError(`input ${index} holds ${owned.byteLength} bytes, the program expects ${expected}`)
    return owned
  }

  #byteLength(buffer: number): number {
    const plan = this.#program.buffers[buffer]
    if (!plan) throw internalError(`buffer ${buffer} is not in the program`)
    return plan.length * byteWidth(plan.dtype)
  }

  /** The donated input that an output may overwrite: one that no other input shares. */
  #reusable(buffer: number, owned: readonly CpuBuffer[], donated: readonly boolean[]): CpuBuffer | undefined {
    const place = this.#program.buffers[buffer]?.place
    if (place?.kind !== 'output' || place.reuses === undefined || !donated[place.reuses]) return undefined
    const candidate = owned[place.reuses]
    const shared = owned.filter((b) => b === candidate).length > 1
    return shared ? undefined : candidate
  }

  #bind(inputs: readonly CpuBuffer[], outputs: readonly CpuBuffer[], arena: number): void {
    const words = this.#heap.memory.words
    const table = this.#pointers.address >>> 2
    const { buffers } = this.#program
    for (const [i, buffer] of this.#program.inputs.entries())
      words[table + buffer] = (inputs[i] as CpuBuffer).block.address
    for (const [i, buffer] of this.#program.outputs.entries())
      words[table + buffer] = (outputs[i] as CpuBuffer).block.address
    if (this.#arena === arena) return
    for (const [buffer, offset] of this.#offsets) words[table + buffer] = arena + offset
    words[table + buffers.length] = arena + this.#scratchOffset
    this.#arena = arena
  }
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
