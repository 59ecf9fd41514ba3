/** How long things may take, in seconds. */
export interface Budget {
  /** Preparing a case and its first runs, the check. */
  readonly prepare: number
  /** One round of runs aims at this. */
  readonly round: number
  /** Warm-up ends here even when it is not steady. */
  readonly warm: number
  /** All rounds of one system in one case. */
  readonly rounds: number
  /** Ten thousand steps of the memory case. */
  readonly memory: number
}

export const fullBudget: Budget = { prepare: 60, round: 0.1, warm: 1.5, rounds: 6, memory: 120 }
export const quickBudget: Budget = { prepare: 12, round: 0.02, warm: 0.2, rounds: 0.6, memory: 30 }
