import { byteWidth } from '@tessella/ir'
import { accessOf } from '../../src/access.ts'
import type { Program, Target } from '../../src/index.ts'

/** What every program promises to its backend. Throws with the kernel at fault. */
export function checkInvariants(program: Program, target: Target): void {
  const fail = (kernel: number, what: string) => {
    throw new Error(`kernel ${kernel}: ${what}`)
  }
  for (const [i, kernel] of program.kernels.entries()) {
    const { writes, loads, operands } = accessOf(kernel)
    const buffers = new Set([...writes, ...loads].map((w) => w.buffer))
    for (const b of operands) buffers.add(b)
    if (buffers.size > target.maxBuffers) fail(i, `${buffers.size} buffers`)
    if (writes.length === 0) fail(i, 'no stores')
    for (const { buffer } of writes) if (program.buffers[buffer]?.place.kind === 'input') fail(i, 'stores to an input')
    if (kernel.kind === 'map' || kernel.kind === 'reduce')
      if (kernel.domain.some((n) => n < 2)) fail(i, 'a size below 2')
    if (kernel.kind === 'rows' && kernel.passes.length < 2) fail(i, 'one pass is a reduction')
    if (
      (kernel.kind === 'reduce' || kernel.kind === 'rows') &&
      (kernel.inner.length === 0 || kernel.inner.some((n) => n < 2))
    )
      fail(i, 'nothing to reduce')
  }
  for (const { place, dtype, length } of program.buffers) {
    if (place.kind !== 'temporary') continue
    if (place.offset % target.alignment !== 0) throw new Error('a temporary out of line')
    if (place.offset + length * byteWidth(dtype) > program.temporaryBytes)
      throw new Error('a temporary outside the arena')
  }
}
