import { type Accumulator, walkExprs } from '@tessella/compiler'
import { type Dims, sizeOf } from '@tessella/ir'
import type { Capabilities } from '../device/capabilities.ts'
import { bytesOf } from './accumulators.ts'
import type { FoldLayout } from './fold.ts'
import { powerAbove } from './indices.ts'

/** What a reduction computes, as far as its plan depends on it. */
export interface Fold {
  readonly domain: Dims
  readonly inner: Dims
  readonly accumulators: readonly Accumulator[]
}

export interface ReducePlan {
  readonly layout: FoldLayout
  /** Parts of the inner domain that different workgroups fold; their results are folded by a second dispatch. */
  readonly splits: number
}

/** Invocations that keep a large device busy. */
const manyInvocations = 65536
/** Elements for one invocation before more share the work. */
const elementsEach = 4
/** Below this much work a second dispatch costs more than it saves. */
const smallWork = 65536

/** Most invocations of a workgroup that merge these accumulators in its memory. */
export function groupLimit(
  accumulators: readonly Accumulator[],
  { maxInvocations, maxWorkgroupBytes }: Capabilities,
): number {
  let size = 256
  while (size > maxInvocations || size * bytesOf(accumulators) > maxWorkgroupBytes) size /= 2
  return size
}

/** Loads whose neighbours in memory are neighbours along dimension `d`. */
function adjacent(accumulators: readonly Accumulator[], d: number): number {
  let count = 0
  walkExprs(
    accumulators.map(({ value }) => value),
    (e) => {
      if (e.kind === 'load' && Math.abs(e.at.strides[d] ?? 0) === 1) count++
    },
  )
  return count
}

export function planReduce(fold: Fold, capabilities: Capabilities, maySplit: boolean): ReducePlan {
  const { domain, inner, accumulators } = fold
  const outputs = sizeOf(domain)
  const length = sizeOf(inner)
  const most = groupLimit(accumulators, capabilities)
  const rank = domain.length
  const alongOutputs = rank > 0 && adjacent(accumulators, rank - 1) > adjacent(accumulators, rank + inner.length - 1)
  const layout = alongOutputs ? columnLayout(outputs, length, most) : rowLayout(outputs, length, most)
  const invocations = outputs * layout.lanes
  const each = length / layout.lanes
  if (!maySplit || outputs * length < smallWork || invocations >= manyInvocations || each < 4 * elementsEach)
    return { layout, splits: 1 }
  const room = capabilities.maxBindingBytes / (8 * outputs * accumulators.length)
  const wanted = Math.min(manyInvocations / invocations, each / (2 * elementsEach), 1024, room)
  return { layout, splits: Math.max(1, Math.floor(wanted)) }
}

/** Lanes for a line of this length: enough that each takes a few elements. */
const lanesFor = (length: number, most: number): number => Math.min(powerAbove(length / elementsEach), most)

export function rowLayout(outputs: number, length: number, most: number): FoldLayout {
  const lanes = lanesFor(length, most)
  const together = Math.min(most / lanes, powerAbove(outputs))
  return { lanes, outputs: Math.max(1, together), along: 'elements' }
}

function columnLayout(outputs: number, length: number, most: number): FoldLayout {
  if (outputs >= manyInvocations) return { lanes: 1, outputs: most, along: 'outputs' }
  const together = Math.min(32, powerAbove(outputs), most)
  return { lanes: lanesFor(length, most / together), outputs: together, along: 'outputs' }
}
