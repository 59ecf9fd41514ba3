import { accessOf, type Kernel } from '@tessella/compiler'

/** All buffers that a kernel reads or writes. */
export function touched(kernel: Kernel): Set<number> {
  const { operands, loads, writes } = accessOf(kernel)
  return new Set([...operands, ...[...loads, ...writes].map((touch) => touch.buffer)])
}
