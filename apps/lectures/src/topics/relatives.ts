import { median } from '../pages/ranges.ts'
import type { Context, Page, Topic } from '../pages/topic.ts'
import { percent } from '../report/numbers.ts'
import { smallSets } from './chosen.ts'
import { lookaheadVariances } from './lookaheadNoise.ts'
import { claimsOf, row, steps } from './relativesClaims.ts'
import { exact, onDigits, stepped } from './relativesDigits.ts'
import { drawn, sectionsOf } from './relativesSections.ts'
import { flatnesses } from './sharpness.ts'
import { arrived, floor, inValley } from './valleyWays.ts'

async function run(context: Context): Promise<Page> {
  const valley = await inValley(context)
  context.note(`valley: ${valley.all.map(([name, , n]) => `${name} ${steps(median(n))}`).join(', ')} evaluations`)
  const sets = await smallSets(context, 10_000)
  const noise = await lookaheadVariances(context)
  const sure = await exact(sets.train, context.seed)
  const digits = await onDigits(sets, context)
  const stairs = await stepped(await smallSets(context, 5000), context)
  const flat = await flatnesses(await smallSets(context, 1000), context)
  const claims = claimsOf(valley, digits, sure, stairs, noise, flat)
  const [plain, , searched] = valley.all.map(([, , n]) => median(n)) as [number, number, number]
  const best = digits.reduce((a, b) => (median(b.test) < median(a.test) ? b : a))
  return {
    found: `Through Rosenbrock’s valley L-BFGS with a line search needs ${steps(searched)} evaluations where gradient descent needs ${steps(plain)}. On MNIST ${best.name} errs least (${percent(median(best.test))}); a rate for each layer takes a deep network of sigmoids from ${percent(median(stairs.alike.test))} to ${percent(median(stairs.grown.test))} errors; SAM comes to ${percent(median(flat.ways[2].errors))}, SGD for as many gradients to ${percent(median(flat.ways[1].errors))}.`,
    picture: drawn(valley),
    caption: `From (−1.2, 1) to the cross: ${valley.walks.map(([name, , walk]) => `${name} ${steps(arrived(walk))}`).join(', ')} evaluations to a height of ${floor}. Dots are evaluations of L-BFGS, tries of the line search among them.`,
    claims,
    numbers: {
      evaluations: valley.all.map(([, , n]) => Math.min(median(n), valley.most)),
      digits: digits.map((d) => median(d.test)),
      gathered: sure.gathered,
      ungathered: sure.ungathered,
      grouped: sure.grouped,
      held: sure.held,
      signs: sure.steps,
      stairs: [median(stairs.alike.test), median(stairs.grown.test)],
      variancesOff: noise.off,
      flatErrors: flat.ways.map((w) => median(w.errors)),
      sharpness: flat.ways.map((w) => median(w.sharpness)),
    },
    sections: sectionsOf({ valley, digits, images: sets.train.length, stairs, noise, flat }),
  }
}

/** What the library has beyond the lectures' optimizers. */
export const relatives: Topic = {
  name: 'relatives',
  title: 'Relatives of the optimizers',
  about: 'L-BFGS, Lion, groups of parameters, gathered gradients, Lookahead and sharpness-aware steps.',
  rows: ['T1', row],
  run,
}
