/** Most threads of a backend, the main one included. */
export const mostThreads = 64

const line = 64

/**
 * Where threads meet: byte offsets in a block of the shared memory. What different threads write in different moments
 * has cache lines of its own.
 */
export const control = {
  /** Number of the running program, 0 for none; changed to 0 before the two after it change. */
  program: 0,
  /** Where the module's bytes are, for workers that do not have it yet. */
  bytesAt: 4,
  bytesLength: 8,
  /** The open kernel: place in the module's table, units, units of a chunk, chunks. Stable while a chunk is not done. */
  kernel: 12,
  units: 16,
  chunk: 20,
  chunks: 24,
  /** 1 while the main thread shares kernels; only it uses this word and the next. */
  together: 28,
  /** Counts kernels (64 bits), for the tickets. */
  sequence: 32,
  /** Chunks of the open kernel that are done, and whether the main thread sleeps until they all are. */
  done: line,
  waiting: line + 4,
  /** Workers sleep on the bell; it counts calls. */
  bell: 2 * line,
  sleepers: 2 * line + 4,
  /** Workers that have started. */
  ready: 2 * line + 8,
  /** 1 tells workers to end. */
  stop: 2 * line + 12,
  /** Chunks that ended in a trap. */
  failed: 2 * line + 16,
  /** Chunks that workers have done. */
  helped: 2 * line + 20,
  /** 1 when a claimed chunk was not done in time: its worker is gone. */
  lost: 2 * line + 24,
  /** A ticket per thread: the kernel's number (44 bits), then how many chunks of the thread's share are unclaimed. */
  tickets: 3 * line,
} as const

export const ticketBytes = line
/** Bits of a ticket that count chunks. */
export const chunkBits = 20

export const controlBytes = control.tickets + mostThreads * ticketBytes
