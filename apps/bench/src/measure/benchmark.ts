import type { Case } from '../cases/table.ts'
import type { Ceilings, Row, SystemName } from '../contract.ts'
import { messageOf } from '../systems/system.ts'
import type { Budget } from './budget.ts'
import { errorRow, memoryCase, Oracle, repeatCase, startupCase } from './case.ts'
import { Slot, type StartHost } from './slot.ts'

export interface Setup {
  readonly cases: readonly Case[]
  readonly systems: readonly SystemName[]
  readonly threads: number | undefined
  readonly rounds: number
  readonly budget: Budget
  readonly ceilings: Ceilings | undefined
  readonly startHost: StartHost
  /** Gzipped bytes of a bundle; throws for what a system does not have. */
  readonly bundleSize: (bundle: string, system: SystemName) => Promise<number>
  readonly signal: AbortSignal
  /** See `Limits`. */
  readonly deadline: number
  /** What is being done, for a line that changes. */
  readonly say: (text: string) => void
  /** All rows of a finished case. */
  readonly done: (c: Case, rows: readonly Row[]) => void
}

/** Our CPU backends, the only ones that take a number of threads. */
const threaded: ReadonlySet<SystemName> = new Set<SystemName>(['cpu', 'cpu-wide'])

/** The result as a share of what the machine can do with that many threads. */
function withShare(c: Case, row: Row, ceilings: Ceilings | undefined): Row {
  if (!ceilings || row.median === undefined || c.ceiling === undefined) return row
  if (row.system === 'wgpu')
    return ceilings.gpu ? { ...row, share: row.median / ceilings.gpu[c.ceiling === 'copy' ? 'copy' : 'fma'] } : row
  const wide = row.system === 'cpu-wide'
  const one = (wide ? ceilings.fmaWide : undefined) ?? ceilings.fma
  const all = (wide ? ceilings.fmaWideAll : undefined) ?? ceilings.fmaAll
  const limit = c.ceiling === 'copy' ? ceilings.copy : row.threads > 1 ? all : one
  return { ...row, share: row.median / limit }
}

/** Measures everything; stops early, with what there is, when the signal says so. */
export async function benchmark(setup: Setup): Promise<{ versions: Record<string, string>; complete: boolean }> {
  const { systems, signal, budget, rounds } = setup
  const slotFor = (system: SystemName | 'oracle'): Slot =>
    new Slot(system, setup.startHost, threaded.has(system as SystemName) ? setup.threads : undefined, setup)
  const slots = systems.map(slotFor)
  const oracleSlot = slotFor('oracle')
  const oracle = new Oracle(oracleSlot)
  const versions: Record<string, string> = {}
  try {
    for (const c of setup.cases) {
      if (signal.aborted) break
      const say = (text: string): void => setup.say(`${c.name}: ${text}`)
      const rows = await rowsOf(c, say)
      for (const slot of slots) if (slot.version) versions[slot.system] = slot.version
      const order = new Map(systems.map((s, i) => [s, i]))
      const sorted = [...rows].sort((a, b) => (order.get(a.system) ?? 0) - (order.get(b.system) ?? 0))
      setup.done(
        c,
        sorted.map((row) => withShare(c, row, setup.ceilings)),
      )
    }
  } finally {
    for (const slot of [...slots, oracleSlot]) slot.close()
  }
  return { versions, complete: !signal.aborted }

  async function rowsOf(c: Case, say: (text: string) => void): Promise<Row[]> {
    const { measure } = c
    switch (measure.how) {
      case 'repeat':
        return repeatCase(c, measure.work, slots, { oracle, budget, rounds, say })
      case 'startup':
        for (const slot of slots) slot.close()
        return startupCase(c, measure.work, slots, {
          budget,
          rounds: Math.min(rounds, 5),
          say,
          fresh: (slot) => slotFor(slot.system),
        })
      case 'memory':
        return memoryCase(c, measure.work, measure.steps, slots, { budget, say })
      case 'size':
        return Promise.all(slots.map((slot) => sizeRow(c, measure.bundle, slot)))
    }
  }

  async function sizeRow(c: Case, bundle: string, slot: Slot): Promise<Row> {
    try {
      const bytes = await setup.bundleSize(bundle, slot.system as SystemName)
      return {
        case: c.name,
        system: slot.system as SystemName,
        threads: 1,
        unit: c.unit,
        median: bytes,
        min: bytes,
        max: bytes,
        runs: 1,
      }
    } catch (error) {
      return errorRow(c, slot, messageOf(error))
    }
  }
}
