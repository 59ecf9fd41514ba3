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
      await prepared().run(runs)
      const outputs = await prepared().outputs()
      const pick = ([name, places]: [string, readonly number[]]) =>
        [name, places.map((i) => outputs[name]?.[i] ?? Number.NaN)] as const
      return Object.fromEntries(Object.entries(indices).map(pick))
    },
    async time({ runs }) {
      const start = performance.now()
      await prepared().run(runs)
      return { seconds: (performance.now() - start) / 1000, threads: opened().threads }
    },
    async first({ work }) {
      release()
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

function fail(message: string): never {
  throw new Error(message)
}
