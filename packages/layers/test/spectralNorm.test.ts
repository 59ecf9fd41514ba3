import { grad } from '@tessella/autograd'
import { key, namedVariables, normal, type Tensor, tensor, useBackend, type Variable } from '@tessella/tensor'
import { reference } from '@tessella/testing'
import { beforeAll, expect, it } from 'vitest'
import * as L from '../src/index.ts'

beforeAll(() => useBackend(reference()))

const diagonal = tensor([
  [3, 0, 0],
  [0, -5, 0],
])

it('divides the weight by its largest singular value', async () => {
  const inner = L.linear(3, 2, { bias: false })
  L.loadStateDict(inner, { weight: diagonal })
  const layer = L.spectralNorm(inner)
  const y = await layer(tensor([[1, 1, 1]]), 'eval').data()
  expect(Array.from(y, (v) => Number(v.toFixed(5)))).toEqual([0.6, -1])
  expect(Object.keys(namedVariables(layer))).toEqual(['weightOrig', 'weightU', 'weightV'])
  expect(Object.keys(namedVariables(layer, { trainable: true }))).toEqual(['weightOrig'])
})

it('follows the weight in training and stays in evaluation', async () => {
  const inner = L.linear(3, 2, { bias: false })
  L.loadStateDict(inner, { weight: diagonal })
  const layer = L.spectralNorm(inner)
  const x = tensor([[1, 0, 0]])
  layer.weightOrig.assign(
    tensor([
      [3, 0, 0],
      [2.9, -1, 0],
    ]) as Tensor as never,
  )
  const stale = Number(await layer(x, 'eval').at(1, 0).item())
  for (let i = 0; i < 40; i++) layer(x, 'train')
  const fresh = Number(await layer(x, 'eval').at(1, 0).item())
  // The largest eigenvalue of w w^T = [[9, 8.7], [8.7, 9.41]].
  const sigma = Math.sqrt(9.205 + Math.hypot(0.205, 8.7))
  expect(fresh).toBeCloseTo(3 / sigma, 5)
  expect(Math.abs(stale - fresh)).toBeGreaterThan(0.05)
})

it('convolutions count as matrices, transposed ones by their second axis', async () => {
  // A seed, because 60 iterations do not separate singular values that happen to lie close together.
  for (const layer of [
    L.spectralNorm(L.conv2d(3, 4, 3, { seed: 1 })),
    L.spectralNorm(L.convTranspose2d(3, 4, 3, { seed: 1 })),
  ]) {
    for (let i = 0; i < 60; i++) layer(normal(key(1), [1, 3, 5, 5]) as never, 'train')
    const transposed = layer.spec.kind === 'convTranspose'
    const w = (transposed ? layer.weightOrig.value.permute([1, 0, 2, 3]) : layer.weightOrig.value).reshape([4, -1])
    const gram = w.matmul(w.transpose() as Tensor) as Tensor
    const u = layer.weightU.value as Tensor
    // u is an eigenvector of w w^T.
    const [image, lambda] = [
      gram.matmul(u),
      gram
        .matmul(u)
        .mul(u as never)
        .sum(),
    ]
    expect(
      Number(
        await (image as Tensor)
          .sub(u.mul(lambda as Tensor))
          .norm()
          .item(),
      ),
    ).toBeLessThan(1e-3)
  }
})

it('the gradient takes u and v as given: (g - <g, w> u v^T / sigma) / sigma', async () => {
  const layer = L.spectralNorm(L.linear(4, 3, { bias: false, seed: 2 }))
  const c = normal(key(5), [3, 4])
  const eye = tensor([
    [1, 0, 0, 0],
    [0, 1, 0, 0],
    [0, 0, 1, 0],
    [0, 0, 0, 1],
  ])
  const { weightOrig: g } = grad(
    () => layer(eye, 'eval').transpose().mul(c).sum() as Tensor<[], 'float32'>,
    layer,
  ) as Record<string, Tensor>
  const [w, u, v] = [layer.weightOrig, layer.weightU, layer.weightV].map((a) => (a as Variable).value) as [
    Tensor,
    Tensor,
    Tensor,
  ]
  const sigma = w.matmul(v).mul(u).sum() as Tensor
  const outer = u.unsqueeze(1).mul(v.unsqueeze(0)) as Tensor
  const expected = c.sub(outer.mul(c.mul(w).sum().div(sigma) as Tensor)).div(sigma)
  const [a, b] = [await (g as Tensor).data(), await expected.data()]
  for (const [i, e] of Array.from(b).entries()) expect(a[i]).toBeCloseTo(Number(e), 5)
})

it('takes its place in a model, and initialize keeps the vectors with the weight', async () => {
  const make = () => L.sequential(L.spectralNorm(L.linear(6, 5)), L.relu(), L.spectralNorm(L.linear(5, 2)))
  const [a, b] = [make(), make()]
  expect(await a[0].weightOrig.value.array()).toEqual(await b[0].weightOrig.value.array())
  L.initialize(a, { weight: L.normal({ std: 3 }), seed: 4 })
  const y = L.module({ a }, (m, x: Tensor) => m.a[0](x as never, 'eval'))
  const w = a[0].weightOrig.value as Tensor
  const sigma = w.matmul(a[0].weightV.value as Tensor).norm()
  const u = w.matmul(a[0].weightV.value as Tensor).div(sigma)
  expect(
    Number(
      await (u as Tensor)
        .mul(a[0].weightU.value as Tensor)
        .sum()
        .item(),
    ),
  ).toBeGreaterThan(0.99)
  expect(L.outputShape(y, [2, 6])).toEqual([2, 5])
})

it('says what does not fit', () => {
  expect(() => L.spectralNorm(L.linear(3, 2), { axis: 2 })).toThrow('axis 2 is none of the weight’s'.replace('’', "'"))
  expect(() => L.spectralNorm(L.linear(3, 2), { iterations: 0 })).toThrow('iterations must be')
})
