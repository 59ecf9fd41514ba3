import { checkOptions } from '@tessella/tensor'
/** A function along a line: its value and slope at a step. */
export interface LinePoint {
  readonly step: number
  readonly value: number
  readonly slope: number
}

export interface WolfeOptions {
  /** Share of the promised decrease that is asked for: f(t) <= f(0) + c1 t f'(0). Default 1e-4. */
  readonly c1?: number
  /** Share of the slope that may remain: |f'(t)| <= c2 |f'(0)|. Default 0.9. */
  readonly c2?: number
  /** Most evaluations. Default 25. */
  readonly evaluations?: number
}

/** Where the cubic through two values and slopes is least, within the middle of the interval. */
function cubicMinimum(a: LinePoint, b: LinePoint): number {
  const [low, high] = a.step < b.step ? [a, b] : [b, a]
  const width = high.step - low.step
  const d1 = low.slope + high.slope - (3 * (high.value - low.value)) / width
  const root = Math.sqrt(d1 * d1 - low.slope * high.slope)
  const step = high.step - (width * (high.slope + root - d1)) / (high.slope - low.slope + 2 * root)
  // Too near an end the interval hardly shrinks; NaN says that the cubic has no minimum.
  const margin = 0.1 * width
  if (!(step >= low.step + margin && step <= high.step - margin)) return (low.step + high.step) / 2
  return step
}

/**
 * A step that satisfies the strong Wolfe conditions, by bracketing and then narrowing (Nocedal and Wright, "Numerical
 * optimization", 2006, algorithms 3.5 and 3.6), or the best step found when the evaluations run out. `start` has step 0 and a
 * slope below 0.
 */
export async function strongWolfe<P extends LinePoint>(
  at: (step: number) => Promise<P>,
  start: P,
  first: number,
  options: WolfeOptions = {},
): Promise<P> {
  checkOptions('strongWolfe', options, ['c1', 'c2', 'evaluations'])
  const { c1 = 1e-4, c2 = 0.9, evaluations = 25 } = options
  const falls = (p: P): boolean => p.value <= start.value + c1 * p.step * start.slope
  const flat = (p: P): boolean => Math.abs(p.slope) <= -c2 * start.slope
  let left = evaluations
  const evaluate = (step: number): Promise<P> => {
    left--
    return at(step)
  }

  /** `low` falls enough and its slope points at `high`. */
  async function narrow(from: P, to: P): Promise<P> {
    let [low, high] = [from, to]
    while (left > 0 && Math.abs(high.step - low.step) * Math.abs(low.slope) > 1e-12 * Math.abs(start.value)) {
      const middle = (low.step + high.step) / 2
      const p = await evaluate(Number.isFinite(high.value) ? cubicMinimum(low, high) : middle)
      if (!(falls(p) && p.value < low.value)) high = p
      else if (flat(p)) return p
      else {
        if (p.slope * (high.step - low.step) >= 0) high = low
        low = p
      }
    }
    return low
  }

  let before = start
  let p = await evaluate(first)
  for (;;) {
    if (!falls(p) || (before !== start && p.value >= before.value)) return narrow(before, p)
    if (flat(p)) return p
    if (p.slope >= 0) return narrow(p, before)
    if (left <= 0) return p
    const next = await evaluate(2 * p.step)
    before = p
    p = next
  }
}
