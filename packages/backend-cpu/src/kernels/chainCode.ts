import { type Affine, type Kernel, mapLeaves, type Program } from '@tessella/compiler'
import { internalError } from '@tessella/ir'
import { emitConvGradWeight } from '../routines/convGradWeight.ts'
import { emitRoutine } from '../routines/index.ts'
import { chainBytes } from '../routines/slots.ts'
import { aligned, workspace } from '../routines/workspace.ts'
import type { FunctionRef, Local } from '../wasm/assembler.ts'
import type { Chain } from './chains.ts'
import type { KernelCode, KernelContext } from './context.ts'
import { imageBytes, touchesOf } from './footprint.ts'
import { emitMap } from './map.ts'
import { Passing } from './passing.ts'
import { emitReduce } from './reduce.ts'

type MapKernel = Extract<Kernel, { kind: 'map' }>

/** The code of a chain: a few images through all kernels, then the next ones. Units: images, or slots of a gradient. */
export function emitChain(context: KernelContext, program: Program, { images, members }: Chain): readonly KernelCode[] {
  const last = members.at(-1)
  const sums = last?.kind === 'convGradWeight' ? last : undefined
  const before = sums ? members.slice(0, -1) : members
  const bytes = imageBytes(
    program,
    before.flatMap((m) => touchesOf(m)),
    images,
  )
  const passing = new Passing(context, program, members, images)
  const inside = passing.contextOf(context)
  if (sums) {
    const make = (reserved: number, block: number): FunctionRef =>
      emitAll({ ...inside, reserved }, before, { images, block, passing })
    return emitConvGradWeight(inside, sums, { make, bytes })
  }
  const fitting = Math.max(1, Math.floor(chainBytes / Math.max(1, bytes)))
  const block = Math.min(fitting, Math.ceil(images / 4))
  return [
    { f: emitBlocks(context, emitAll(inside, before, { images, block, passing }), block), units: images, grain: block },
  ]
}

/** Calls `f` with at most `block` images at a time, whatever it is called with. */
function emitBlocks({ module }: KernelContext, f: FunctionRef, block: number): FunctionRef {
  return module.function(['i32', 'i32'], [], (body, first, end) => {
    body.whileBelow(first as Local, end as Local, block, () => {
      body.push(first as Local, first as Local, block, 'i32.add')
      const last = body.local('i32')
      body.tee(last)
      body.push(end as Local, last, end as Local, 'i32.lt_u')
      body.select('i32')
      body.release(last)
      body.call(f)
    })
  })
}

interface Blocks {
  readonly images: number
  /** Images per call, at the most. */
  readonly block: number
  readonly passing: Passing
}

/** A function (first image, end) that runs the kernels in turn. */
function emitAll(context: KernelContext, members: readonly Kernel[], { images, block, passing }: Blocks): FunctionRef {
  const passed = passing.bytes(block)
  const { own: area } = workspace(context, 0, passed)
  const reserved = aligned(context.reserved ?? 0) + passed
  const codes = members.flatMap((m) => emitByImage({ ...context, reserved }, m, images))
  return context.module.function(['i32', 'i32'], [], (f, begin, end) => {
    passing.place(f, area, block, begin as Local)
    for (const { f: kernel, units } of codes) {
      for (const bound of [begin, end] as Local[]) {
        f.push(bound, units / images, 'i32.mul')
      }
      f.call(kernel)
    }
  })
}

/** Code whose units are images, or the same number of parts of each. */
function emitByImage(context: KernelContext, kernel: Kernel, images: number): KernelCode {
  const codes = kernel.kind === 'map' ? [emitMap(context, cut(kernel, images), true)] : emitRoutines(context, kernel)
  const [code, ...more] = codes
  if (!code || more.length > 0 || code.units % images !== 0) throw internalError(`a ${kernel.kind} without images`)
  return code
}

function emitRoutines(context: KernelContext, kernel: Kernel): readonly KernelCode[] {
  switch (kernel.kind) {
    case 'reduce':
      return [emitReduce(context, kernel)]
    case 'conv':
    case 'convGradInput':
    case 'maxPool':
    case 'maxPoolGrad':
    case 'maxPoolPick':
      return emitRoutine(context, kernel)
    default:
      throw internalError(`a ${kernel.kind} has no images`)
  }
}

/** The map with its first dimension as images and the rest. */
function cut({ kind, domain, writes }: MapKernel, images: number): MapKernel {
  const [size = 1, ...rest] = domain
  const inner = size / images
  const split = ({ offset, strides: [first = 0, ...others] }: Affine): Affine => ({
    offset,
    strides: [first * inner, first, ...others],
  })
  const change = mapLeaves((leaf) => ({ ...leaf, at: split(leaf.at) }))
  return {
    kind,
    domain: [images, inner, ...rest],
    writes: writes.map(({ buffer, at, value }) => ({ buffer, at: split(at), value: change(value) })),
  }
}
