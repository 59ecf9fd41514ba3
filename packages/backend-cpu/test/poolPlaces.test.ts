import { grad } from '@tessella/autograd'
import {
  arange,
  compile,
  conv2d,
  disposeBackend,
  maxPool2d,
  ones,
  relu,
  type Tensor,
  tensor,
  useBackend,
} from '@tessella/tensor'
import { reference } from '@tessella/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { prepared } from '../src/kernels/prepare.ts'
import { Recorder } from './support/recorder.ts'

/** Few different numbers, so that windows have ties, nothing above 0, and NaN. */
const drawn = (n: number): number[] =>
  Array.from({ length: n }, (_, i) => [-1, 0, 1, 2, Number.NaN, -0][(i * i * 7 + i) % 6]!)

type Images = Tensor<[number, number, number, number], 'float32'>

/** The pooled values and the gradient by x of their weighted sum. */
async function results([n, c, h, w]: readonly [number, number, number, number]): Promise<number[][]> {
  const x = tensor(drawn(n * c * h * w), [n, c, h, w]) as Images
  const size = [n, c, Math.floor(h / 2), Math.floor(w / 2)] as const
  const weights = arange(1, size.reduce((a, b) => a * b, 1) + 1).reshape(size)
  // A convolution that changes nothing: what comes before a relu is not kept when it can be part of the convolution.
  const same = ones([c, 1, 1, 1]) as Tensor
  const pooled = (z: Images): Tensor => maxPool2d(relu(conv2d(z as Tensor, same as never, { groups: c })), 2) as Tensor
  const step = compile((z: Images) => ({ y: pooled(z), dz: grad((v: Images) => pooled(v).mul(weights).sum())(z) }))
  const { y, dz } = step(x)
  return [[...(await y.data())], [...(await dz.data())]] as number[][]
}

describe('pools after a relu keep the places of their maxima', () => {
  afterEach(disposeBackend)

  it.each([
    [2, 2, 2, 2],
    [2, 3, 8, 8],
    [3, 2, 7, 10],
    [2, 2, 9, 11],
    [2, 4, 24, 24],
  ])('[%i, %i, %i, %i]: values and gradients are the reference’s', async (...shape) => {
    const cpu = new Recorder()
    await useBackend(cpu)
    const got = await results(shape)
    const kernels = cpu.compiled.flatMap(({ program }) => prepared(program).kernels)
    expect(kernels.filter((k) => 'places' in k && k.places !== undefined).map((k) => k.kind)).toEqual([
      'maxPool',
      'maxPoolGrad',
    ])
    await useBackend(reference())
    expect(got).toEqual(await results(shape))
  })
})
