/** The numbers of the lectures (rows F7 to F9, F11, F12, F16), with layers whose weights are the lectures' own. */
import { grad } from '@tessella/autograd'
import { type Tensor, tensor, useBackend, Variable } from '@tessella/tensor'
import { reference } from '@tessella/testing'
import { beforeAll, expect, it } from 'vitest'
import {
  avgPool2d,
  type ConvLayerOptions,
  conv1d,
  conv2d,
  conv3d,
  linear,
  loadStateDict,
  maxPool2d,
  sequential,
  sign,
} from '../src/index.ts'

beforeAll(() => useBackend(reference()))

/** A matrix as the lectures print it: rows between slashes. */
const rows = (text: string): number[][] => text.split('/').map((row) => row.trim().split(/\s+/).map(Number))

const X = rows('1 2 2 1 / 3 1 4 2 / 2 1 3 4 / 1 2 3 1')
const Z = rows('1 2 2 1 1 / 3 1 4 2 1 / 2 1 3 4 3 / 1 2 3 1 1 / 4 1 3 2 1')
const W = rows('1 0 0 / 0 1 1 / 0 1 0')
const image = (matrix: number[][]): Tensor => tensor([[matrix]])

/** One filter over one channel. */
async function filtered(x: number[][], w: number[][], options: ConvLayerOptions = {}): Promise<unknown> {
  const layer = conv2d(1, 1, w.length, { ...options, bias: false })
  loadStateDict(layer, { weight: image(w) })
  return layer(image(x)).at(0, 0).at(0, 0).array()
}

it('F7: convolution in one dimension', async () => {
  const layer = conv1d(1, 1, 3, { bias: false })
  loadStateDict(layer, { weight: tensor([[[1, 0, 2]]]) })
  expect(await layer(tensor([[[1, 3, -1, 2, 3, 1, -2]]])).array()).toEqual([[[-1, 7, 5, 4, -1]]])
})

it('F7: a moving average smooths', async () => {
  const layer = conv1d(1, 1, 3, { bias: false })
  loadStateDict(layer, { weight: tensor([[[1 / 3, 1 / 3, 1 / 3]]]) })
  const smooth = await layer(tensor([[[3, 1, 2, 0, 4, 2]]])).data()
  for (const [i, v] of [2, 1, 2, 2].entries()) expect(smooth[i]).toBeCloseTo(v, 6)
})

it('F8: convolution in two dimensions', async () => {
  expect(await filtered(X, rows('1 0 / 0 1'))).toEqual(rows('2 6 4 / 4 4 8 / 4 4 4'))
})

it('F9: convolution over channels and in three dimensions', async () => {
  const channels = ['1 -1 3 / 2 1 4 / 3 1 2', '2 1 3 / 3 -1 1 / 1 1 -2', '1 -2 4 / 2 1 -2 / 1 3 -1'].map(rows)
  const filter = ['1 1 / 2 0', '1 0 / 0 1', '0 1 / 1 0'].map(rows)
  const flat = conv2d(3, 1, 2, { bias: false })
  loadStateDict(flat, { weight: tensor([filter]) })
  expect(await flat(tensor([channels])).array()).toEqual([[rows('5 11 / 15 5')]])
  const deep = conv3d(1, 1, [3, 2, 2], { bias: false })
  loadStateDict(deep, { weight: tensor([[filter]]) })
  expect(await deep(tensor([[channels]])).array()).toEqual([[[rows('5 11 / 15 5')]]])
})

const unpadded = rows('7 11 9 / 9 11 12 / 8 8 7')
const padded = rows('6 5 7 4 2 / 6 7 11 9 5 / 4 9 11 12 6 / 7 8 8 7 6 / 5 5 7 6 2')
it.each<[string, ConvLayerOptions, number[][]]>([
  ['none', {}, unpadded],
  ['valid', { padding: 'valid' }, unpadded],
  ['1', { padding: 1 }, padded],
  ['same', { padding: 'same' }, padded],
])('F11: padding %s', async (_, options, expected) => {
  expect(await filtered(Z, W, options)).toEqual(expected)
})

it('F12: stride', async () => {
  expect(await filtered(Z, W, { stride: 2 })).toEqual(rows('7 9 / 8 7'))
})

it('F16: maximum and mean pooling', async () => {
  expect(await maxPool2d(2)(image(X)).array()).toEqual([[rows('3 4 / 2 4')]])
  expect(await avgPool2d(2)(image(X)).array()).toEqual([[rows('1.75 2.25 / 1.5 2.75')]])
})

it('F16: the gradient goes to the first maximum only', async () => {
  const x = new Variable(image(X))
  const { value } = grad(() => maxPool2d(2)(x.value).sum() as Tensor<[], 'float32'>, x)
  expect(await value?.array()).toEqual([[rows('0 0 0 0 / 1 0 1 0 / 1 0 0 1 / 0 0 0 0')]])
})

it('F3: a net of signs decides', async () => {
  const net = sequential(linear(2, 2), sign(), linear(2, 1))
  loadStateDict(net, {
    '0.weight': tensor(rows('-2 1 / 2 1')),
    '0.bias': tensor([5, -5]),
    '2.weight': tensor(rows('1 1')),
    '2.bias': tensor([0]),
  })
  // Right of both lines, left of both, above both, below both: the class is a < 0.
  expect(await net(tensor(rows('5 0 / 0 0 / 2.5 9 / 2.5 -9'))).array()).toEqual(rows('0 / 0 / 2 / -2'))
})
