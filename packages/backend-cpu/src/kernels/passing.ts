import type { Kernel, Program } from '@tessella/compiler'
import { byteWidth } from '@tessella/ir'
import { addScaled } from '../routines/epilogue.ts'
import type { FunctionBuilder, GlobalRef, Local } from '../wasm/assembler.ts'
import type { KernelContext } from './context.ts'
import { isByImage, lengthOf, touchesOf } from './footprint.ts'

/** A buffer that only lives within a chain: each thread has room for the images it works on. */
interface Passed {
  readonly buffer: number
  readonly home: GlobalRef
  readonly imageBytes: number
}

/** The buffers that a chain makes and uses up image by image: nothing outside of it touches them. */
export function passedIn(program: Program, members: readonly Kernel[], images: number): number[] {
  const inside = new Set(members)
  const outside = new Set(
    program.kernels.filter((k) => !inside.has(k)).flatMap((k) => touchesOf(k).map((t) => t.buffer)),
  )
  const touches = members.flatMap((m) => touchesOf(m))
  return [...new Set(touches.map((t) => t.buffer))].filter(
    (b) =>
      program.buffers[b]?.place.kind === 'temporary' &&
      !outside.has(b) &&
      touches.every((t) => t.buffer !== b || isByImage(t, lengthOf(program, b), images)),
  )
}

/**
 * What a chain makes and uses up image by image never goes to the program's memory: it lies in the thread's own memory, over
 * and over in the same place, which stays in the cache and is never written back.
 */
export class Passing {
  readonly #all: readonly Passed[]

  constructor(context: KernelContext, program: Program, members: readonly Kernel[], images: number) {
    this.#all = passedIn(program, members, images).map((buffer) => ({
      buffer,
      home: context.module.global(),
      imageBytes: (lengthOf(program, buffer) * byteWidth(context.dtypeOf(buffer))) / images,
    }))
  }

  /** Where the chain's kernels find buffers. */
  contextOf(context: KernelContext): KernelContext {
    const homes = new Map(this.#all.map((p) => [p.buffer, p.home]))
    return { ...context, slot: (buffer) => homes.get(buffer) ?? context.slot(buffer) }
  }

  /** Bytes of each thread's own memory for this many images. */
  bytes(block: number): number {
    return this.#offsets(block).at(-1) as number
  }

  /** Puts the part for image `first` at the start of its room: addresses of earlier images are below it, and not used. */
  place(f: FunctionBuilder, area: (f: FunctionBuilder) => void, block: number, first: Local): void {
    const offsets = this.#offsets(block)
    for (const [i, { home, imageBytes }] of this.#all.entries()) {
      area(f)
      addScaled(f, 1, offsets[i] as number)
      f.i32(0)
      addScaled(f, first, imageBytes)
      f.op('i32.sub')
      f.setGlobal(home)
    }
  }

  /** Kernels read whole vectors, so that there is room behind each. */
  #offsets(block: number): number[] {
    let end = 0
    return [0, ...this.#all.map((p) => (end += Math.ceil((p.imageBytes * block) / 64) * 64 + 64))]
  }
}
