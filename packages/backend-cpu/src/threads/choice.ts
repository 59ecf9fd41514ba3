/** Share of the time that tries of the slower way may cost. */
const share = { alone: 0.01, together: 0.04 }
/** Runs of a try: the first run together wakes the workers, and does not count. */
const tries = { alone: 1, together: 2 }
/** Runs between two tries, at least and at most. */
const pause = { least: 16, most: 500 }
/**
 * How much the newest time weighs, and how many times the average it may be: one long pause says little. Others only make
 * times longer, so a shorter one is believed sooner; else it took many tries to find that threads have their processors back.
 */
const newest = { longer: 0.2, shorter: 0.5 }
const outlier = 3

const weightOf = (time: number, old: number): number => (time < old ? newest.shorter : newest.longer)

type Way = 'alone' | 'together'

/**
 * Whether the next run of a program shares its kernels or runs on the main thread alone: by the times that both took
 * lately, so that threads without a processor (another program is busy) do no harm. Now and then it tries the other way,
 * seldom enough to cost little. Results do not depend on it.
 */
export class Choice {
  #way: Way = 'together'
  readonly #times: { alone: number | undefined; together: number | undefined } = {
    alone: undefined,
    together: undefined,
  }
  #isTry = false
  #left = pause.least / 2
  /** Runs of this way so far. */
  #runs = 0

  readonly #always: boolean

  /** `always`: together whatever it takes, for tests. */
  constructor(always: boolean) {
    this.#always = always
  }

  get together(): boolean {
    return this.#way === 'together'
  }

  /** What a run of the chosen way took, in any unit. Runs while no worker is ready do not count. */
  took(time: number): void {
    if (this.#always) return
    this.#runs++
    if (!this.together || this.#runs > 1) this.#note(this.#way, time)
    this.#left--
    const { alone, together: shared } = this.#times
    const better: Way = alone !== undefined && shared !== undefined && alone < shared ? 'alone' : 'together'
    if (this.#isTry) {
      if (this.#left <= 0) this.#go(better, false)
    } else if (this.#left <= 0) this.#go(this.together ? 'alone' : 'together', true)
    else if (better !== this.#way && this.#runs > tries.together) this.#go(better, false)
  }

  #note(way: Way, time: number): void {
    const old = this.#times[way]
    // Much less than the average: the average was of a start, or of another time.
    this.#times[way] =
      old === undefined || time < old / 2 ? time : old + weightOf(time, old) * (Math.min(time, outlier * old) - old)
  }

  #go(way: Way, isTry: boolean): void {
    if (way !== this.#way) this.#runs = 0
    this.#way = way
    this.#isTry = isTry
    this.#left = isTry ? tries[way] : this.#pause(way === 'alone' ? 'together' : 'alone')
  }

  /** Runs until a try of the other way has been paid for. */
  #pause(other: Way): number {
    const { alone = 1, together = 1 } = this.#times
    const loss = other === 'alone' ? alone / together - 1 : together / alone - 1
    return Math.min(pause.most, Math.max(pause.least, Math.round((tries[other] * loss) / share[other])))
  }
}
