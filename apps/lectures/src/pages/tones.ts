/** Colours of series, told apart in light and dark and by people who see red and green alike. */
export const tones = ['t0', 't1', 't2', 't3', 't4', 't5', 't6', 't7'] as const

/** The colour of the nth series. */
export const toneOf = (n: number): string => tones[n % tones.length] as string
