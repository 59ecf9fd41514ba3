import type { Kernel } from '@tessella/compiler'
import type { KernelCode, KernelContext } from '../kernels/context.ts'
import { emitConv, emitConvGradInput } from './conv.ts'
import { emitConvGradWeight } from './convGradWeight.ts'
import { emitMatmul } from './matmul.ts'
import { emitPool } from './pool.ts'

type RoutineKind = 'matmul' | 'conv' | 'convGradInput' | 'convGradWeight' | 'maxPool' | 'maxPoolGrad' | 'maxPoolPick'
export type RoutineKernel = Extract<Kernel, { kind: RoutineKind }>

/** The code of a routine: parts that run one after the other. */
export function emitRoutine(context: KernelContext, kernel: RoutineKernel): readonly KernelCode[] {
  switch (kernel.kind) {
    case 'matmul':
      return emitMatmul(context, kernel)
    case 'conv':
      return emitConv(context, kernel)
    case 'convGradInput':
      return emitConvGradInput(context, kernel)
    case 'convGradWeight':
      return emitConvGradWeight(context, kernel)
    case 'maxPool':
    case 'maxPoolGrad':
    case 'maxPoolPick':
      return emitPool(context, kernel)
  }
}
