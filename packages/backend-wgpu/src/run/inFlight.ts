import type { Device } from '../device/device.ts'
import type { Pump } from '../device/pump.ts'

// GPUBufferUsage.MAP_READ | COPY_DST and GPUMapMode.READ.
const fenceUsage = 0x1 | 0x8
const mapRead = 0x1
/** After so many dispatches, or so many bytes of uploads, which the host holds until then, there is a fence. */
const dispatchesEach = 512
/** A submission weighs as much as so many of its dispatches. */
const submissionWeight = 32
const bytesEach = 16 * 2 ** 20
/** With so many fences ahead of it, new work waits for the oldest. */
const mostFences = 4

interface Fence {
  /** Mapped when the device has come past it. */
  readonly buffer: GPUBuffer
  passed: Promise<void>
}

/**
 * What the device has not done yet, bounded: every submission holds memory of the process until it is done. Where Dawn's
 * pump is known, new work waits inside of its call; elsewhere `pace` tells whoever can wait.
 */
export class InFlight {
  readonly #device: Device
  readonly #pump: Pump | undefined
  readonly #fences = new Set<Fence>()
  readonly #free: GPUBuffer[] = []
  #dispatches = 0
  #bytes = 0

  constructor(device: Device, pump: Pump | undefined) {
    this.#device = device
    this.#pump = pump
  }

  /** Fences that the device is not known to have passed. */
  get fences(): number {
    return this.#fences.size
  }

  /** So many dispatches were submitted together. */
  submitted(dispatches: number): void {
    this.#dispatches += submissionWeight + dispatches
    if (this.#dispatches >= dispatchesEach) this.#mark()
  }

  /** So many bytes wait for a submission. */
  staged(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes >= bytesEach) this.#mark()
  }

  /** Waits for room, where that can be done without a turn of the event loop. */
  block(): void {
    const oldest = this.#oldest()
    if (this.#pump === undefined || oldest === undefined) return
    this.#pump.until(() => oldest.buffer.mapState !== 'pending')
    for (const fence of this.#fences) if (fence.buffer.mapState !== 'pending') this.#pass(fence)
  }

  /** Resolves when there is room; undefined when there is. */
  pace(): Promise<void> | undefined {
    return this.#oldest()?.passed
  }

  /** The fence to wait for, if there are too many. */
  #oldest(): Fence | undefined {
    return this.#fences.size < mostFences ? undefined : this.#fences.values().next().value
  }

  #mark(): void {
    this.#dispatches = 0
    this.#bytes = 0
    const { gpu, queue } = this.#device
    const buffer = this.#free.pop() ?? gpu.createBuffer({ size: 4, usage: fenceUsage, label: 'fence' })
    const encoder = gpu.createCommandEncoder({ label: 'fence' })
    encoder.clearBuffer(buffer)
    queue.submit([encoder.finish()])
    const fence: Fence = { buffer, passed: Promise.resolve() }
    const pass = () => this.#pass(fence)
    // A lost or destroyed device rejects: what is wrong is told by the next use.
    fence.passed = buffer.mapAsync(mapRead).then(pass, pass)
    this.#fences.add(fence)
  }

  #pass(fence: Fence): void {
    if (!this.#fences.delete(fence) || fence.buffer.mapState !== 'mapped') return
    fence.buffer.unmap()
    this.#free.push(fence.buffer)
  }
}
