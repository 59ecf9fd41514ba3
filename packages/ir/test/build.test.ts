import {
  broadcastShapes,
  build,
  normalizeAxes,
  normalizeAxis,
  OpError,
  parameter,
  promote,
  windowSize,
} from '@tessella/ir'
import { describe, expect, it } from 'vitest'

const { isConstant } = build
const x = parameter([2, 1, 3], 'float32')

describe('build leaves out what changes nothing', () => {
  it.each([
    ['reshape', build.reshape(x, [2, 1, 3])],
    ['permute', build.permute(x, [0, 1, 2])],
    ['expand', build.expand(x, [2, 1, 3])],
    ['slice', build.slice(x, [0, 0, 0], [2, 1, 3])],
    ['pad', build.pad(x, [0, 0, 0], [0, 0, 0])],
    ['flip', build.flip(x, [])],
    ['cast', build.cast(x, 'float32')],
    ['reduce', build.reduce('sum', x, [])],
    ['concat of one', build.concat([x], 0)],
    ['two reshapes that meet', build.reshape(build.reshape(x, [6]), [2, 1, 3])],
    ['sumTo its shape', build.sumTo(x, [2, 1, 3])],
  ])('%s', (_, node) => expect(node).toBe(x))
  it('joins reshapes', () => expect(build.reshape(build.reshape(x, [6]), [3, 2]).src[0]).toBe(x))
})

it('broadcasts by NumPy and sums back to where it came from', () => {
  expect(broadcastShapes('add', [4, 1, 3], [5, 1])).toEqual([4, 5, 3])
  expect(broadcastShapes('add', [], [2])).toEqual([2])
  expect(broadcastShapes('add', [0], [1])).toEqual([0])
  expect(() => broadcastShapes('add', [2, 3], [4])).toThrow(
    '[add] sizes 3 and 4 at dimension -1 do not broadcast (shapes [2, 3] and [4]). Sizes must be equal or 1, counted from the last dimension.',
  )
  const grown = build.broadcastTo(x, [4, 2, 5, 3])
  expect(grown.shape).toEqual([4, 2, 5, 3])
  expect(build.sumTo(grown, [2, 1, 3]).shape).toEqual([2, 1, 3])
})

it('sees constants through views', () => {
  expect(isConstant(build.permute(build.full([2, 3], 1, 'float32'), [1, 0]), 1)).toBe(true)
  expect(isConstant(build.full([2, 3], 1, 'float32'), 0)).toBe(false)
  expect(isConstant(build.full([0], 1, 'float32'), 1)).toBe(false)
  expect(isConstant(build.pad(build.full([2], 1, 'float32'), [1], [0]), 1)).toBe(false)
})

it('promotes along bool, uint8, uint32, int32, float16, float32, float64', () => {
  expect(promote('bool', 'uint8')).toBe('uint8')
  expect(promote('int32', 'uint32')).toBe('int32')
  expect(promote('int32', 'float16')).toBe('float16')
  expect(promote('float64', 'float32')).toBe('float64')
})

describe('axes', () => {
  it('count from either end', () => {
    expect(normalizeAxis('sum', -1, 3)).toBe(2)
    expect(normalizeAxes('sum', [-1, 0], 3)).toEqual([0, 2])
    expect(normalizeAxes('sum', undefined, 2)).toEqual([0, 1])
  })
  it.each([
    [() => normalizeAxis('sum', 3, 3), '[sum] axis 3 is out of range for 3 dimensions. Use an integer from -3 to 2.'],
    [
      () => normalizeAxis('sum', 0.5, 1),
      '[sum] axis 0.5 is out of range for 1 dimension. Use an integer from -1 to 0.',
    ],
    [() => normalizeAxis('sum', 0, 0), '[sum] axis 0 is out of range for 0 dimensions. A scalar has no axes.'],
    [() => normalizeAxes('sum', [0, -2], 2), '[sum] axes [0, 0] repeat an axis.'],
  ])('refuse what is not there %#', (act, message) => {
    expect(act).toThrow(OpError)
    expect(act).toThrow(message)
  })
})

it('windowSize is the formula of PyTorch', () => {
  expect(windowSize(28, 5, 1, 0, 0, 1)).toBe(24)
  expect(windowSize(7, 3, 2, 1, 1, 1)).toBe(4)
  expect(windowSize(10, 3, 1, 0, 0, 2)).toBe(6)
  expect(windowSize(2, 3, 1, 0, 0, 1)).toBe(0)
})
