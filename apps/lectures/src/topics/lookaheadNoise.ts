import { valueAndGrad } from '@tessella/autograd'
import { lookahead, optimizer, sgd } from '@tessella/optimizers'
import { compile, foldIn, key, normal, type Tensor, tensor, Variable, zeros } from '@tessella/tensor'
import type { Context } from '../pages/topic.ts'
import { pause } from '../runTopic.ts'

const every = 5
const share = 0.5

/** Variance of a weight around the minimum of h w^2 / 2 whose place is drawn anew every step, in units of the draw's. */
export const varianceOfSgd = (q: number): number => (1 - q) ** 2 / (1 - q * q)

/** The same for the slow weights of Lookahead: s := (1 - a + a q^k) s + a noise, the noise of k steps of SGD. */
export const varianceOfSlow = (q: number): number =>
  (share ** 2 * (1 - q ** (2 * every)) * varianceOfSgd(q)) / (1 - (1 - share + share * q ** every) ** 2)

/** Rate times curvature: what a step of SGD takes off the distance is this share. */
export const curvatures: readonly number[] = [0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.2, 1.4, 1.6]

/** Measured variances by curvature, of SGD and of Lookahead's slow weights: many weights, each with its own noise. */
export async function measuredVariances(
  weights: number,
  rounds: number,
  seed: number,
  signal: AbortSignal,
): Promise<{ readonly sgd: readonly number[]; readonly slow: readonly number[] }> {
  const h = tensor(curvatures.map((c) => [c])) as Tensor
  const spread = async (transform: ReturnType<typeof sgd>): Promise<readonly number[]> => {
    // show: noise
    const w = new Variable(zeros([curvatures.length, weights]) as Tensor)
    const opt = optimizer(transform, { w })
    const step = compile((target: Tensor) => {
      const [loss, grads] = valueAndGrad(() => w.value.sub(target).square().mul(h).mul(0.5).sum(), { w })
      opt.update(grads)
      return loss
    })
    for (let i = 0; i < every * rounds; i++) {
      step(normal(foldIn(key(seed), i), [curvatures.length, weights]) as Tensor)
      if (i % every === 0) await pause({ signal })
    }
    // end
    return Array.from(await (w.value.square() as Tensor).mean(1).data(), Number)
  }
  return { sgd: await spread(sgd(1)), slow: await spread(lookahead(sgd(1), { every, share })) }
}

/** Variances of both, and how far they lie from the formulas, as a share. */
export async function lookaheadVariances({ quick, seed, signal }: Context) {
  const weights = quick ? 2000 : 20_000
  const { sgd, slow } = await measuredVariances(weights, quick ? 20 : 40, seed, signal)
  const off = (measured: readonly number[], told: (q: number) => number): number =>
    Math.max(...measured.map((v, i) => Math.abs(v / told(1 - (curvatures[i] as number)) - 1)))
  const smaller = slow.every((v, i) => v < (sgd[i] as number))
  // Five deviations of a variance that is measured from so many normal weights.
  const chance = 5 * Math.sqrt(2 / weights)
  return { sgd, slow, smaller, chance, off: Math.max(off(sgd, varianceOfSgd), off(slow, varianceOfSlow)) }
}

export type Variances = Awaited<ReturnType<typeof lookaheadVariances>>
