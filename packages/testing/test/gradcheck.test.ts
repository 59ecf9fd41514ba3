import { build } from '@tessella/ir'
import { gradcheck, type NodeVjp } from '@tessella/testing'
import { describe, expect, it } from 'vitest'

const square: Parameters<typeof gradcheck>[0] = ([x, y]) => build.add(build.mul(x!, x!), y!)
const right: NodeVjp = (_, [x, y], seed) => [build.scale(build.mul(seed, x!), 2), build.sumTo(seed, y!.shape)]
const wrong: NodeVjp = (_, [x, y], seed) => [build.scale(build.mul(seed, x!), 2.001), build.sumTo(seed, y!.shape)]
const inputs = [{ shape: [3, 4] }, { shape: [4] }]

describe('gradcheck', () => {
  it('accepts a right gradient', () => gradcheck(square, inputs, { vjp: right }))
  it('refuses one that is a thousandth off', () =>
    expect(gradcheck(square, inputs, { vjp: wrong })).rejects.toThrow(
      /input 0 element \d+ .* central differences give/,
    ))
  it('takes undefined for zero, and checks it', async () => {
    const constant = ([x]: readonly Parameters<typeof build.neg>[0][]) => build.zerosLike(x!)
    await gradcheck(constant, [{ shape: [2] }], { vjp: () => [undefined] })
    await expect(gradcheck(square, inputs, { vjp: (o, i, s) => [right(o, i, s)[0], undefined] })).rejects.toThrow(
      'input 1',
    )
  })
  it('refuses a gradient of another shape', () =>
    expect(gradcheck(square, inputs, { vjp: (_, __, seed) => [seed, seed] })).rejects.toThrow(
      'the gradient of input 1 is float64[3, 4], the input float64[4]',
    ))
})
