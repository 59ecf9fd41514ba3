import type { Kernel } from '@tessella/compiler'
import { internalError } from '@tessella/ir'
import type { KernelCode, KernelContext } from './context.ts'
import { emitMap } from './map.ts'
import { emitReduce } from './reduce.ts'

/** The code of one kernel: its parts run one after the other. */
export function emitKernel(context: KernelContext, kernel: Kernel): readonly KernelCode[] {
  switch (kernel.kind) {
    case 'map':
      return [emitMap(context, kernel)]
    case 'reduce':
      return [emitReduce(context, kernel)]
    default:
      throw internalError(`no ${kernel.kind} in the cpu backend`)
  }
}
