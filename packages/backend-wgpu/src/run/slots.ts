import type { BufferPlan, Program } from '@tessella/compiler'
import { byteWidth, internalError } from '@tessella/ir'
import type { Capabilities } from '../device/capabilities.ts'
import { type Dispatch, emitKernel } from '../kernel.ts'
import { pageCount } from '../memory/pages.ts'
import { touched } from './touched.ts'

/** Where the memory of a slot comes from when the program runs. */
export type Slot =
  | { readonly kind: 'input'; readonly index: number }
  | { readonly kind: 'output'; readonly index: number }
  | { readonly kind: 'temporary'; bytes: number }

export interface SlotPlan {
  readonly slots: readonly Slot[]
  /** Slot of each output. */
  readonly outputs: readonly number[]
  readonly dispatches: readonly Dispatch[]
}

export const bytesOf = ({ length, dtype }: BufferPlan): number => length * byteWidth(dtype)

/** The kernels between which each buffer is in use. */
function livesOf(program: Program): Map<number, { first: number; last: number }> {
  const lives = new Map<number, { first: number; last: number }>()
  for (const [at, kernel] of program.kernels.entries())
    for (const buffer of touched(kernel)) {
      const life = lives.get(buffer)
      if (life) life.last = at
      else lives.set(buffer, { first: at, last: at })
    }
  return lives
}

/** Temporary slots while kernels are gone through in order. */
class Temporaries {
  readonly #slots: Slot[]
  readonly #bindingBytes: number
  readonly #free: number[] = []

  constructor(slots: Slot[], bindingBytes: number) {
    this.#slots = slots
    this.#bindingBytes = bindingBytes
  }

  #bytes(slot: number): number {
    const found = this.#slots[slot]
    if (found?.kind !== 'temporary') throw internalError(`slot ${slot} is not temporary`)
    return found.bytes
  }

  /** The tightest free slot; where none is large enough, the largest, grown. One page stays one page. */
  take(bytes: number): number {
    const isPaged = (size: number) => size > this.#bindingBytes
    const free = this.#free.filter((slot) => isPaged(this.#bytes(slot)) === isPaged(bytes))
    const fits = free.filter((slot) => this.#bytes(slot) >= bytes)
    const tight = fits.sort((a, b) => this.#bytes(a) - this.#bytes(b))[0]
    const slot = tight ?? free.sort((a, b) => this.#bytes(b) - this.#bytes(a))[0]
    if (slot === undefined) return this.#slots.push({ kind: 'temporary', bytes }) - 1
    this.#free.splice(this.#free.indexOf(slot), 1)
    if (tight === undefined) this.#slots[slot] = { kind: 'temporary', bytes }
    return slot
  }

  give(slot: number): void {
    this.#free.push(slot)
  }
}

/**
 * Gives every buffer of a program a slot, a whole GPUBuffer: inputs theirs, outputs a new one or that of the donated input
 * in `reused`, temporaries one that is free all their life, or the one the compiler lets them take over in place.
 */
export function planSlots(
  program: Program,
  reused: readonly (number | undefined)[],
  capabilities: Capabilities,
): SlotPlan {
  const slots: Slot[] = program.inputs.map((_, index) => ({ kind: 'input', index }))
  const slotOf: number[] = []
  for (const [index, buffer] of program.inputs.entries()) slotOf[buffer] = index
  const outputs = program.outputs.map((buffer, index) => {
    const slot = reused[index] ?? slots.push({ kind: 'output', index }) - 1
    slotOf[buffer] = slot
    return slot
  })
  const { maxBindingBytes } = capabilities
  const temporaries = new Temporaries(slots, maxBindingBytes)
  const bytesIn = (slot: number): number => {
    const found = slots[slot] as Slot
    if (found.kind === 'temporary') return found.bytes
    const buffer = (found.kind === 'input' ? program.inputs : program.outputs)[found.index] as number
    return bytesOf(program.buffers[buffer] as BufferPlan)
  }
  const lives = livesOf(program)
  const dying: number[][] = program.kernels.map(() => [])
  const born: number[][] = program.kernels.map(() => [])
  for (const [buffer, { first, last }] of lives) {
    if (program.buffers[buffer]?.place.kind !== 'temporary') continue
    born[first]?.push(buffer)
    dying[last]?.push(buffer)
  }
  const dispatches: Dispatch[] = []
  for (const [at, kernel] of program.kernels.entries()) {
    const inherited = new Set<number>()
    for (const buffer of born[at] ?? []) {
      const plan = program.buffers[buffer] as BufferPlan
      const host = (dying[at] ?? []).find((b) => b !== buffer && slotOf[b] !== undefined && inPlace(program, b, buffer))
      const slot = host === undefined ? temporaries.take(bytesOf(plan)) : (slotOf[host] as number)
      if (host !== undefined) inherited.add(host)
      slotOf[buffer] = slot
    }
    const scratch: number[] = []
    const emitted = emitKernel(
      kernel,
      program.buffers,
      {
        slotOf: (buffer) => {
          const slot = slotOf[buffer]
          if (slot === undefined) throw internalError(`buffer ${buffer} has no slot`)
          return slot
        },
        pages: (slot) => pageCount(bytesIn(slot), maxBindingBytes),
        scratch: (bytes) => {
          const slot = temporaries.take(bytes)
          scratch.push(slot)
          return slot
        },
      },
      capabilities,
    )
    dispatches.push(...emitted)
    for (const buffer of dying[at] ?? []) if (!inherited.has(buffer)) temporaries.give(slotOf[buffer] as number)
    for (const slot of scratch) temporaries.give(slot)
  }
  return { slots, outputs, dispatches }
}

/** Whether the compiler put a temporary that is born over one that dies in the same kernel; otherwise their places differ. */
function inPlace({ buffers }: Program, dying: number, born: number): boolean {
  const [a, b] = [buffers[dying] as BufferPlan, buffers[born] as BufferPlan]
  return (
    a.place.kind === 'temporary' &&
    b.place.kind === 'temporary' &&
    a.place.offset === b.place.offset &&
    bytesOf(a) === bytesOf(b)
  )
}
