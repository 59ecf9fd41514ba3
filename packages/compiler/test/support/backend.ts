import {
  type Backend,
  BackendError,
  type DeviceBuffer,
  type DType,
  type Executable,
  type Graph,
  type HostArray,
  type HostArrays,
  internalError,
  irVersion,
  type MemoryReport,
  type Node,
} from '@tessella/ir'
import { compileGraph, printProgram, type Target } from '../../src/index.ts'
import { interpret } from './interpreter.ts'
import { checkInvariants } from './invariants.ts'

interface Held extends DeviceBuffer {
  data: HostArray | undefined
}

/** A backend that compiles and runs the programs in plain loops: the conformance suite and random graphs test the compiler. */
export class CompiledBackend implements Backend {
  readonly name = 'compiled'
  readonly irVersion = irVersion
  readonly dtypes: ReadonlySet<DType>
  readonly #target: Target
  readonly #live = new Set<Held>()
  #peak = 0
  #disposed = false

  constructor(target: Target) {
    this.#target = target
    this.dtypes = target.dtypes
  }

  prepare(graph: Graph): Executable {
    this.#check()
    const program = compileGraph(graph, this.#target)
    checkInvariants(program, this.#target)
    const dtypes = graph.outputs.map((node: Node) => node.dtype)
    let disposed = false
    return {
      kernels: program.kernels.length,
      run: (inputs, donated) => {
        this.#check()
        if (disposed) throw new BackendError(this.name, 'disposed', 'this program was disposed')
        const arrays = inputs.map((b) => this.#dataOf(b))
        const outputs = interpret(program, arrays, donated)
        for (const b of new Set(inputs.filter((_, i) => donated[i]))) this.release(b)
        return outputs.map((data, i) => this.#keep(data.slice(), dtypes[i] as DType))
      },
      print: () => printProgram(program),
      dispose: () => {
        disposed = true
      },
    }
  }

  upload(data: HostArray, dtype: DType): DeviceBuffer {
    this.#check()
    return this.#keep(data.slice(), dtype)
  }

  async read<D extends DType>(buffer: DeviceBuffer, _dtype: D): Promise<HostArrays[D]> {
    this.#check()
    return this.#dataOf(buffer).slice() as HostArrays[D]
  }

  release(buffer: DeviceBuffer): void {
    this.#check()
    const held = this.#own(buffer)
    held.data = undefined
    this.#live.delete(held)
  }

  async synchronize(): Promise<void> {
    this.#check()
  }

  memory(): MemoryReport {
    this.#check()
    const bytes = [...this.#live].reduce((sum, b) => sum + b.byteLength, 0)
    return { bytes, buffers: this.#live.size, peakBytes: this.#peak, reservedBytes: bytes }
  }

  dispose(): void {
    this.#live.clear()
    this.#disposed = true
  }

  #check(): void {
    if (this.#disposed) throw new BackendError(this.name, 'disposed', 'this backend was disposed')
  }

  #keep(data: HostArray, dtype: DType): Held {
    if (!this.dtypes.has(dtype)) throw new BackendError(this.name, 'unsupported-dtype', `no ${dtype} here. Cast first.`)
    const held: Held = { byteLength: data.byteLength, data }
    this.#live.add(held)
    this.#peak = Math.max(this.#peak, this.memory().bytes)
    return held
  }

  #own(buffer: DeviceBuffer): Held {
    const held = buffer as Held
    if (!this.#live.has(held))
      throw new BackendError(
        this.name,
        'data' in buffer && held.data === undefined ? 'disposed' : 'wrong-backend',
        'not a live buffer of this backend',
      )
    return held
  }

  #dataOf(buffer: DeviceBuffer): HostArray {
    const { data } = this.#own(buffer)
    if (data === undefined) throw internalError('a live buffer without data')
    return data
  }
}
