import type { BufferPlan } from '@tessella/compiler'
import { byteWidth, type DType } from '@tessella/ir'
import type { KernelContext } from '../kernels/context.ts'

/** A kernel's context to which buffers can be added: parts of known ones, and scratch memory. */
export class Workspace {
  readonly context: KernelContext
  readonly #buffers: BufferPlan[]
  readonly #slotOf = new Map<number, number>()
  readonly #bases = new Map<number, number>()

  constructor({ buffers, slots, capabilities }: KernelContext) {
    this.#buffers = [...buffers]
    const slotOf = (buffer: number) => this.#slotOf.get(buffer) ?? slots.slotOf(buffer)
    const scratch = (bytes: number) => slots.scratch(bytes)
    const own = { slotOf, scratch, pages: slots.pages }
    this.context = { buffers: this.#buffers, slots: own, capabilities, bases: this.#bases }
  }

  /** The elements of a buffer from `first` on, as a buffer. */
  part(buffer: number, first: number, length: number): number {
    const dtype = this.#buffers[buffer]?.dtype ?? 'float32'
    const base = (this.#bases.get(buffer) ?? 0) + first
    return this.#add({ dtype, length }, this.context.slots.slotOf(buffer), base)
  }

  /** New buffers, side by side in one slot. */
  scratch(wanted: readonly { readonly dtype: DType; readonly length: number }[]): number[] {
    let bytes = 0
    const firsts = wanted.map(({ dtype, length }) => {
      const first = bytes / byteWidth(dtype)
      bytes += Math.ceil((length * byteWidth(dtype)) / 16) * 16
      return first
    })
    const slot = this.context.slots.scratch(bytes)
    return wanted.map((plan, i) => this.#add(plan, slot, firsts[i] as number))
  }

  #add(plan: { readonly dtype: DType; readonly length: number }, slot: number, base: number): number {
    const buffer = this.#buffers.push({ ...plan, place: { kind: 'temporary', offset: 0 } }) - 1
    this.#slotOf.set(buffer, slot)
    this.#bases.set(buffer, base)
    return buffer
  }
}
