/** Atomic instructions: number after the prefix 0xfe, and log2 of the bytes accessed, which is the alignment they need. */
export const atomics = {
  'memory.atomic.notify': [0x00, 2],
  'memory.atomic.wait32': [0x01, 2],
  'i32.atomic.load': [0x10, 2],
  'i64.atomic.load': [0x11, 3],
  'i32.atomic.store': [0x17, 2],
  'i64.atomic.store': [0x18, 3],
  'i32.atomic.rmw.add': [0x1e, 2],
  'i64.atomic.rmw.cmpxchg': [0x49, 3],
} as const satisfies Record<string, readonly [number, number]>

export type AtomicOp = keyof typeof atomics

/** Bytes of an atomic instruction's opcode. */
export const atomicCode = (op: AtomicOp): readonly number[] => [0xfe, atomics[op][0]]
