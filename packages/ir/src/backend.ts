import type { DType, HostArray, HostArrays } from './dtype.ts'
import type { Graph } from './ops.ts'

/** Memory of a backend that holds one value; opaque to everybody else. */
export interface DeviceBuffer {
  /** Bytes of the value it holds. */
  readonly byteLength: number
}

export interface MemoryReport {
  /** Bytes of live buffers: what uploads and runs returned and nobody released. */
  readonly bytes: number
  /** Number of live buffers. */
  readonly buffers: number
  /** Highest `bytes` so far, intermediates of running programs included where the backend knows them. */
  readonly peakBytes: number
  /** Bytes taken from the system, pools included. */
  readonly reservedBytes: number
}

/** A prepared program. */
export interface Executable {
  /** Number of kernels one run starts; 0 where the notion does not apply. */
  readonly kernels: number
  /**
   * Computes the outputs, in order, each in a buffer of its own that the caller owns.
   * A donated input belongs to the run: the backend reuses or releases it. A run that throws has taken nothing.
   */
  run(inputs: readonly DeviceBuffer[], donated: readonly boolean[]): DeviceBuffer[]
  /** The program as text, for people and snapshot tests. */
  print(): string
  dispose(): void
}

/** The narrow waist: all that a device must do for the rest of the library. */
export interface Backend {
  readonly name: string
  /** Must equal `irVersion` of the language it is attached to. */
  readonly irVersion: number
  readonly dtypes: ReadonlySet<DType>
  /** Compiles a graph. Throws `BackendError` for a dtype or size the device does not have. */
  prepare(graph: Graph): Executable
  /** Copies host elements into a new buffer. */
  upload(data: HostArray, dtype: DType): DeviceBuffer
  /** Copies a buffer's elements to the host, after all work that writes it. */
  read<D extends DType>(buffer: DeviceBuffer, dtype: D): Promise<HostArrays[D]>
  release(buffer: DeviceBuffer): void
  /** Resolves when all started work is done. */
  synchronize(): Promise<void>
  /**
   * A promise while more work is queued than is good, undefined when there is room. Absent where `run` has done its work
   * when it returns. A backend that can wait inside of `run` does that too, so that its queue is bounded for everybody.
   */
  pace?(): Promise<void> | undefined
  memory(): MemoryReport
  /** Frees everything; later calls throw `BackendError` with code `disposed`. Idempotent. */
  dispose(): void
}
