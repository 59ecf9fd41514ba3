import { type Check, expect, lossCheck } from '../cases/oracle.ts'
import { type Case, figure } from '../cases/table.ts'
import { distinct, type Work } from '../cases/work.ts'
import type { Row } from '../contract.ts'
import { messageOf } from '../systems/system.ts'
import type { Budget } from './budget.ts'
import { makeReady, type Ready } from './ready.ts'
import { roundSeconds, type Slot, Stopped, TooSlow } from './slot.ts'
import { summarize } from './statistics.ts'

/** A row without figures. */
export const errorRow = (c: Case, slot: Slot, error: string): Row => ({
  case: c.name,
  system: slot.system as Row['system'],
  threads: 0,
  unit: c.unit,
  runs: 0,
  error,
})

const valueRow = (c: Case, slot: Slot, threads: number, values: readonly number[]): Row => ({
  case: c.name,
  system: slot.system as Row['system'],
  threads,
  unit: c.unit,
  ...summarize(values),
})

/** Losses of the first steps, by the interpreter in float64, on the few distinct examples; kept by model and optimizer. */
export class Oracle {
  readonly #slot: Slot
  readonly #known = new Map<string, Check>()

  constructor(slot: Slot) {
    this.#slot = slot
  }

  async check(work: Work): Promise<Check> {
    if (work.kind !== 'train') return expect(work)
    const key = `${work.model} ${work.optimizer}`
    const known = this.#known.get(key)
    if (known) return known
    const steps = 3
    await this.#slot.ask({ op: 'prepare', work: { ...work, batch: distinct(work.model) } }, 120, 'preparing it')
    const indices = { loss: Array.from({ length: steps }, (_, i) => i) }
    const { values } = await this.#slot.ask({ op: 'sample', runs: steps, indices }, 300, 'the interpreter')
    // An idle process with nothing to do would only be in the way.
    this.#slot.close()
    const check = lossCheck(values['loss'] ?? [])
    this.#known.set(key, check)
    return check
  }
}

interface Entry extends Ready {
  threads: number
  /** Its time is over before its rounds are. */
  over: boolean
  /** Figures of the rounds so far. */
  readonly values: number[]
}

/** One case on all systems: each is checked and warmed up, then all are timed in turns. */
export async function repeatCase(
  c: Case,
  work: Work,
  slots: readonly Slot[],
  context: {
    readonly oracle: Oracle
    readonly budget: Budget
    readonly rounds: number
    readonly say: (text: string) => void
  },
): Promise<Row[]> {
  const { budget, say } = context
  const rows: Row[] = []
  const ready: Entry[] = []
  let check: Check | undefined
  let unknown = ''
  const failed = new Set<Slot>()
  let stopped = false
  const guarded = async (slot: Slot, task: () => Promise<void>): Promise<void> => {
    try {
      await task()
    } catch (error) {
      if (error instanceof Stopped) stopped = true
      else {
        failed.add(slot)
        rows.push(errorRow(c, slot, messageOf(error)))
      }
    }
  }
  for (const slot of slots) {
    if (stopped) break
    say(`${slot.system}: checking`)
    await guarded(slot, async () => {
      await slot.open()
      if (!check && !unknown)
        check = await context.oracle.check(work).catch((error: unknown) => {
          if (error instanceof Stopped) throw error
          unknown = `the right answer could not be computed: ${messageOf(error)}`
          return undefined
        })
      if (!check) throw new Error(unknown)
      const made = await makeReady(slot, work, check, context.rounds, budget)
      ready.push({ ...made, over: false, values: [] })
    })
  }
  const most = Math.max(0, ...ready.map((r) => r.rounds))
  for (let round = 0; round < most && !stopped; round++) {
    say(`round ${round + 1} of ${most}`)
    for (let i = 0; i < ready.length && !stopped; i++) {
      // Each round starts with another system.
      const entry = ready[(i + round) % ready.length]
      if (!entry || round >= entry.rounds || entry.over || failed.has(entry.slot)) continue
      await guarded(entry.slot, async () => {
        const settle = { each: entry.each, most: entry.settle }
        const question = { op: 'time', runs: entry.runs, ...(entry.settle > 0 ? { settle } : {}) } as const
        try {
          const { seconds, threads } = await entry.slot.ask(question, budget.box, 'a round')
          entry.threads = threads
          entry.values.push(figure(c.unit, c.amount, entry.runs, seconds))
        } catch (error) {
          // What was measured before the time was over stays.
          if (error instanceof TooSlow && entry.values.length > 0) entry.over = true
          else throw error
        }
      })
    }
  }
  for (const { slot, values, threads, rounds, first } of ready) {
    if (failed.has(slot)) continue
    // Where there was no time for rounds, the first run, which the check had to make, is the figure.
    const measured = rounds === 0 ? [figure(c.unit, c.amount, 1, first)] : values
    if (measured.length > 0) rows.push(valueRow(c, slot, threads, measured))
  }
  if (!stopped)
    for (const { slot } of ready) await slot.ask({ op: 'release' }, budget.box, 'its end').catch(() => slot.close())
  return rows
}

/** A fresh process for every run: from an open system to the first loss. */
export async function startupCase(
  c: Case,
  work: Work,
  slots: readonly Slot[],
  context: {
    readonly budget: Budget
    readonly rounds: number
    readonly say: (text: string) => void
    readonly fresh: (slot: Slot) => Slot
  },
): Promise<Row[]> {
  const rows: Row[] = []
  const values = new Map<Slot, { values: number[]; threads: number }>()
  const failed = new Set<Slot>()
  for (let round = 0; round < context.rounds; round++) {
    context.say(`round ${round + 1} of ${context.rounds}`)
    for (const slot of slots) {
      if (failed.has(slot)) continue
      const once = context.fresh(slot)
      try {
        const { seconds } = await once.ask({ op: 'first', work }, context.budget.box, 'the first step')
        const entry = values.get(slot) ?? { values: [], threads: once.threads }
        entry.values.push(figure(c.unit, c.amount, 1, seconds))
        values.set(slot, entry)
      } catch (error) {
        if (error instanceof Stopped) return finished()
        failed.add(slot)
        rows.push(errorRow(c, slot, messageOf(error)))
      } finally {
        once.close()
      }
    }
  }
  return finished()

  function finished(): Row[] {
    for (const [slot, entry] of values) if (!failed.has(slot)) rows.push(valueRow(c, slot, entry.threads, entry.values))
    return rows
  }
}

/** Growth of what a system says it holds from step 100 to step 100 + `steps`. */
export async function memoryCase(
  c: Case,
  work: Work,
  steps: number,
  slots: readonly Slot[],
  context: { readonly budget: Budget; readonly say: (text: string) => void },
): Promise<Row[]> {
  const rows: Row[] = []
  const { budget } = context
  for (const slot of slots) {
    try {
      await slot.ask({ op: 'prepare', work }, budget.box, 'preparing it')
      const ask = (runs: number) => slot.ask({ op: 'time', runs }, budget.memory, `${runs} steps`)
      await ask(1)
      const few = 3
      const foreseen = ((await ask(few)).seconds / few) * steps
      if (foreseen > budget.memory) throw new Error(`too slow: ${steps} steps take about ${roundSeconds(foreseen)} s`)
      await ask(100)
      const { bytes: before } = await slot.ask({ op: 'bytes' }, 10, 'counting bytes')
      const chunk = Math.min(500, steps)
      for (let done = 0; done < steps; done += chunk) {
        context.say(`${slot.system}: step ${done} of ${steps}`)
        await ask(Math.min(chunk, steps - done))
      }
      const { bytes: after } = await slot.ask({ op: 'bytes' }, 10, 'counting bytes')
      rows.push(valueRow(c, slot, slot.threads, [after - before]))
    } catch (error) {
      if (error instanceof Stopped) return rows
      rows.push(errorRow(c, slot, messageOf(error)))
    }
  }
  return rows
}
