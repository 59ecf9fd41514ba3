import { byteWidth } from '@tessella/ir'
import { type Access, mayOverwrite } from './access.ts'
import type { BufferPlan } from './program.ts'

/** The kernels between which a buffer holds something that is still wanted. */
export interface Life {
  readonly first: number
  last: number
  /** Kernels that write it. */
  writers: number
}

export const livesOf = (accesses: readonly Access[]): Map<number, Life> => {
  const lives = new Map<number, Life>()
  const touch = (buffer: number, at: number, writes: number) => {
    const life = lives.get(buffer)
    if (life === undefined) lives.set(buffer, { first: at, last: at, writers: writes })
    else {
      life.last = at
      life.writers += writes
    }
  }
  for (const [at, { writes, loads, operands }] of accesses.entries()) {
    for (const buffer of new Set([...loads.map((l) => l.buffer), ...operands])) touch(buffer, at, 0)
    for (const buffer of new Set(writes.map((w) => w.buffer))) touch(buffer, at, 1)
  }
  return lives
}

interface Block {
  readonly buffers: number[]
  readonly bytes: number
  readonly first: number
  last: number
  offset: number
}

export interface MemoryPlan {
  /** Byte offset of each temporary. */
  readonly offsets: ReadonlyMap<number, number>
  readonly bytes: number
}

/** Joins a temporary with one that dies where it is born, when the kernel may work in place. */
function chain(
  buffers: readonly BufferPlan[],
  temporaries: readonly number[],
  lives: ReadonlyMap<number, Life>,
  accesses: readonly Access[],
): Block[] {
  const blocks: Block[] = []
  const blockOf = new Map<number, Block>()
  const bytesOf = (b: number) => (buffers[b] as BufferPlan).length * byteWidth((buffers[b] as BufferPlan).dtype)
  const byBirth = temporaries.toSorted((a, b) => (lives.get(a) as Life).first - (lives.get(b) as Life).first)
  for (const buffer of byBirth) {
    const { first, last, writers } = lives.get(buffer) as Life
    const access = accesses[first] as Access
    const bytes = bytesOf(buffer)
    const width = byteWidth((buffers[buffer] as BufferPlan).dtype)
    const host =
      writers === 1
        ? access.loads.find(({ buffer: other }) => {
            const block = blockOf.get(other)
            const sameSize = block?.bytes === bytes && byteWidth((buffers[other] as BufferPlan).dtype) === width
            return sameSize && block.last === first && mayOverwrite(access, other, buffer)
          })
        : undefined
    const block = host && blockOf.get(host.buffer)
    if (block) {
      block.buffers.push(buffer)
      block.last = last
      blockOf.set(buffer, block)
    } else {
      const fresh: Block = { buffers: [buffer], bytes, first, last, offset: 0 }
      blocks.push(fresh)
      blockOf.set(buffer, fresh)
    }
  }
  return blocks
}

/**
 * Places temporaries in one arena: large blocks first, each in the tightest gap that is free all its life. `roomFor`: bytes
 * that so many bytes take, a multiple of the alignment.
 */
export function planMemory(
  buffers: readonly BufferPlan[],
  accesses: readonly Access[],
  roomFor: (bytes: number) => number,
): MemoryPlan {
  const lives = livesOf(accesses)
  const temporaries = [...lives.keys()].filter((b) => buffers[b]?.place.kind === 'temporary')
  const blocks = chain(buffers, temporaries, lives, accesses)
  const placed: Block[] = []
  const offsets = new Map<number, number>()
  let total = 0
  for (const block of blocks.sort((a, b) => b.bytes - a.bytes || a.first - b.first)) {
    const size = roomFor(block.bytes)
    const busy = placed
      .filter((p) => p.first <= block.last && block.first <= p.last)
      .sort((a, b) => a.offset - b.offset)
    let at = 0
    let gap = Number.POSITIVE_INFINITY
    let end = 0
    for (const other of busy) {
      const room = other.offset - end
      if (room >= size && room < gap) {
        gap = room
        at = end
      }
      end = Math.max(end, other.offset + roomFor(other.bytes))
    }
    block.offset = gap === Number.POSITIVE_INFINITY ? end : at
    placed.push(block)
    total = Math.max(total, block.offset + size)
    for (const buffer of block.buffers) offsets.set(buffer, block.offset)
  }
  return { offsets, bytes: total }
}

/** True when an output's kernels may write over the input: everybody else has read it, or reads it at the same point. */
export function mayReuse(input: number, output: number, accesses: readonly Access[]): boolean {
  let written = false
  for (const access of accesses) {
    const writes = access.writes.some((w) => w.buffer === output)
    const reads = access.operands.has(input) || access.loads.some((l) => l.buffer === input)
    if (reads && written) return false
    if (writes && reads && !mayOverwrite(access, input, output)) return false
    written ||= writes
  }
  return true
}
