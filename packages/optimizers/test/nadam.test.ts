import { valueAndGrad } from '@tessella/autograd'
import { compile, disposeBackend, type Tensor, tensor, useBackend, Variable } from '@tessella/tensor'
import { type GoldenTensor, golden, goldenMismatch } from '@tessella/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { nadam, optimizer } from '../src/index.ts'
import { backends } from './support/backends.ts'

const c = (await golden('optimizers')).find((entry) => entry.name === 'nadam')
if (c === undefined) throw new Error('the golden file has no nadam')
const [start, a, center] = ['w0', 'A', 'c'].map((name) => c.inputs[name]) as [GoldenTensor, GoldenTensor, GoldenTensor]
const { lr, steps, momentumDecay } = c.attrs as {
  readonly [name in 'lr' | 'steps' | 'momentumDecay']: number
}
const expected = c.outputs.trajectory as GoldenTensor

/** NAdam on the golden objective in plain arithmetic. */
function pathOf(form: 'as published' | 'as PyTorch 1.13'): number[] {
  const w = [...start.data]
  const m = w.map(() => 0)
  const v = w.map(() => 0)
  const path = [...w]
  const momentumAt = (t: number): number => 0.9 * (1 - 0.5 * 0.96 ** (t * momentumDecay))
  let product = 1
  for (let t = 1; t <= steps; t++) {
    const [mu, next] = [momentumAt(t), momentumAt(t + 1)]
    product *= mu
    const ahead = product * next * (form === 'as published' ? 1 : mu)
    for (const [i, x] of [...w].entries()) {
      const g = (a.data[i] as number) * (x - (center.data[i] as number)) + 0.3 * Math.cos(3 * x)
      m[i] = 0.9 * (m[i] as number) + 0.1 * g
      v[i] = 0.999 * (v[i] as number) + 0.001 * g * g
      const direction = ((1 - mu) / (1 - product)) * g + (next / (1 - ahead)) * m[i]
      w[i] = x - (lr * direction) / (Math.sqrt(v[i] / (1 - 0.999 ** t)) + 1e-8)
    }
    path.push(...w)
  }
  return path
}

it('the golden file has the form of PyTorch 1.13', () => {
  // It was made before https://github.com/pytorch/pytorch/pull/92699, with a momentum too many.
  expect(goldenMismatch(pathOf('as PyTorch 1.13'), expected)).toBeUndefined()
  expect(goldenMismatch(pathOf('as published'), expected)).toBeDefined()
})

describe.each(backends)('nadam on %s', (_, make) => {
  beforeAll(async () => useBackend(await make()))
  afterAll(disposeBackend)

  it('is as published', async () => {
    const of = (t: GoldenTensor): Tensor => tensor(t.data, t.shape)
    const w = new Variable(of(start))
    const [curve, zero] = [of(a), of(center)]
    const opt = optimizer(nadam(lr, { momentumDecay }), { w })
    const objective = () => w.value.sub(zero).square().mul(curve).sum().div(2).add(w.value.mul(3).sin().sum().mul(0.1))
    const step = compile(() => {
      opt.update(valueAndGrad(objective, { w })[1])
    })
    const path = [...(await w.value.data())]
    for (let i = 0; i < steps; i++) {
      step()
      path.push(...(await w.value.data()))
    }
    expect(goldenMismatch(path, { ...expected, data: pathOf('as published') })).toBeUndefined()
  })
})
