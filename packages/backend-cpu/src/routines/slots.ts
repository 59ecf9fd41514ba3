import type { KernelContext } from '../kernels/context.ts'
import type { FunctionBuilder, FunctionRef, Local } from '../wasm/assembler.ts'
import { forUnits } from './calls.ts'
import { addScaled } from './epilogue.ts'
import { limit, rangeOf, releaseIndices, takeDigit } from './split.ts'
import type { Push } from './workspace.ts'

/** Bytes of images and gradients that tiles go over again and again: they stay in the second-level cache. */
const blockBytes = 384 * 1024
/** The same, with what makes them. */
export const chainBytes = 768 * 1024
const mostSumBytes = 4 * 1024 * 1024
const mostSlots = 8
/** Outputs of a part: whole tiles of all shapes. */
const leastOutputs = 12

/** What makes the operands of some images, right before they are used. */
export interface Before {
  /** A function (first image, end), given how much of the scratch memory is taken and how many images it gets at most. */
  readonly make: (reserved: number, block: number) => FunctionRef
  /** Bytes that it touches per image. */
  readonly bytes: number
}

/** A gradient of weights is a sum over images: they are dealt into slots, and each sums its own. */
export interface Slots {
  readonly images: number
  readonly count: number
  readonly perSlot: number
  /** Most images at once. */
  readonly block: number
  /** Bytes between the sums of slots. */
  readonly sumBytes: number
}

/** Slots for sums of so many bytes, from so many bytes per image. */
export function slotsOf(images: number, sum: number, bytes: number, before?: Before): Slots {
  const sumBytes = Math.ceil(sum / 64) * 64
  const count = Math.max(1, Math.min(mostSlots, images, Math.floor(mostSumBytes / sumBytes)))
  const perSlot = Math.ceil(images / count)
  const fitting = Math.floor(before ? chainBytes / (bytes + before.bytes) : blockBytes / bytes)
  return { images, count, perSlot, block: Math.max(1, Math.min(perSlot, fitting)), sumBytes }
}

export interface SlotCode {
  /** Memory of all slots' sums. */
  readonly sums: Push
  /** A function (first image, end) that comes before `add`. */
  readonly made: FunctionRef | undefined
  /** Once per call. */
  readonly prelude: (f: FunctionBuilder) => void
  /** Adds what `count` images from `first` on give to a part of the sums. */
  readonly add: (f: FunctionBuilder, first: Local, count: Local, sums: Local, part: Local | number) => void
}

export interface Parts {
  readonly parts: number
  /** Bytes of a part of the sums. */
  readonly bytes: number
}
const whole: Parts = { parts: 1, bytes: 0 }

/**
 * Into how many parts each slot's sums are cut, where there are too few slots for the threads: as many as it takes, of
 * outputs in equal numbers. A part goes over all the slot's images.
 */
export function partsFor({ count }: Slots, outputs: number): number {
  for (let parts = Math.ceil(mostSlots / count); parts > 1; parts--)
    if (outputs % parts === 0 && outputs / parts >= leastOutputs) return parts
  return 1
}

/** A function (first unit, end). Units: parts of slots. */
export function emitSlots(context: KernelContext, slots: Slots, code: SlotCode, { parts, bytes } = whole): FunctionRef {
  const { images, perSlot, block, sumBytes } = slots
  return context.module.function(['i32', 'i32'], [], (f, begin, end) => {
    const [sums, n, last, count] = [0, 1, 2, 3].map(() => f.local('i32')) as [Local, Local, Local, Local]
    code.prelude(f)
    forUnits(f, begin as Local, end as Local, (slot) => {
      const part = takeDigit(f, slot, parts)
      code.sums(f)
      addScaled(f, slot, sumBytes)
      addScaled(f, part, bytes)
      f.tee(sums)
      f.push(0, parts === 1 ? sumBytes : bytes)
      f.memoryFill()
      rangeOf(f, slot, perSlot, images, [n, last])
      f.whileBelow(n, last, block, () => {
        f.push(last, n, 'i32.sub')
        f.set(count)
        limit(f, count, block)
        if (code.made) {
          f.push(n, n, count, 'i32.add')
          f.call(code.made)
        }
        code.add(f, n, count, sums, part)
      })
      releaseIndices(f, [part])
    })
  })
}
