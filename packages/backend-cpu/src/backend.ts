import { compileGraph, type Program, printProgram, type Target } from '@tessella/compiler'
import {
  type Backend,
  BackendError,
  byteWidth,
  type DeviceBuffer,
  type DType,
  type Executable,
  type Graph,
  type HostArray,
  type HostArrays,
  hostArray,
  irVersion,
  type MemoryReport,
} from '@tessella/ir'
import { CpuExecutable, requireDType } from './executable.ts'
import { Heap, type HeapThreads } from './heap.ts'
import { threadsFor } from './threads/options.ts'
import { type Features, probeFeatures } from './wasm/features.ts'
import { nativeBinary, nativeUnary } from './wasm/functions.ts'
import { enableWide } from './wide.ts'

export interface CpuOptions {
  /**
   * Threads that compute, the calling one included: 1 to 64. Default: one per core, at most 8. Where memory cannot be
   * shared, as in a page that is not isolated from other origins, it is 1 in any case. Results do not depend on it.
   */
  readonly threads?: number
  /**
   * Lets V8 in Node merge pairs of 128-bit vectors into 256 bits, which doubles the speed of matrix products. It sets an
   * experimental flag of the whole process, from now on, checks itself and stays off with a warning where that fails.
   * Default: whether the environment says TESSELLA_WIDE=1.
   */
  readonly wide?: boolean
  /**
   * How convolutions with 3x3 kernels may be computed. 'high', the default, allows Winograd's F(4x4, 3x3), as PyTorch's
   * libraries do on a graphics card: about twice the error of plain sums. 'highest' keeps to F(2x2, 3x3), which is as
   * accurate as plain sums and takes 1.6 times as long. The names are those of `torch.set_float32_matmul_precision`.
   */
  readonly convPrecision?: ConvPrecision
}

export type ConvPrecision = 'high' | 'highest'
const precisions: readonly unknown[] = ['high', 'highest'] satisfies readonly ConvPrecision[]
const optionNames: readonly string[] = ['convPrecision', 'threads', 'wide'] satisfies readonly (keyof CpuOptions)[]

/** All but float64. */
const dtypes: ReadonlySet<DType> = new Set<DType>(['float32', 'float16', 'int32', 'uint32', 'uint8', 'bool'])

const target: Target = {
  name: 'cpu',
  dtypes,
  unary: nativeUnary,
  binary: nativeBinary,
  alignment: 64,
  maxBuffers: 1024,
  // A row of 256 KB stays in the second cache between passes.
  rows: { elements: 65536, keep: true },
}

/** The CPU backend: WebAssembly generated for each program. Made by {@link cpu}. */
export class CpuBackend implements Backend {
  readonly name = 'cpu'
  readonly irVersion = irVersion
  readonly dtypes = dtypes
  /** Threads that compute, this one included. */
  readonly threads: number
  /** Whether kernels are made for 256-bit vectors. */
  readonly wide: boolean
  /** How convolutions may be computed. */
  readonly convPrecision: ConvPrecision
  readonly #features: Features
  #heap: Heap | undefined

  /** `sharing` is for tests. */
  constructor(options: CpuOptions = {}, sharing: Omit<HeapThreads, 'threads'> = {}) {
    const unknown = Object.keys(options).find((key) => !optionNames.includes(key))
    if (unknown !== undefined)
      throw new BackendError(
        'cpu',
        'bad-option',
        `there is no option '${unknown}'. Options are convPrecision, threads and wide.`,
      )
    const { convPrecision = 'high' } = options
    if (!precisions.includes(convPrecision))
      throw new BackendError(
        'cpu',
        'bad-option',
        `convPrecision is ${JSON.stringify(convPrecision)}. It is 'high' or 'highest'.`,
      )
    this.convPrecision = convPrecision
    this.threads = threadsFor(options.threads)
    const features = probeFeatures()
    if (!features.simd)
      throw new BackendError('cpu', 'unavailable', 'this engine has no WebAssembly SIMD. Use a newer one.')
    this.wide = (options.wide ?? globalThis.process?.env?.['TESSELLA_WIDE'] === '1') && enableWide(features)
    this.#features = { ...features, wide: this.wide, accurate: convPrecision === 'highest' }
    this.#heap = new Heap({ threads: this.threads, ...sharing })
  }

  #live(): Heap {
    if (!this.#heap) throw new BackendError('cpu', 'disposed', 'the backend was disposed')
    return this.#heap
  }

  prepare(graph: Graph): Executable {
    this.#live()
    for (const { dtype } of [...graph.inputs, ...graph.outputs]) requireDType(dtype)
    return this.prepareProgram(compileGraph(graph, target))
  }

  /** A program in the compiler's form. */
  prepareProgram(program: Program): CpuExecutable {
    return new CpuExecutable(this.#live(), this.#features, program, () => printProgram(program))
  }

  upload(data: HostArray, dtype: DType): DeviceBuffer {
    requireDType(dtype)
    const heap = this.#live()
    const buffer = heap.allocate(data.byteLength)
    heap.memory.bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), buffer.block.address)
    return buffer
  }

  async read<D extends DType>(buffer: DeviceBuffer, dtype: D): Promise<HostArrays[D]> {
    const heap = this.#live()
    const { block, byteLength } = heap.own(buffer, 'the buffer to read')
    const data = hostArray(dtype, byteLength / byteWidth(dtype))
    const bytes = heap.memory.bytes.subarray(block.address, block.address + byteLength)
    new Uint8Array(data.buffer, data.byteOffset, data.byteLength).set(bytes)
    return data
  }

  release(buffer: DeviceBuffer): void {
    const heap = this.#live()
    heap.release(heap.own(buffer, 'the buffer to release'))
  }

  /** Starts the workers that the second run of a large program would start, and waits until they take part. */
  async startThreads(): Promise<void> {
    await this.#live().pool?.started()
  }

  /** Workers that take part by now: none before the second run of a large program. */
  get workers(): number {
    return this.#live().pool?.ready ?? 0
  }

  /** Parts of kernels that workers have done so far. */
  get helped(): number {
    return this.#live().pool?.helped ?? 0
  }

  async synchronize(): Promise<void> {
    this.#live()
  }

  memory(): MemoryReport {
    const heap = this.#live()
    const { bytes, buffers, peakBytes } = heap
    return { bytes, buffers, peakBytes, reservedBytes: heap.memory.reservedBytes }
  }

  dispose(): void {
    this.#heap?.close()
    this.#heap = undefined
  }
}

/**
 * A CPU backend that needs nothing but WebAssembly SIMD: Node and browsers. Each backend has its own memory of up to
 * 4 GiB. No float64.
 *
 * @throws BackendError 'bad-option' for an option that is not there or a value that it cannot have, 'unavailable' without SIMD
 * @example
 * await useBackend(cpu())
 */
export function cpu(options: CpuOptions = {}): CpuBackend {
  return new CpuBackend(options)
}
