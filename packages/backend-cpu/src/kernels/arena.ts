import { type Access, accessOf, type BufferPlan, type MemoryPlan, type Program, planMemory } from '@tessella/compiler'
import { byteWidth } from '@tessella/ir'
import { roomFor } from '../memory.ts'
import { aligned } from '../routines/workspace.ts'
import type { Chain, Stage } from './chains.ts'
import { passedIn } from './passing.ts'

/**
 * The program with memory of its own for each temporary: what the compiler's plan lets share bytes would keep kernels from
 * being brought together, and {@link planArena} plans anew for the order that comes of it.
 */
export function apart(program: Program): Program {
  let temporaryBytes = 0
  const buffers = program.buffers.map((plan): BufferPlan => {
    if (plan.place.kind !== 'temporary') return plan
    const offset = temporaryBytes
    temporaryBytes += aligned(plan.length * byteWidth(plan.dtype))
    return { ...plan, place: { kind: 'temporary', offset } }
  })
  return { ...program, buffers, temporaryBytes }
}

/** Where temporaries lie while the program runs in these stages. Those that a chain hands on within itself have no place. */
export function planArena(program: Program, stages: readonly Stage[]): MemoryPlan {
  const accesses = stages.map((stage) => ('members' in stage ? accessOfChain(program, stage) : accessOf(stage)))
  return planMemory(program.buffers, accesses, roomFor)
}

/** All that a chain touches in the program's memory, in no order: its images are at different kernels. */
function accessOfChain(program: Program, { images, members }: Chain): Access {
  const passed = new Set(passedIn(program, members, images))
  const all = members.map(accessOf)
  const kept = (buffer: number): boolean => !passed.has(buffer)
  const reads = all.flatMap(({ loads, operands }) => [...loads.map((l) => l.buffer), ...operands])
  return {
    writes: all.flatMap(({ writes }) => writes.filter((w) => kept(w.buffer))),
    loads: [],
    operands: new Set(reads.filter(kept)),
  }
}
