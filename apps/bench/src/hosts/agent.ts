import { noise, seeds } from '../cases/data.ts'
import { messageOf, type OpenOptions, type Runner, type Session, Unsupported } from '../systems/system.ts'
import type { Answers, Question, Reply } from './protocol.ts'

export type Openers = Readonly<Record<string, (options: OpenOptions) => Promise<Session>>>

/** Answers questions about one system; runs where the system runs. */
export function agent(openers: Openers): (question: Question) => Promise<Reply> {
  let session: Session | undefined
  let runner: Runner | undefined
  const opened = (): Session => session ?? fail('no system is open')
  const prepared = (): Runner => runner ?? fail('no case is prepared')
  const release = (): null => {
    runner?.dispose()
    runner = undefined
    return null
  }
  const timed = async (runs: number): Promise<number> => {
    const start = performance.now()
    await prepared().run(runs)
    return (performance.now() - start) / 1000
  }
  const answers: { [O in Question['op']]: (question: Extract<Question, { op: O }>) => Promise<Answers[O]> } = {
    async open({ system, threads }) {
      const open = openers[system] ?? fail(`${system} does not run here`)
      session = await open({ threads })
      return { version: session.version, threads: session.threads }
    },
    async prepare({ work }) {
      release()
      runner = await opened().build(work)
      return null
    },
    async sample({ runs, indices }) {
      const seconds = await timed(runs)
      const outputs = await prepared().outputs()
      const pick = ([name, places]: [string, readonly number[]]) =>
        [name, places.map((i) => outputs[name]?.[i] ?? Number.NaN)] as const
      const values = Object.fromEntries(Object.entries(indices).map(pick))
      return { values, seconds, threads: opened().threads }
    },
    async time({ runs, settle }) {
      if (settle) await settled(settle.each, settle.most, timed)
      return { seconds: await timed(runs), threads: opened().threads }
    },
    async first({ work }) {
      release()
      // The code that makes the inputs, which is the benchmark's own, is compiled before.
      noise(2 ** 20, seeds.images)
      const start = performance.now()
      runner = await opened().build(work)
      await runner.run(1)
      return { seconds: (performance.now() - start) / 1000 }
    },
    async bytes() {
      const bytes = prepared().bytes?.()
      if (bytes === undefined) throw new Unsupported('does not say how many bytes it holds')
      return { bytes }
    },
    release: async () => release(),
  }
  return async (question) => {
    try {
      const answer = answers[question.op] as (q: Question) => Promise<unknown>
      return { ok: true, value: await answer(question) }
    } catch (error) {
      return { ok: false, error: messageOf(error) }
    }
  }
}

/** A look at the speed takes about this many seconds. */
const look = 0.01
/** How much slower than expected still counts as steady. */
const slack = 1.05

/** Runs without a result until a run takes what it should, at most `most` seconds: threads wake up, caches fill. */
async function settled(each: number, most: number, timed: (runs: number) => Promise<number>): Promise<void> {
  const runs = Math.max(1, Math.round(look / each))
  for (let spent = 0, took = Number.POSITIVE_INFINITY; took > slack * each * runs && spent < most; spent += took)
    took = await timed(runs)
}

function fail(message: string): never {
  throw new Error(message)
}
