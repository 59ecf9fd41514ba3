import type { Kernel } from '@tessella/compiler'
import type { KernelCode, KernelContext } from '../kernels/context.ts'
import { emitMatmul } from './matmul.ts'

type RoutineKind = 'matmul'
export type RoutineKernel = Extract<Kernel, { kind: RoutineKind }>

export function emitRoutine(context: KernelContext, kernel: RoutineKernel): readonly KernelCode[] {
  return emitMatmul(context, kernel)
}
