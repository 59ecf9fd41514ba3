import { type Program, printProgram } from '@tessella/compiler'
import { type DeviceBuffer, type Executable, internalError } from '@tessella/ir'
import type { Device } from '../device/device.ts'
import { disposedError, tooLargeError } from '../device/errors.ts'
import { mostElements } from '../memory/pages.ts'
import type { Memory } from '../memory/pool.ts'
import type { Store, WgpuBuffer } from '../memory/store.ts'
import type { InFlight } from './inFlight.ts'
import type { Pipelines, Prepared } from './pipelines.ts'
import { bytesOf, planSlots, type SlotPlan } from './slots.ts'

/** After this many dispatches a long program is submitted in part, so that the device starts while the rest is recorded. */
const submitEvery = 256

interface Plan extends SlotPlan {
  readonly prepared: readonly Prepared[]
}

/** What programs of one backend share. */
export interface Shared {
  readonly device: Device
  readonly store: Store
  readonly pipelines: Pipelines
  readonly inFlight: InFlight
}

/** A program as compute passes; planned anew for each set of outputs that take the place of inputs. */
export class WgpuExecutable implements Executable {
  readonly kernels: number
  readonly #shared: Shared
  readonly #program: Program
  readonly #plans = new Map<string, Plan>()
  #disposed = false

  constructor(shared: Shared, program: Program) {
    const { capabilities } = shared.device
    for (const [i, { length, place }] of program.buffers.entries()) {
      const what = { input: 'an input', output: 'an output', temporary: 'an intermediate value' }[place.kind]
      if (length > mostElements) throw tooLargeError(`${what} of the program (b${i})`, length, mostElements)
    }
    this.#shared = shared
    this.#program = program
    this.kernels = program.kernels.length
    // Whether values of several pages can be worked on is told now, not at the first run.
    if (program.buffers.some((buffer) => bytesOf(buffer) > capabilities.maxBindingBytes))
      planSlots(program, [], capabilities)
  }

  run(inputs: readonly DeviceBuffer[], donated: readonly boolean[]): DeviceBuffer[] {
    const { device, store } = this.#shared
    device.check()
    if (this.#disposed) throw disposedError('this executable')
    const program = this.#program
    if (inputs.length !== program.inputs.length)
      throw internalError(`${inputs.length} inputs for a program of ${program.inputs.length}`)
    const owned = inputs.map((buffer, i) => this.#input(buffer, i))
    const reused = program.outputs.map((buffer) => this.#reusable(buffer, owned, donated))
    const plan = this.#plan(reused)
    this.#shared.inFlight.block()
    const fresh: (WgpuBuffer | undefined)[] = []
    const temporaries: Memory[] = []
    try {
      for (const [i, buffer] of program.outputs.entries())
        fresh.push(reused[i] === undefined ? store.allocate(this.#byteLength(buffer), `output ${i}`) : undefined)
      const memories = plan.slots.map((slot) => {
        if (slot.kind === 'input') return (owned[slot.index] as WgpuBuffer).memory
        if (slot.kind === 'output') return (fresh[slot.index] as WgpuBuffer).memory
        const memory = store.pool.take(slot.bytes, 'an intermediate value')
        temporaries.push(memory)
        return memory
      })
      store.note(temporaries.reduce((sum, { size }) => sum + size, 0))
      this.#submit(plan.prepared, memories)
    } catch (error) {
      for (const buffer of fresh) if (buffer) store.release(buffer)
      throw error
    } finally {
      for (const memory of temporaries) store.pool.give(memory)
    }
    store.pool.tick()
    const outputs = reused.map((input, i) =>
      input === undefined ? (fresh[i] as WgpuBuffer) : store.take(owned[input] as WgpuBuffer),
    )
    for (const [i, buffer] of owned.entries()) if (donated[i] && !reused.includes(i)) store.release(buffer)
    return outputs
  }

  print(): string {
    return printProgram(this.#program)
  }

  dispose(): void {
    this.#disposed = true
    this.#plans.clear()
  }

  #plan(reused: readonly (number | undefined)[]): Plan {
    const key = reused.join(',')
    const found = this.#plans.get(key)
    if (found) return found
    const { device, pipelines } = this.#shared
    const slots = planSlots(this.#program, reused, device.capabilities)
    const plan = { ...slots, prepared: slots.dispatches.map((dispatch) => pipelines.prepare(dispatch)) }
    this.#plans.set(key, plan)
    return plan
  }

  #submit(prepared: readonly Prepared[], memories: readonly Memory[]): void {
    const { gpu, queue } = this.#shared.device
    const { pipelines, inFlight } = this.#shared
    for (let first = 0; first < prepared.length; first += submitEvery) {
      const encoder = gpu.createCommandEncoder()
      const pass = encoder.beginComputePass()
      const part = prepared.slice(first, first + submitEvery)
      for (const dispatch of part) {
        const [x, y, z] = dispatch.workgroups
        pass.setPipeline(dispatch.pipeline)
        pass.setBindGroup(0, pipelines.group(dispatch, memories))
        pass.dispatchWorkgroups(x, y, z)
      }
      pass.end()
      queue.submit([encoder.finish()])
      inFlight.submitted(part.length)
    }
  }

  #input(buffer: DeviceBuffer, index: number): WgpuBuffer {
    const owned = this.#shared.store.own(buffer, `input ${index}`)
    const expected = this.#byteLength(this.#program.inputs[index] as number)
    if (owned.byteLength !== expected)
      throw internalError(`input ${index} holds ${owned.byteLength} bytes, the program expects ${expected}`)
    return owned
  }

  #byteLength(buffer: number): number {
    const plan = this.#program.buffers[buffer]
    if (!plan) throw internalError(`buffer ${buffer} is not in the program`)
    return bytesOf(plan)
  }

  /** The donated input that an output may overwrite: one that no other input shares. */
  #reusable(buffer: number, owned: readonly WgpuBuffer[], donated: readonly boolean[]): number | undefined {
    const place = this.#program.buffers[buffer]?.place
    if (place?.kind !== 'output' || place.reuses === undefined || !donated[place.reuses]) return undefined
    const candidate = owned[place.reuses]
    return owned.filter((b) => b === candidate).length > 1 ? undefined : place.reuses
  }
}
