import { type Check, wrong } from '../cases/oracle.ts'
import { smaller } from '../cases/smaller.ts'
import type { Work } from '../cases/work.ts'
import type { Budget } from './budget.ts'
import { roundSeconds, type Slot, TooSlow } from './slot.ts'
import { isSteady, median } from './statistics.ts'

/** A system that passed the check, with what it takes to time it. */
export interface Ready {
  readonly slot: Slot
  /** Runs of a round. */
  readonly runs: number
  /** Rounds that there is time for: none where a single run takes longer than all rounds may. */
  readonly rounds: number
  /** Seconds of a run when warm, and of the first one. */
  readonly each: number
  readonly first: number
  /** Seconds of untimed runs at the start of a round, at most. */
  readonly settle: number
  readonly threads: number
}

/** What is left of the time that one system has to get ready for a case. */
class Box {
  readonly #end: number
  readonly seconds: number

  constructor(seconds: number) {
    this.seconds = seconds
    this.#end = performance.now() + seconds * 1000
  }

  get left(): number {
    return Math.max(0.001, (this.#end - performance.now()) / 1000)
  }
}

/** Tries a part of large work; throws when the whole would not fit into the box, and says how long it takes. */
async function foresee(slot: Slot, work: Work, runs: number, box: Box): Promise<void> {
  const part = smaller(work)
  if (part === undefined) return
  const { times } = part
  const share = `1/${Math.round(times)} of one run`
  try {
    await slot.ask({ op: 'prepare', work: part.work }, box.left, 'preparing a part of it')
  } catch (error) {
    if (error instanceof TooSlow) throw error
    // What it cannot do it will say of the whole.
    return
  }
  const time = async (): Promise<number> => (await slot.ask({ op: 'time', runs: 1 }, box.left, share)).seconds
  let seconds = await time()
  // The first run has a compilation in it.
  if (seconds * times * runs > box.left) seconds = await time()
  if (seconds * times * runs <= box.left) return
  const needs = runs > 1 ? `, and the check needs ${runs}` : ''
  throw new TooSlow(
    `too slow: one run takes about ${roundSeconds(seconds * times)} s (${share} took ${roundSeconds(seconds)} s)${needs}; a case has ${box.seconds} s`,
  )
}

/** Compares the first results with the right ones; the seconds of a run. Throws when they differ. */
async function verify(slot: Slot, work: Work, check: Check, box: Box): Promise<{ first: number; threads: number }> {
  await slot.ask({ op: 'prepare', work }, box.left, 'preparing it')
  const indices = Object.fromEntries(Object.entries(check.outputs).map(([name, e]) => [name, e.indices]))
  const what = check.runs === 1 ? 'one run' : `${check.runs} runs, which the check needs,`
  const { values, seconds, threads } = await slot.ask({ op: 'sample', runs: check.runs, indices }, box.left, what)
  const problem = wrong(check, values)
  if (problem) throw new Error(problem)
  return { first: seconds / check.runs, threads }
}

/** Checks a system, runs until the time of a round is steady, and finds how many runs make a round. */
export async function makeReady(slot: Slot, work: Work, check: Check, asked: number, budget: Budget): Promise<Ready> {
  const box = new Box(budget.box)
  await foresee(slot, work, check.runs, box)
  const { first, threads } = await verify(slot, work, check, box)
  if (first > budget.long) {
    const rounds = Math.min(asked, Math.floor(budget.rounds / first))
    return { slot, runs: 1, rounds, each: first, first, settle: 0, threads }
  }
  let runs = 1
  let answer = { seconds: first, threads }
  const times: number[] = []
  for (let spent = 0; ; ) {
    answer = await slot.ask({ op: 'time', runs }, box.left, `warming up: ${runs === 1 ? 'a run' : `${runs} runs`}`)
    times.push(answer.seconds / runs)
    spent += answer.seconds
    if (spent >= budget.warm || (answer.seconds >= budget.round / 2 && isSteady(times))) break
    const grown = Math.ceil((runs * budget.round) / Math.max(answer.seconds, 1e-6))
    runs = Math.max(1, Math.min(grown, runs * 10))
  }
  const each = Math.max(median(times.slice(-3)), 1e-9)
  const inRound = Math.max(1, Math.round(budget.round / each))
  const rounds = Math.max(1, Math.min(asked, Math.floor(budget.rounds / (each * inRound))))
  // What is left of a start hardly shows in a long run.
  const settle = each > budget.settle ? 0 : budget.settle
  return { slot, runs: inRound, rounds, each, first, settle, threads: answer.threads }
}
