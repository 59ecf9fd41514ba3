import { type Check, expect, lossCheck, wrong } from '../cases/oracle.ts'
import { type Case, figure } from '../cases/table.ts'
import { distinct, type Work } from '../cases/work.ts'
import type { Row } from '../contract.ts'
import { messageOf } from '../systems/system.ts'
import type { Budget } from './budget.ts'
import { type Slot, Stopped } from './slot.ts'
import { isSteady, summarize } from './statistics.ts'

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
    await this.#slot.ask({ op: 'prepare', work: { ...work, batch: distinct(work.model) } }, 120)
    const indices = { loss: Array.from({ length: steps }, (_, i) => i) }
    const { loss = [] } = await this.#slot.ask({ op: 'sample', runs: steps, indices }, 300)
    // An idle process with nothing to do would only be in the way.
    this.#slot.close()
    const check = lossCheck(loss)
    this.#known.set(key, check)
    return check
  }
}

/** A system that passed the check, with what it takes to time it. */
interface Ready {
  readonly slot: Slot
  readonly runs: number
  readonly rounds: number
  readonly values: number[]
  threads: number
}

/** Compares the first results with the right ones. Throws when they differ. */
async function verify(slot: Slot, work: Work, check: Check, budget: Budget): Promise<void> {
  await slot.ask({ op: 'prepare', work }, budget.prepare)
  const indices = Object.fromEntries(Object.entries(check.outputs).map(([name, e]) => [name, e.indices]))
  const problem = wrong(check, await slot.ask({ op: 'sample', runs: check.runs, indices }, budget.prepare))
  if (problem) throw new Error(problem)
}

/** Runs until the time of a round is steady, and finds how many runs make a round. */
async function warm(slot: Slot, asked: number, budget: Budget): Promise<Ready> {
  const limit = budget.prepare
  let runs = 1
  let answer = await slot.ask({ op: 'time', runs }, limit)
  const times = [answer.seconds]
  let spent = answer.seconds
  while (spent < budget.warm && !(answer.seconds >= budget.round / 2 && isSteady(times))) {
    const grown = Math.ceil((runs * budget.round) / Math.max(answer.seconds, 1e-6))
    runs = Math.max(1, Math.min(grown, runs * 10))
    answer = await slot.ask({ op: 'time', runs }, limit)
    times.push(answer.seconds / runs)
    spent += answer.seconds
  }
  const each = answer.seconds / runs
  const inRound = Math.max(1, Math.round(budget.round / each))
  const rounds = Math.max(1, Math.min(asked, Math.floor(budget.rounds / (each * inRound))))
  return { slot, runs: inRound, rounds, values: [], threads: answer.threads }
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
  const ready: Ready[] = []
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
      await verify(slot, work, check, budget)
      ready.push(await warm(slot, context.rounds, budget))
    })
  }
  const most = Math.max(0, ...ready.map((r) => r.rounds))
  for (let round = 0; round < most && !stopped; round++) {
    say(`round ${round + 1} of ${most}`)
    for (let i = 0; i < ready.length && !stopped; i++) {
      // Each round starts with another system.
      const entry = ready[(i + round) % ready.length]
      if (!entry || round >= entry.rounds || failed.has(entry.slot)) continue
      await guarded(entry.slot, async () => {
        const { seconds, threads } = await entry.slot.ask({ op: 'time', runs: entry.runs }, budget.prepare)
        entry.threads = threads
        entry.values.push(figure(c.unit, c.amount, entry.runs, seconds))
      })
    }
  }
  for (const { slot, values, threads } of ready)
    if (values.length > 0 && !failed.has(slot)) rows.push(valueRow(c, slot, threads, values))
  if (!stopped)
    for (const { slot } of ready) await slot.ask({ op: 'release' }, budget.prepare).catch(() => slot.close())
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
        const { seconds } = await once.ask({ op: 'first', work }, context.budget.prepare)
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
  for (const slot of slots) {
    try {
      await slot.ask({ op: 'prepare', work }, context.budget.prepare)
      const { seconds } = await slot.ask({ op: 'time', runs: 100 }, context.budget.prepare)
      if ((seconds / 100) * steps > context.budget.memory)
        throw new Error(`too slow: ${steps} steps would take ${((seconds / 100) * steps).toFixed(0)} s`)
      const { bytes: before } = await slot.ask({ op: 'bytes' }, 10)
      const chunk = Math.min(500, steps)
      for (let done = 0; done < steps; done += chunk) {
        context.say(`${slot.system}: step ${done} of ${steps}`)
        await slot.ask({ op: 'time', runs: Math.min(chunk, steps - done) }, context.budget.memory)
      }
      const { bytes: after } = await slot.ask({ op: 'bytes' }, 10)
      rows.push(valueRow(c, slot, slot.threads, [after - before]))
    } catch (error) {
      if (error instanceof Stopped) return rows
      rows.push(errorRow(c, slot, messageOf(error)))
    }
  }
  return rows
}
