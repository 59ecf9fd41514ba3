import { type KernelContext, pushPointer } from '../kernels/context.ts'
import type { FunctionBuilder, FunctionRef, Local } from '../wasm/assembler.ts'
import { addScaled } from './epilogue.ts'
import type { Side } from './matmulPlan.ts'
import type { Split } from './split.ts'

/** for (unit = begin; unit < end; unit++): the body gets a copy that it may change. */
export function forUnits(f: FunctionBuilder, begin: Local, end: Local, body: (unit: Local) => void): void {
  const unit = f.local('i32')
  f.whileBelow(begin, end, 1, () => {
    f.get(begin)
    f.set(unit)
    body(unit)
  })
  f.release(unit)
}

/** Pushes the address of a matrix of a batch. */
export function pushOperand(
  f: FunctionBuilder,
  context: KernelContext,
  side: Side,
  batch: readonly (Local | number)[],
): void {
  pushPointer(f, context.slot(side.buffer))
  addScaled(f, 1, side.offset * 4)
  for (const [d, index] of batch.entries()) addScaled(f, index, (side.batch[d] as number) * 4)
}

/** First row of a piece. */
export function rowOf(f: FunctionBuilder, split: Split, piece: Local | number): Local | number {
  if (piece === 0 || typeof piece === 'number') return 0
  const row = f.local('i32')
  f.push(piece, split.small, 'i32.mul')
  if (split.large > 0) {
    // Large pieces come first: one more row for each of those before this one.
    f.push(piece, split.large, piece, split.large, 'i32.lt_u')
    f.select('i32')
    f.op('i32.add')
  }
  f.set(row)
  return row
}

/** Calls the function for the height of a piece; its `count` arguments (i32) are on the stack. */
export function callByHeight(
  f: FunctionBuilder,
  count: number,
  piece: Local | number,
  split: Split,
  { large, small }: { readonly large: FunctionRef | undefined; readonly small: FunctionRef | undefined },
): void {
  if (!large || !small) {
    f.call((large ?? small) as FunctionRef)
    return
  }
  const args = Array.from({ length: count }, () => f.local('i32'))
  for (const a of [...args].reverse()) f.set(a)
  const call = (callee: FunctionRef) => () => {
    for (const a of args) f.get(a)
    f.call(callee)
  }
  f.push(piece as Local, split.large, 'i32.lt_u')
  f.if(call(large), call(small))
  for (const a of args) f.release(a)
}
