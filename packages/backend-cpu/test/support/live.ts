import { accessOf, type Program } from '@tessella/compiler'
import { byteWidth } from '@tessella/ir'
import { chainsOf } from '../../src/kernels/chains.ts'
import { prepared } from '../../src/kernels/prepare.ts'

/** What a program needs at least, in bytes. */
export interface Need {
  /** Inputs, and outputs that do not take the place of one. */
  readonly ends: number
  /** Temporaries at the stage that has most of them alive. What a chain makes and uses up within itself does not count. */
  readonly temporaries: number
}

/** The least memory of a program in the order in which this backend runs it, from its kernels alone and not from its plan. */
export function needOf(compiled: Program): Need {
  const program = prepared(compiled)
  const bytesOf = (buffer: number): number => {
    const plan = program.buffers[buffer]
    return plan ? plan.length * byteWidth(plan.dtype) : 0
  }
  const stages = chainsOf(program).map((stage) => ('members' in stage ? stage.members : [stage]))
  const touched = stages.map((kernels) => {
    const all = kernels.map(accessOf)
    return new Set(all.flatMap((a) => [...[...a.writes, ...a.loads].map((t) => t.buffer), ...a.operands]))
  })
  let temporaries = 0
  for (const [at, kernels] of stages.entries()) {
    let alive = 0
    for (const [buffer, { place }] of program.buffers.entries()) {
      if (place.kind !== 'temporary') continue
      const first = touched.findIndex((t) => t.has(buffer))
      const last = touched.findLastIndex((t) => t.has(buffer))
      const passes = first === last && kernels.length > 1
      if (first >= 0 && first <= at && at <= last && !passes) alive += bytesOf(buffer)
    }
    temporaries = Math.max(temporaries, alive)
  }
  const fresh = program.outputs.filter((b) => {
    const place = program.buffers[b]?.place
    return place?.kind === 'output' && place.reuses === undefined
  })
  return { ends: [...program.inputs, ...fresh].reduce((sum, b) => sum + bytesOf(b), 0), temporaries }
}
