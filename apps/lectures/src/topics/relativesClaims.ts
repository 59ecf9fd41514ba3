import { formatNumber } from '@tessella/training'
import { median } from '../pages/ranges.ts'
import type { Claim } from '../pages/topic.ts'
import { count, percent, tiny } from '../report/numbers.ts'
import { apart } from './chosen.ts'
import { curvatures, type Variances } from './lookaheadNoise.ts'
import type { Exact, OnDigits, Stepped } from './relativesDigits.ts'
import { type Flatnesses, reach } from './sharpness.ts'
import { floor, type Valley } from './valleyWays.ts'

export const row = 'beyond the list'
/** Evaluations, or a word for none. */
export const steps = (n: number): string => (Number.isFinite(n) ? count(Math.round(n)) : 'never')
export const short = (v: number): string => formatNumber(v, 2)
/** Median and range. */
const span = (values: readonly number[], format: (v: number) => string = percent): string =>
  `${format(median(values))} (${format(Math.min(...values))} to ${format(Math.max(...values))})`

/** What is said beside what was measured. */
export function claimsOf(
  valley: Valley,
  digits: readonly OnDigits[],
  sure: Exact,
  stairs: Stepped,
  noise: Variances,
  flat: Flatnesses,
): readonly Claim[] {
  const [plain, fixed, searched] = valley.all.map(([, , n]) => n) as [
    readonly number[],
    readonly number[],
    readonly number[],
  ]
  const [adam, lion, ahead] = digits as [OnDigits, OnDigits, OnDigits]
  const missed = fixed.filter((n) => !Number.isFinite(n)).length
  const [same, longer, sam] = flat.ways
  const share = adam.setting / lion.setting
  return [
    {
      said: 'Second derivatives, guessed from how gradients change, shorten the way through a narrow valley.',
      row,
      measured: `evaluations of the gradient down to ${floor}, median of ${plain.length} starts: ${steps(median(searched))} with L-BFGS and a line search, ${steps(median(plain))} with the best rate of gradient descent`,
      agrees: 10 * median(searched) < median(plain),
    },
    {
      said: 'The line search makes L-BFGS sure.',
      row,
      measured: `with it at most ${steps(Math.max(...searched))} evaluations, with steps of fixed length a median of ${steps(median(fixed))} and ${missed} of ${fixed.length} starts that do not arrive in 500`,
      agrees: searched.every(Number.isFinite) && median(searched) < median(fixed),
      remark: 'PyTorch’s default is the fixed length, and so is the library’s.',
    },
    {
      said: 'Lion takes signs: every weight moves by the rate.',
      row,
      measured: `first step of the last layer: off by at most ${tiny(sure.steps)} rates`,
      agrees: sure.steps < 1e-3,
      remark: 'What is left is rounding: steps are a thousandth of the weights.',
    },
    {
      said: 'Lion wants a rate 3 to 10 times smaller than Adam’s (Chen et al., 2023).',
      row,
      measured: `${lion.setting} and ${adam.setting} were chosen: ${formatNumber(share, 2)} times`,
      agrees: share >= 3 && share <= 10,
    },
    {
      said: 'Lion learns as well as Adam.',
      row,
      measured: `${span(lion.test)} and ${span(adam.test)} errors`,
      agrees: median(lion.test) <= 1.05 * median(adam.test),
      remark:
        'As said where its median is at most a twentieth larger. The paper says so of large networks and batches.',
    },
    {
      said: 'Where gradients shrink from layer to layer, rates that grow towards the input make up for it.',
      row,
      measured: `four layers of sigmoids: ${span(stairs.grown.test)} errors with rates ${stairs.grown.setting.factor} times larger from layer to layer, ${span(stairs.alike.test)} with one rate`,
      agrees: stairs.grown.setting.factor > 1 && apart(stairs.grown.test, stairs.alike.test),
    },
    {
      said: 'Every group goes its own way.',
      row,
      measured: `two runs, groups of one rate against no groups: weights differ by ${tiny(sure.grouped)}; groups of rate 0 moved by ${tiny(sure.held)}, the last layer beside them by ${formatNumber(sure.moved, 2)}`,
      agrees: sure.grouped === 0 && sure.held === 0 && sure.moved > 0,
    },
    {
      said: 'Gradients of parts of a batch, gathered, are the gradient of the whole.',
      row: 'T1',
      measured: `${sure.updates} updates with batches of 100 or four times 25: weights differ by at most ${tiny(sure.gathered)}; by ${formatNumber(sure.ungathered, 2)} when each part makes a step`,
      agrees: sure.gathered < 1e-5 && sure.ungathered > 100 * sure.gathered,
    },
    {
      said: 'Lookahead’s slow weights vary less than those of SGD at the same rate, by a factor that can be told.',
      row,
      measured: `variances of ${curvatures.length} curvatures lie within ${percent(noise.off)} of the formulas; chance makes up to ${percent(noise.chance)}`,
      agrees: noise.smaller && noise.off < noise.chance,
      remark: 'They also go more slowly.',
    },
    {
      said: 'Lookahead around Adam errs less than Adam.',
      row,
      measured: `${span(ahead.test)} and ${span(adam.test)} errors, rates ${ahead.setting} and ${adam.setting}`,
      agrees: apart(ahead.test, adam.test),
      remark: 'As said only where all runs of one are better than all of the other.',
    },
    {
      said: 'SAM ends in flatter minima than SGD at the same rate.',
      row,
      measured: `loss at a distance of ${reach} up the gradient: ${span(sam.sharpness, short)} higher with SAM, ${span(same.sharpness, short)} with SGD`,
      agrees: apart(sam.sharpness, same.sharpness),
      remark: `A larger rate flattens too: SGD at its own rate and for as many gradients ${span(longer.sharpness, short)}.`,
    },
    {
      said: 'SAM errs less than SGD for as many gradients.',
      row,
      measured: `${span(sam.errors)} errors with SAM, ${span(longer.errors)} with SGD; at SAM’s rate and for as many steps ${span(same.errors)}`,
      agrees: apart(sam.errors, longer.errors),
      remark: `${flat.images} images; both had their rates, and SAM its radius, chosen on the validation set.`,
    },
  ]
}
