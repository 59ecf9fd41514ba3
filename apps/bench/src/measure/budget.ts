/** How long things may take, in seconds. */
export interface Budget {
  /** One system in one case, until it is ready to be timed; also one turn, or one start of a fresh process. */
  readonly box: number
  /** Runs that take longer than this are not warmed up. */
  readonly long: number
  /** One round of runs aims at this. */
  readonly round: number
  /** Untimed runs at the start of each round. */
  readonly settle: number
  /** Warm-up ends here even when it is not steady. */
  readonly warm: number
  /** All rounds of one system in one case. */
  readonly rounds: number
  /** Ten thousand steps of the memory case. */
  readonly memory: number
}

export const fullBudget: Budget = { box: 20, long: 2, round: 0.1, settle: 0.25, warm: 1.5, rounds: 6, memory: 120 }
export const quickBudget: Budget = { box: 4, long: 0.5, round: 0.03, settle: 0.1, warm: 0.25, rounds: 0.6, memory: 30 }
