import type { Kernel, Program } from '@tessella/compiler'
import { emitRoutine } from '../routines/index.ts'
import { emitArgsort } from './argsort.ts'
import { emitChain } from './chainCode.ts'
import type { Stage } from './chains.ts'
import type { KernelCode, KernelContext } from './context.ts'
import { emitCumulative } from './cumulative.ts'
import { emitMap } from './map.ts'
import { emitReduce } from './reduce.ts'
import { emitScatterAdd } from './scatterAdd.ts'

/** The code of a program's kernels. */
export const emitKernels = (
  context: KernelContext,
  program: Program,
  stages: readonly Stage[],
): readonly KernelCode[] =>
  stages.flatMap((stage) => ('members' in stage ? emitChain(context, program, stage) : emitKernel(context, stage)))

/** The code of one kernel: its parts run one after the other. */
function emitKernel(context: KernelContext, kernel: Kernel): readonly KernelCode[] {
  switch (kernel.kind) {
    case 'map':
      return [emitMap(context, kernel)]
    case 'reduce':
    case 'rows':
      return [emitReduce(context, kernel)]
    case 'cumulative':
      return [emitCumulative(context, kernel)]
    case 'argsort':
      return [emitArgsort(context, kernel)]
    case 'scatterAdd':
      return emitScatterAdd(context, kernel)
    default:
      return emitRoutine(context, kernel)
  }
}
