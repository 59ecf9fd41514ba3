import { reference } from '@tessella/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import * as all from '../src/index.ts'

beforeAll(() => all.useBackend(reference()))

/** An option that nothing has, beside those that are needed. */
const misspelt = <T extends object>(needed: T): T => ({ ...needed, oops: 1 })
const none = misspelt({})
const x = all.tensor([[0.5, 0.25]])
const labels = all.tensor([0], 'int32')
const model = all.linear(2, 2)
const key = all.key(1)
const f = all.functional
const points = all.dataset({ x: all.column(new Float32Array(8), [4, 2]), y: all.column(new Uint8Array(4), [4]) })
const opt = all.optimizer(all.sgd(0.1), model)
const space = { rate: all.choice([1, 2]) }
const evaluate = () => 0
const first = (steps: AsyncGenerator<unknown>) => steps.next()

const calls: Readonly<Record<string, () => unknown>> = {
  compile: () => all.compile(() => x, none),
  grad: () => all.grad(() => [model(x).sum(), 1] as const, model, misspelt({ hasAux: true })),
  mse: () => all.mse(x, x, none),
  l1Loss: () => all.l1Loss(x, x, none),
  huber: () => all.huber(x, x, none),
  smoothL1: () => all.smoothL1(x, x, none),
  poissonNll: () => all.poissonNll(x, x, none),
  gaussianNll: () => all.gaussianNll(x, x, x, none),
  binaryCrossEntropy: () => all.binaryCrossEntropy(x, x, none),
  binaryCrossEntropyWithLogits: () => all.binaryCrossEntropyWithLogits(x, x, none),
  klDiv: () => all.klDiv(x, x, none),
  cosineEmbedding: () => all.cosineEmbedding(x, x, labels, none),
  tripletMargin: () => all.tripletMargin(x, x, x, none),
  crossEntropy: () => all.crossEntropy(x, labels, none),
  nll: () => all.nll(x, labels, none),
  multiMargin: () => all.multiMargin(x, labels, none),
  unitVariance: () => all.unitVariance(model, x, none),
  loadStateDict: () => all.loadStateDict(model, {}, none),
  countParameters: () => all.countParameters(model, none),
  normal: () => all.layers.normal(none),
  truncatedNormal: () => all.layers.truncatedNormal(none),
  xavierUniform: () => all.xavierUniform(none),
  xavierNormal: () => all.xavierNormal(none),
  heNormal: () => all.linear(2, 2, { init: all.heNormal(none) }).weight.value,
  identityInit: () => all.identityInit(none),
  sparse: () => all.sparse(misspelt({ sparsity: 0.5 })),
  lbfgs: () => all.lbfgs(model, none),
  ema: () => all.ema(model, none),
  lookahead: () => all.lookahead(all.sgd(0.1), none),
  nag: () => all.nag(model, misspelt({ rate: 0.1 })),
  sam: () => all.sam(model, opt, none),
  maxNorm: () => all.maxNorm(1, none),
  unitNorm: () => all.unitNorm(none),
  constrain: () => all.constrain(model, all.unitNorm(), none),
  l2: () => all.l2(model, 0.1, none),
  mixup: () => all.mixup(x, x, misspelt({ key })),
  cutmix: () => all.cutmix(f.zeros([2, 1, 4, 4]), f.zeros([2, 2]), misspelt({ key })),
  earlyStopping: () => all.earlyStopping(none),
  trainStep: () => all.trainStep(misspelt({ model, optimizer: opt, loss: () => model(x).sum() })),
  naturalGradient: () => all.naturalGradient((v) => v, {}, none),
  kroneckerFactored: () => all.kroneckerFactored(model, none),
  fit: () =>
    first(
      all.fit(
        misspelt({ step: all.trainStep({ model, optimizer: opt, loss: () => x.sum() }), batches: () => [], epochs: 1 }),
      ),
    ),
  gridSearch: () => first(all.gridSearch(misspelt({ space, evaluate }))),
  randomSearch: () => first(all.randomSearch(misspelt({ space, evaluate, trials: 1 }))),
  successiveHalving: () => first(all.successiveHalving(misspelt({ space, evaluate, trials: 1 }))),
  batches: () => all.batches(points, misspelt({ size: 1 })),
  splitDataset: () => all.splitDataset(points, misspelt({ test: 1 })),
  trainTestSplit: () => all.trainTestSplit(points, none),
  kFold: () => all.kFold(points, misspelt({ k: 2 })),
  standardize: () => all.standardize(points.columns.x, none),
  twoMoons: () => all.twoMoons(misspelt({ n: 4 })),
  circles: () => all.circles(misspelt({ n: 4 })),
  spirals: () => all.spirals(misspelt({ n: 4 })),
  blobs: () => all.blobs(misspelt({ n: 4 })),
  xor: () => all.xor(misspelt({ n: 4 })),
  parseCsv: () => all.parseCsv('a\n1', none),
  parseIdx: () => all.parseIdx(new Uint8Array(), none),
  mnist: () => all.mnist(none),
  fashionMnist: () => all.fashionMnist(none),
  imageFolder: () => all.imageFolder('.', none),
  pngDecoder: () => all.pngDecoder(none),
  augmenter: () => all.augmenter(none),
  wgpu: () => all.wgpu(none),
}

describe('a misspelt option is refused by', () => {
  it.each(Object.entries(calls))('%s', async (_, call) => {
    await expect(async () => await call()).rejects.toThrow(`there is no option 'oops'. Options are `)
  })
})
