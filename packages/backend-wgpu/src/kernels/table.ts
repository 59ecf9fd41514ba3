import type { Kernel } from '@tessella/compiler'
import type { Dispatch } from '../kernel.ts'
import { emitArgsort } from './argsort.ts'
import type { KernelContext } from './context.ts'
import { emitConv } from './conv.ts'
import { emitCumulative } from './cumulative.ts'
import { emitMap } from './map.ts'
import { emitMatmul } from './matmul.ts'
import { emitPool } from './pool.ts'
import { emitReduce } from './reduce.ts'
import { emitRows } from './rows.ts'
import { emitScatterAdd } from './scatterAdd.ts'

type Rows = {
  readonly [K in Kernel['kind']]: (
    kernel: Extract<Kernel, { readonly kind: K }>,
    context: KernelContext,
  ) => readonly Dispatch[]
}

/** One row per kind of kernel. */
const rows: Rows = {
  map: emitMap,
  reduce: emitReduce,
  rows: emitRows,
  matmul: emitMatmul,
  conv: emitConv,
  convGradInput: emitConv,
  convGradWeight: emitConv,
  maxPool: emitPool,
  maxPoolGrad: emitPool,
  maxPoolPick: emitPool,
  cumulative: emitCumulative,
  argsort: emitArgsort,
  scatterAdd: emitScatterAdd,
}

/** The dispatches of a kernel of any kind. */
export function emitAny(kernel: Kernel, context: KernelContext): readonly Dispatch[] {
  const row = rows[kernel.kind] as (kernel: Kernel, context: KernelContext) => readonly Dispatch[]
  return row(kernel, context)
}
