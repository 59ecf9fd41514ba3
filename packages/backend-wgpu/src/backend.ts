import { compileGraph, type Target } from '@tessella/compiler'
import {
  type Backend,
  BackendError,
  byteWidth,
  checkOptions,
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
import { type Capabilities, capabilitiesOf } from './device/capabilities.ts'
import { Device } from './device/device.ts'
import { matricesOf } from './device/matrices.ts'
import { openDevice } from './device/open.ts'
import type { WgpuOptions } from './device/options.ts'
import { checkPrecision, type MatmulPrecision } from './device/precision.ts'
import type { Pump } from './device/pump.ts'
import type { Page } from './memory/pool.ts'
import { Readback } from './memory/readback.ts'
import { Store } from './memory/store.ts'
import { WgpuExecutable } from './run/executable.ts'
import { InFlight } from './run/inFlight.ts'
import { Pipelines } from './run/pipelines.ts'
import { nativeBinary, nativeUnary } from './wgsl/functions.ts'

/** All but float64, which WGSL does not have. */
const dtypes: ReadonlySet<DType> = new Set<DType>(['float32', 'float16', 'int32', 'uint32', 'uint8', 'bool'])

/** Each of so many values may lie across two pages in a dispatch of the default limits. */
const fewBuffers = 4

function targetOf(capabilities: Capabilities): Target {
  return {
    name: 'wgpu',
    dtypes,
    unary: nativeUnary,
    binary: nativeBinary,
    alignment: 256,
    maxBuffers: capabilities.maxStorageBuffers,
    // Caches are small beside the lanes that compute: a value is computed again rather than kept.
    rows: { elements: 65536, keep: false },
  }
}

/** The WebGPU backend: WGSL generated for each program. Made by {@link wgpu}. */
export class WgpuBackend implements Backend {
  readonly name = 'wgpu'
  readonly irVersion = irVersion
  readonly dtypes = dtypes
  readonly #device: Device
  readonly #store: Store
  readonly #pipelines: Pipelines
  readonly #readback: Readback
  readonly #target: Target
  readonly #inFlight: InFlight

  /** @internal */
  constructor(device: Device, memoryLimit?: number, pump?: Pump) {
    this.#device = device
    this.#store = new Store(device, memoryLimit)
    this.#pipelines = new Pipelines(device)
    this.#readback = new Readback(device)
    this.#inFlight = new InFlight(device, pump)
    this.#target = targetOf(device.capabilities)
  }

  /** The adapter, for people: vendor, architecture and name of the card or driver. */
  get adapter(): string {
    return this.#device.name
  }

  /** The precision in use: what was asked for, or 'highest' where the device cannot do that. */
  get precision(): MatmulPrecision {
    return this.#device.capabilities.precision
  }

  prepare(graph: Graph): Executable {
    this.#device.check()
    for (const { dtype } of [...graph.inputs, ...graph.outputs]) requireDType(dtype)
    try {
      return this.#executable(graph, this.#target)
    } catch (error) {
      // Values of several pages take more bindings each: kernels of fewer values may do.
      if (!(error instanceof BackendError && error.code === 'too-large')) throw error
      return this.#executable(graph, { ...this.#target, maxBuffers: Math.min(fewBuffers, this.#target.maxBuffers) })
    }
  }

  #executable(graph: Graph, target: Target): WgpuExecutable {
    const program = compileGraph(graph, target)
    for (const { dtype } of program.buffers) requireDType(dtype)
    const shared = {
      device: this.#device,
      store: this.#store,
      pipelines: this.#pipelines,
      inFlight: this.#inFlight,
    }
    return new WgpuExecutable(shared, program)
  }

  upload(data: HostArray, dtype: DType): DeviceBuffer {
    this.#device.check()
    requireDType(dtype)
    this.#inFlight.block()
    const buffer = this.#store.allocate(data.byteLength, 'the upload')
    // Bytes, because Dawn in Node does not survive a Float16Array.
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    let first = 0
    for (const page of buffer.memory.pages) {
      this.#write(page, bytes.subarray(first, first + page.size))
      first += page.size
    }
    return buffer
  }

  /** Writes are of whole words. */
  #write({ buffer }: Page, bytes: Uint8Array<ArrayBufferLike>): void {
    const { queue } = this.#device
    const whole = bytes.byteLength - (bytes.byteLength % 4)
    if (whole > 0) queue.writeBuffer(buffer, 0, bytes.buffer, bytes.byteOffset, whole)
    if (whole < bytes.byteLength) {
      const rest = new Uint8Array(4)
      rest.set(bytes.subarray(whole))
      queue.writeBuffer(buffer, whole, rest)
    }
    this.#inFlight.staged(bytes.byteLength)
  }

  async read<D extends DType>(buffer: DeviceBuffer, dtype: D): Promise<HostArrays[D]> {
    const owned = this.#store.own(buffer, 'the buffer to read')
    const { memory, byteLength } = owned
    const data = hostArray(dtype, byteLength / byteWidth(dtype))
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    const settled = this.#store.settled()
    if (byteLength > 0) await this.#readback.read(memory, byteLength, bytes)
    await settled
    this.#device.check()
    this.#store.checkSound(owned, 'the buffer to read')
    return data
  }

  release(buffer: DeviceBuffer): void {
    // Finalizers release what was on a lost device; that is no error.
    if (this.#device.disposed) this.#device.check()
    this.#store.release(this.#store.identify(buffer, 'the buffer to release'))
  }

  async synchronize(): Promise<void> {
    this.#device.check()
    const settled = this.#store.settled()
    await this.#device.queue.onSubmittedWorkDone()
    await settled
    this.#device.check()
  }

  /** Resolves when the queue has room; undefined when it has. Where it can, {@link Executable.run} waits by itself. */
  pace(): Promise<void> | undefined {
    return this.#inFlight.pace()
  }

  memory(): MemoryReport {
    if (this.#device.disposed) this.#device.check()
    const { bytes, buffers, peakBytes, pool } = this.#store
    return { bytes, buffers, peakBytes, reservedBytes: pool.reservedBytes }
  }

  dispose(): void {
    this.#device.dispose()
  }
}

/** Throws for float64. */
function requireDType(dtype: DType): void {
  if (!dtypes.has(dtype))
    throw new BackendError(
      'wgpu',
      'unsupported-dtype',
      `${dtype} is not computed here. Cast to float32: x.cast('float32'), or use the reference backend of @tessella/testing.`,
    )
}

/**
 * A WebGPU backend: `navigator.gpu` in browsers and Deno, the package `webgpu` (Dawn) in Node. No float64.
 *
 * @throws BackendError 'unavailable' where there is no WebGPU or no adapter; the message says how to get one
 * @throws OpError for an option that does not exist
 * @example
 * await useBackend(wgpu())
 */
export async function wgpu(options: WgpuOptions = {}): Promise<WgpuBackend> {
  checkOptions('wgpu', options, ['adapter', 'power', 'toggles', 'safe', 'precision', 'memoryLimit'])
  const precision = checkPrecision(options.precision)
  const { device, info, pump } = await openDevice(options)
  const matrices = precision === 'highest' ? [] : await matricesOf(device, info)
  const capabilities = capabilitiesOf(device, info, precision, matrices)
  return new WgpuBackend(new Device(device, info, capabilities), options.memoryLimit, pump)
}
