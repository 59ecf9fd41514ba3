import type { SystemName } from '../contract.ts'
import type { Answers, Host, Question } from '../hosts/protocol.ts'
import { messageOf } from '../systems/system.ts'

/** Starts the process or page of one system. */
export type StartHost = (system: SystemName | 'oracle') => Promise<Host>

/** Ctrl-C. */
export class Stopped extends Error {
  override readonly name = 'Stopped'
}

/** A question took longer than it may. */
export class TooSlow extends Error {
  override readonly name = 'TooSlow'
}

/** What ends a run early. */
export interface Limits {
  readonly signal: AbortSignal
  /** When no more is asked, on the clock of `performance.now()`; Infinity for never. */
  readonly deadline: number
}

/** Seconds for people: whole ones from ten on. */
export const roundSeconds = (seconds: number): number => Number(seconds.toPrecision(seconds < 10 ? 2 : 3))

const outOfTime = 'no time left: --quick stops after two minutes'

/** One system over the whole run: its process is started when needed, and again after it crashed or was too slow. */
export class Slot {
  readonly system: SystemName | 'oracle'
  readonly #start: StartHost
  readonly #threads: number | undefined
  readonly #limits: Limits
  #host: Host | undefined
  /** Why it cannot be opened; it is not tried again. */
  #broken: Error | undefined
  version = ''
  threads = 0

  constructor(system: SystemName | 'oracle', start: StartHost, threads: number | undefined, limits: Limits) {
    this.system = system
    this.#start = start
    this.#threads = threads
    this.#limits = limits
  }

  async #open(): Promise<Host> {
    if (this.#broken) throw this.#broken
    if (this.#host) return this.#host
    try {
      this.#host = await this.#start(this.system)
      const threads = this.#threads === undefined ? {} : { threads: this.#threads }
      const opened = await this.#timed(this.#host, { op: 'open', system: this.system, ...threads }, 60, 'opening it')
      this.version = opened.version
      this.threads = opened.threads
      return this.#host
    } catch (error) {
      this.close()
      if (!(error instanceof Stopped)) this.#broken = new Error(messageOf(error), { cause: error })
      throw error
    }
  }

  /** Opens the system if it is not open yet. */
  async open(): Promise<void> {
    await this.#open()
  }

  async #timed<Q extends Question>(host: Host, question: Q, seconds: number, what: string): Promise<Answers[Q['op']]> {
    const { signal, deadline } = this.#limits
    if (signal.aborted) throw new Stopped('interrupted')
    const left = (deadline - performance.now()) / 1000
    if (left <= 0) throw new TooSlow(outOfTime)
    const box = Math.min(seconds, left)
    const { promise, reject } = Promise.withResolvers<never>()
    const late = setTimeout(
      () => reject(new TooSlow(left < seconds ? outOfTime : `${what} takes longer than ${roundSeconds(seconds)} s`)),
      box * 1000,
    )
    const stop = (): void => reject(new Stopped('interrupted'))
    signal.addEventListener('abort', stop, { once: true })
    try {
      return await Promise.race([host.ask(question), promise])
    } finally {
      clearTimeout(late)
      signal.removeEventListener('abort', stop)
    }
  }

  /**
   * Asks; a system that does not answer in time, or stops, loses its process and gets a new one next time. The error then
   * says that `what` takes longer.
   */
  async ask<Q extends Question>(question: Q, seconds: number, what: string): Promise<Answers[Q['op']]> {
    const host = await this.#open()
    try {
      return await this.#timed(host, question, seconds, what)
    } catch (error) {
      if (
        error instanceof Error &&
        (error instanceof TooSlow || error instanceof Stopped || /process ended/.test(error.message))
      )
        this.close()
      throw error
    }
  }

  close(): void {
    this.#host?.close()
    this.#host = undefined
  }
}
