import { vjpNodes } from '@tessella/autograd'
import type { Node } from '@tessella/ir'
import { gradcheck, reference } from '@tessella/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'

beforeAll(async () => {
  await t.useBackend(reference())
  return t.disposeBackend
})

const counted = (...shape: number[]): t.Tensor => t.arange(1, shape.reduce((a, b) => a * b, 1) + 1).reshape(shape)
const image = counted(1, 1, 2, 3)
const two = counted(1, 2, 3, 4)
const untyped = (x: unknown): never => x as never

describe('the values of PyTorch', () => {
  it.each<[string, t.Tensor, number[], number[]]>([
    [
      'nearest twice',
      t.interpolate(image, { scaleFactor: 2 }),
      [1, 1, 4, 6],
      [1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 4, 4, 5, 5, 6, 6],
    ],
    ['nearest to a size', t.interpolate(image, { size: [3, 2] }), [1, 1, 3, 2], [1, 2, 1, 2, 4, 5]],
    [
      'nearest by a fraction',
      t.interpolate(image, { scaleFactor: 1.5 }),
      [1, 1, 3, 4],
      [1, 1, 2, 3, 1, 1, 2, 3, 4, 4, 5, 6],
    ],
    [
      'bilinear twice',
      t.interpolate(image, { scaleFactor: 2, mode: 'bilinear' }),
      [1, 1, 4, 6],
      [
        1, 1.25, 1.75, 2.25, 2.75, 3, 1.75, 2, 2.5, 3, 3.5, 3.75, 3.25, 3.5, 4, 4.5, 5, 5.25, 4, 4.25, 4.75, 5.25, 5.75,
        6,
      ],
    ],
    [
      'bilinear with corners in place',
      t.interpolate(image, { size: [3, 5], mode: 'bilinear', alignCorners: true }),
      [1, 1, 3, 5],
      [1, 1.5, 2, 2.5, 3, 2.5, 3, 3.5, 4, 4.5, 4, 4.5, 5, 5.5, 6],
    ],
    ['bilinear down', t.interpolate(image, { size: [1, 2], mode: 'bilinear' }), [1, 1, 1, 2], [2.75, 4.25]],
    ['a single corner', t.interpolate(image, { size: 1, mode: 'bilinear', alignCorners: true }), [1, 1, 1, 1], [1]],
    [
      'linear',
      t.interpolate(t.tensor([[[1, 4, 2]]]), { scaleFactor: 1.7, mode: 'linear' }),
      [1, 1, 5],
      [1, 2.147059, 3.911765, 2.882353, 2],
    ],
    [
      'trilinear',
      t.interpolate(counted(1, 1, 2, 2, 2).sub(1), { size: [2, 2, 3], mode: 'trilinear' }),
      [1, 1, 2, 2, 3],
      [0, 0.5, 1, 2, 2.5, 3, 4, 4.5, 5, 6, 6.5, 7],
    ],
    [
      'unfold',
      t.unfold(two, [2, 3], { stride: [1, 2], padding: [0, 1] }),
      [1, 12, 4],
      [
        0, 2, 0, 6, 1, 3, 5, 7, 2, 4, 6, 8, 0, 6, 0, 10, 5, 7, 9, 11, 6, 8, 10, 12, 0, 14, 0, 18, 13, 15, 17, 19, 14,
        16, 18, 20, 0, 18, 0, 22, 17, 19, 21, 23, 18, 20, 22, 24,
      ],
    ],
    ['unfold dilated', t.unfold(counted(1, 1, 3, 4), 2, { dilation: 2 }), [1, 4, 2], [1, 2, 3, 4, 9, 10, 11, 12]],
    [
      'fold of windows side by side',
      t.fold(t.unfold(two, 2, { stride: 2, padding: 1 }), [3, 4], 2, { stride: 2, padding: 1 }),
      [1, 2, 3, 4],
      Array.from({ length: 24 }, (_, i) => i + 1),
    ],
    [
      'fold of windows that overlap',
      t.fold(t.unfold(counted(1, 1, 3, 4), 2), [3, 4], 2),
      [1, 1, 3, 4],
      [1, 4, 6, 4, 10, 24, 28, 16, 9, 20, 22, 12],
    ],
    ['pixelShuffle', t.pixelShuffle(counted(1, 4, 1, 2).sub(1), 2), [1, 1, 2, 4], [0, 2, 1, 3, 4, 6, 5, 7]],
  ])('%s', async (_, y, shape, values) => {
    expect(y.shape).toEqual(shape)
    for (const [i, v] of [...(await y.data())].entries()) expect(v).toBeCloseTo(values[i] as number, 5)
  })
  it('an infinity does not spread to elements that stand alone', async () => {
    const x = t.tensor([[[Number.POSITIVE_INFINITY, 1, 2]]])
    expect(await t.interpolate(x, { size: 3, mode: 'linear' }).array()).toEqual(await x.array())
  })
  it('pixelUnshuffle undoes pixelShuffle', async () => {
    const x = counted(2, 18, 2, 3)
    expect(await t.pixelUnshuffle(t.pixelShuffle(x, 3), 3).array()).toEqual(await x.array())
  })
  it('keeps the dtype of what it moves', () => {
    const bytes = t.zeros([1, 4, 2, 2], 'uint8')
    const moved = [t.interpolate(bytes, { size: 4 }), t.unfold(bytes, 2), t.pixelShuffle(bytes, 2)]
    expect(moved.map((x) => x.dtype)).toEqual(['uint8', 'uint8', 'uint8'])
    expect(t.interpolate(bytes, { size: 4, mode: 'bilinear' }).dtype).toBe('float32')
  })
})

describe('their gradients agree with differences', () => {
  it.each<[string, (x: t.Tensor) => t.Tensor, number[]]>([
    ['nearest', (x) => t.interpolate(x, { size: [3, 5] }), [1, 2, 2, 3]],
    ['bilinear', (x) => t.interpolate(x, { scaleFactor: 1.5, mode: 'bilinear' }), [1, 2, 2, 3]],
    ['corners', (x) => t.interpolate(x, { size: 5, mode: 'linear', alignCorners: true }), [1, 1, 3]],
    ['unfold', (x) => t.unfold(x, 2, { padding: 1, stride: 2 }), [1, 2, 3, 4]],
    ['fold', (x) => t.fold(x, [3, 3], 2), [1, 4, 4]],
    ['pixelShuffle', (x) => t.pixelShuffle(x, 2), [1, 4, 2, 1]],
  ])('%s', async (_, fn, shape) => {
    await gradcheck(([x]) => t.nodeOf(fn(t.fromNode(x as Node))), [{ shape }], {
      vjp: (output, inputs, seed) => vjpNodes([output], [seed], inputs),
    })
  })
})

describe('mistakes are named', () => {
  it.each<[string, () => unknown, string]>([
    ['a matrix', () => t.interpolate(t.zeros([2, 2]), { size: 2 }), '[interpolate] the input must be [N, C, L]'],
    ['no size', () => t.interpolate(image, {}), '[interpolate] needs either size or scaleFactor'],
    ['both', () => t.interpolate(image, { size: 2, scaleFactor: 2 }), '[interpolate] needs either size or scaleFactor'],
    ['a mode of lines', () => t.interpolate(image, { size: 2, mode: 'linear' }), "Use 'nearest' or 'bilinear'."],
    ['an option', () => t.interpolate(image, untyped({ size: 2, align: true })), "there is no option 'align'"],
    ['corners of nearest', () => t.interpolate(image, { size: 2, alignCorners: true }), 'alignCorners is for linear'],
    ['a factor too small', () => t.interpolate(image, { scaleFactor: 0.1 }), 'leaves nothing of size 2'],
    ['a negative factor', () => t.interpolate(image, { scaleFactor: -1 }), 'must be 2 positive numbers'],
    ['a kernel too large', () => t.unfold(image, 4), '[unfold] a kernel of [4, 4] does not fit'],
    ['columns that do not fit', () => t.fold(t.zeros([1, 4, 5]), [3, 3], 2), 'the input must be [N, C * 4, 4]'],
    ['a size of nothing', () => t.fold(t.zeros([1, 4, 4]), [0, 3], 2), 'must be 1 to 3 positive whole numbers'],
    ['channels', () => t.pixelShuffle(two, 2), '2 channels are no multiple of 2 x 2'],
    ['pixels', () => t.pixelUnshuffle(two, 2), '3 x 4 pixels are no blocks of 2 x 2'],
    ['a factor of a half', () => t.pixelShuffle(two, 0.5), 'is not a positive whole number'],
  ])('%s', (_, call, message) => {
    expect(call).toThrow(t.OpError)
    expect(call).toThrow(message)
  })
})
