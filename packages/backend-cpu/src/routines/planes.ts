import type { Dims } from '@tessella/ir'
import { grainFor, type KernelCode, type KernelContext } from '../kernels/context.ts'
import type { FunctionBuilder, FunctionRef, Local } from '../wasm/assembler.ts'
import { forUnits } from './calls.ts'
import { addScaled, type Epilogue } from './epilogue.ts'
import { releaseIndices, takeIndices } from './split.ts'
import type { Push } from './workspace.ts'

/** An operand of one value per plane, `bytes` apart. */
export interface PlaneOperand {
  readonly address: Push
  readonly bytes: number
}

/**
 * Calls `each` for every plane [n, c] of a domain [n, c, ...]: with the address of each operand's plane, then the
 * running addresses of the epilogue at the plane's first point. `prelude` comes first in every call. Units: planes.
 */
export function emitPlanes(
  context: KernelContext,
  epilogue: Epilogue | undefined,
  domain: Dims,
  operands: readonly PlaneOperand[],
  each: FunctionRef,
  work: number,
  prelude: (f: FunctionBuilder) => void = () => {},
): KernelCode {
  const [n = 1, c = 1] = domain
  const f = context.module.function(['i32', 'i32'], [], (f, begin, end) => {
    prelude(f)
    forUnits(f, begin as Local, end as Local, (unit) => {
      for (const { address, bytes } of operands) {
        address(f)
        addScaled(f, unit, bytes)
      }
      const indices = takeIndices(f, unit, [n, c])
      epilogue?.pushBases(f, indices)
      f.call(each)
      releaseIndices(f, indices)
    })
  })
  return { f, units: n * c, grain: grainFor(work) }
}
