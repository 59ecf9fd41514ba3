import { valueAndGrad } from '@tessella/autograd'
import { cpu } from '@tessella/backend-cpu'
import { compile, disposeBackend, type Tensor, tensor, useBackend } from '@tessella/tensor'
import { type GoldenCase, type GoldenTensor, golden, goldenMismatch, reference } from '@tessella/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as l from '../src/index.ts'

type Inputs = Readonly<Record<string, Tensor>>
/** The inputs by name; a missing one is a mistake of the table. Attributes have the names of the options. */
type Run = (input: (name: string) => Tensor, attrs: object) => Tensor

/** A loss of an input and a target. */
const pair =
  (loss: (x: Tensor, target: Tensor, options: object) => Tensor): Run =>
  (i, a) =>
    loss(i('x'), i('target'), a)

/** A row per loss of the file. */
const losses: Readonly<Record<string, Run>> = {
  mse: pair(l.mse),
  l1: pair(l.l1Loss),
  huber: pair(l.huber),
  smoothL1: pair(l.smoothL1),
  crossEntropy: (i, a) => l.crossEntropy(i('x'), i('target'), 'classWeights' in a ? { ...a, weight: i('weight') } : a),
  nll: pair(l.nll),
  multiMargin: pair(l.multiMargin),
  binaryCrossEntropy: pair(l.binaryCrossEntropy),
  binaryCrossEntropyWithLogits: pair(l.binaryCrossEntropyWithLogits),
  klDiv: pair(l.klDiv),
  cosineEmbedding: (i, a) => l.cosineEmbedding(i('a'), i('b'), i('target'), a),
  tripletMargin: (i, a) => l.tripletMargin(i('anchor'), i('positive'), i('negative'), a),
  poissonNll: pair(l.poissonNll),
  gaussianNll: (i, a) => l.gaussianNll(i('x'), i('target'), i('variance'), a),
}

const tensorOf = (t: GoldenTensor): Tensor => tensor([...t.data], [...t.shape], t.dtype)

/** The loss and its gradients for the cotangent `dy`, in the order of the case's gradients. */
function lossAndGrads(c: GoldenCase, inputs: Inputs): readonly Tensor[] {
  const names = Object.keys(c.grads)
  const f = (...by: Tensor[]): readonly [Tensor, Tensor] => {
    const all: Inputs = { ...inputs, ...Object.fromEntries(names.map((n, i) => [n, by[i] as Tensor])) }
    const y = (losses[c.op] as Run)((name) => all[name] as Tensor, c.attrs)
    return [y.mul(inputs.dy as Tensor).sum(), y]
  }
  const [[, y], grads] = valueAndGrad(f, { argnums: names.map((_, i) => i), hasAux: true })(
    ...names.map((n) => inputs[n] as Tensor),
  )
  return [y, ...grads]
}

describe.each([
  ['reference', () => reference()],
  ['cpu', () => cpu()],
])('golden losses on %s', async (_, make) => {
  beforeAll(async () => useBackend(await make()))
  afterAll(disposeBackend)

  it.each((await golden('losses')).map((c) => [c.name, c] as const))('%s', async (_name, c) => {
    const inputs = Object.fromEntries(Object.entries(c.inputs).map(([n, t]) => [n, tensorOf(t)]))
    const expected = [c.outputs.y as GoldenTensor, ...Object.values(c.grads)]
    const plain = (i: Inputs): readonly Tensor[] => lossAndGrads(c, i)
    for (const run of [plain, compile(plain)])
      for (const [i, found] of run(inputs).entries())
        expect(goldenMismatch(await found.cast('float32').data(), expected[i] as GoldenTensor)).toBeUndefined()
  })
})
