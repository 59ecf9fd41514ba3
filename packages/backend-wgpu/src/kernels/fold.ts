import type { Shader } from '../wgsl/shader.ts'
import type { Running, SharedArrays } from './accumulators.ts'

/** How the invocations of a workgroup share the work: `lanes` fold one output, `outputs` of them at a time. */
export interface FoldLayout {
  readonly lanes: number
  readonly outputs: number
  /** Neighbouring invocations take neighbouring elements of one output, or the same element of neighbouring outputs. */
  readonly along: 'elements' | 'outputs'
}

export const sizeOfLayout = ({ lanes, outputs }: FoldLayout): number => lanes * outputs

/** Lines that set `lane_of` (place among those of an output), `output` (in bounds) and `live` (false for the surplus). */
export function layoutLines({ lanes, outputs, along }: FoldLayout, total: number): string[] {
  const [inner, outer] = along === 'elements' ? [lanes, outputs] : [outputs, lanes]
  const low = outer === 1 ? 'lane' : inner === 1 ? '0' : `lane % ${inner}`
  const high = outer === 1 ? '0' : `lane / ${inner}`
  const [turn, column] = along === 'elements' ? [low, high] : [high, low]
  return [
    `let turn = ${turn};`,
    `let candidate = group * ${outputs} + ${column};`,
    `let live = candidate < ${total};`,
    `let output = min(candidate, ${total - 1});`,
  ]
}

/**
 * Lines that bring the running values of an output's lanes together: afterwards lane 0 has the results, or all have them
 * with `share`. Must be reached by the whole workgroup.
 */
export function joinLines(
  shader: Shader,
  { lanes, outputs, along }: FoldLayout,
  all: readonly Running[],
  arrays: SharedArrays,
  share: boolean,
): string[] {
  if (lanes === 1 || all.length === 0) return []
  const names = arrays.take(all)
  const step = along === 'elements' ? 1 : outputs
  const put = all.flatMap((r, i) => [
    `${names[i]?.value}[lane] = ${r.value};`,
    ...(r.isArg ? [`${names[i]?.position}[lane] = ${r.position};`] : []),
  ])
  const from = shader.name('from')
  const merge = all.flatMap((r, i) => {
    const position = r.isArg ? `${names[i]?.position}[${from}]` : ''
    return r.merge(`${names[i]?.value}[${from}]`, position)
  })
  const get = all.map((r, i) => `${r.result} = ${r.isArg ? names[i]?.position : names[i]?.value}[first_lane];`)
  const first = along === 'elements' ? 'lane - turn' : `lane - turn * ${outputs}`
  return [
    ...put,
    `for (var half = ${lanes / 2}; half > 0; half >>= 1u) {`,
    'workgroupBarrier();',
    'if (turn < half) {',
    `let ${from} = lane + half * ${step};`,
    ...merge,
    ...put,
    '}',
    '}',
    ...(share ? ['workgroupBarrier();', '{', `let first_lane = ${first};`, ...get, '}', 'workgroupBarrier();'] : []),
  ]
}
