import type { Program } from '@tessella/compiler'
import { BackendError, byteWidth, type DeviceBuffer, type Executable, internalError } from '@tessella/ir'
import type { CpuBuffer, Heap } from './heap.ts'
import type { Block } from './memory.ts'
import { buildModule } from './module.ts'
import type { Features } from './wasm/features.ts'

const scratchAlignment = 64

/** A program as a WebAssembly instance over the backend's memory. */
export class CpuExecutable implements Executable {
  readonly kernels: number
  readonly #heap: Heap
  readonly #program: Program
  readonly #text: () => string
  readonly #pointers: Block
  #run: (() => void) | undefined
  readonly #scratchOffset: number
  readonly #arenaBytes: number
  /** Where the pointer table says the arena is. */
  #arena = -1

  constructor(heap: Heap, features: Features, program: Program, text: () => string) {
    for (const { dtype } of program.buffers) requireDType(dtype)
    this.#heap = heap
    this.#program = program
    this.#text = text
    this.kernels = program.kernels.length
    this.#pointers = heap.memory.allocate(4 * (program.buffers.length + 1))
    try {
      const built = buildModule(program, { features, constants: heap.constants, pointers: this.#pointers.address })
      this.#scratchOffset = Math.ceil(program.temporaryBytes / scratchAlignment) * scratchAlignment
      this.#arenaBytes = this.#scratchOffset + built.scratchBytes
      const module = new WebAssembly.Module(built.bytes)
      const instance = new WebAssembly.Instance(module, { env: { memory: heap.memory.memory } })
      this.#run = instance.exports['run'] as () => void
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
    const arena = this.#arenaBytes > 0 ? this.#heap.arena(this.#arenaBytes) : 0
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
      execute()
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
    this.#heap.detach(this)
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
    for (const [i, { place }] of buffers.entries())
      if (place.kind === 'temporary') words[table + i] = arena + place.offset
    words[table + buffers.length] = arena + this.#scratchOffset
    this.#arena = arena
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
