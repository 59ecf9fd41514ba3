import { inspect } from 'node:util'
import { reference } from '@tessella/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import { arange, disposeBackend, formatElements, fromData, ones, tensor, useBackend, zeros } from '../src/index.ts'

beforeAll(async () => {
  await useBackend(reference())
  return disposeBackend
})

describe('format', () => {
  it.each([
    ['a scalar', tensor(3.25), 'tensor(3.2500)'],
    ['whole floats', tensor([1, 2, -30]), 'tensor([  1.,   2., -30.])'],
    ['fractions', tensor([0.5, 100.25]), 'tensor([  0.5000, 100.2500])'],
    ['a wide range', tensor([1e-6, 1]), 'tensor([1.0000e-06, 1.0000e+00])'],
    ['what is not finite', tensor([Number.NaN, Number.NEGATIVE_INFINITY, 0.5]), 'tensor([   nan,   -inf, 0.5000])'],
    ['integers', tensor([1, 200], 'int32'), 'tensor([  1, 200], dtype=int32)'],
    ['bool', tensor([true, false]), 'tensor([ true, false])'],
    [
      'half floats',
      fromData(new Uint16Array([0x3c00, 0xc100]), [2], 'float16'),
      'tensor([ 1.0000, -2.5000], dtype=float16)',
    ],
    ['nothing', zeros([0]), 'tensor([])'],
    ['nothing in two dimensions', zeros([0, 3]), 'tensor([], size=[0, 3])'],
  ])('%s', async (_, x, text) => {
    expect(await x.format()).toBe(text)
  })

  it('aligns rows and separates matrices', async () => {
    expect(await arange(8).reshape([2, 2, 2]).format()).toBe(
      ['tensor([[[0, 1],', '         [2, 3]],', '', '        [[4, 5],', '         [6, 7]]], dtype=int32)'].join('\n'),
    )
  })
  it('breaks long lines', async () => {
    const lines = (await ones([30]).format()).split('\n')
    expect(lines).toHaveLength(2)
    expect(lines[1]).toMatch(/^ {8}1\., /)
  })
  it('shows the edges of more than 1000 elements', async () => {
    expect(await arange(1001).format()).toBe('tensor([   0,    1,    2, ...,  998,  999, 1000], dtype=int32)')
    expect(await arange(1000).format()).not.toContain('...')
    expect(await arange(12).format({ threshold: 10, edgeItems: 1 })).toBe('tensor([ 0, ..., 11], dtype=int32)')
  })
  it('takes digits', () => {
    expect(formatElements(new Float32Array([1 / 3]), 'float32', [1], { precision: 2 })).toBe('tensor([0.33])')
  })
})

describe('tensors without reading them', () => {
  it('show shape and dtype', () => {
    const x = zeros([2, 3], 'uint8')
    expect(String(x)).toBe('Tensor([2, 3], uint8)')
    expect(inspect(x)).toBe('Tensor([2, 3], uint8)')
  })
})
