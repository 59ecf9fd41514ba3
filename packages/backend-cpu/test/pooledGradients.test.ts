import { valueAndGrad } from '@tessella/autograd'
import { compile, conv2d, disposeBackend, maxPool2d, relu, type Tensor, tensor, useBackend } from '@tessella/tensor'
import { reference } from '@tessella/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { prepared } from '../src/kernels/prepare.ts'
import { Recorder } from './support/recorder.ts'
import { randomNumbers } from './support/routines.ts'

interface Case {
  readonly n: number
  readonly c: number
  readonly o: number
  readonly size: readonly [height: number, width: number]
  readonly kernel: readonly [height: number, width: number]
  readonly stride?: number
  readonly padding?: number
}

type Images = Tensor<[number, number, number, number], 'float32'>

/** Gradients of a weighted sum of the pool by the image, the weights and the bias. */
async function results({ n, c, o, size, kernel, stride = 1, padding = 0 }: Case): Promise<number[][]> {
  const random = randomNumbers(n + c + o)
  const drawn = (shape: readonly number[]): Images =>
    tensor(
      Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random()),
      shape,
    ) as Images
  const pooled = (x: Images, w: Images, b: Tensor): Tensor =>
    maxPool2d(relu((conv2d(x as Tensor, w as never, { stride, padding }) as Tensor).add(b)), 2) as Tensor
  const out = size.map((s, d) => Math.floor((Math.floor((s + 2 * padding - kernel[d]!) / stride) + 1) / 2))
  const factors = drawn([n, o, ...out])
  const loss = ({ x, w, b }: { x: Images; w: Images; b: Images }): Tensor =>
    pooled(x, w, b as Tensor)
      .mul(factors)
      .sum() as Tensor
  const step = compile((x: Images, w: Images, b: Images) => valueAndGrad(loss as never)({ x, w, b } as never) as never)
  const [, { x, w, b }] = step(drawn([n, c, ...size]), drawn([o, c, ...kernel]), drawn([1, o, 1, 1])) as [
    Tensor,
    Record<'x' | 'w' | 'b', Tensor>,
  ]
  return Promise.all([x, w, b].map(async (t) => [...(await t.data())] as number[]))
}

const cases: Case[] = [
  { n: 3, c: 6, o: 16, size: [12, 12], kernel: [5, 5] },
  { n: 9, c: 1, o: 6, size: [28, 28], kernel: [5, 5], padding: 2 },
  { n: 2, c: 4, o: 5, size: [9, 11], kernel: [4, 3], padding: 1 },
  { n: 2, c: 9, o: 7, size: [14, 15], kernel: [5, 5], stride: 2, padding: 2 },
  { n: 2, c: 13, o: 3, size: [8, 17], kernel: [2, 6] },
  { n: 2, c: 70, o: 2, size: [7, 6], kernel: [5, 3], padding: 1 },
  { n: 2, c: 7, o: 4, size: [5, 40], kernel: [4, 1] },
]

/** Gradients by the pool's elements. */
const pooledIn = (cpu: Recorder): string[] =>
  cpu.compiled.flatMap(({ program }) =>
    prepared(program).kernels.flatMap((k) => ('pooled' in k && k.pooled ? [k.kind] : [])),
  )

describe('gradients of convolutions before a pool, by the pool’s elements', () => {
  afterEach(disposeBackend)

  it.each(cases)('of %o are the reference’s', async (test) => {
    await useBackend(reference())
    const expected = await results(test)
    for (const options of [{ threads: 1 }, { threads: 1, wide: true }, { threads: 2 }]) {
      const cpu = new Recorder(options)
      await useBackend(cpu)
      const got = await results(test)
      expect(pooledIn(cpu)).toContain('convGradWeight')
      for (const [i, list] of expected.entries())
        for (const [j, e] of list.entries()) expect(Math.abs(got[i]![j]! - e)).toBeLessThan(2e-5 * (1 + Math.abs(e)))
    }
  })

  it('has them for the image, the weights and the bias, and no gradient of the pool itself', async () => {
    const cpu = new Recorder()
    await useBackend(cpu)
    await results(cases[0]!)
    expect(pooledIn(cpu)).toEqual(['convGradInput', 'convGradWeight'])
    const kinds = cpu.compiled.flatMap(({ program }) => prepared(program).kernels.map((k) => k.kind))
    expect(kinds).not.toContain('maxPoolGrad')
  })
})
