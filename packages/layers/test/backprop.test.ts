/**
 * Backpropagation as the lectures write it, by hand in loops over numbers: formulas (5) to (16) on a fully connected net, and the
 * backward phase of a convolutional one, against the gradients of the layers.
 */
import { valueAndGrad } from '@tessella/autograd'
import { cpu } from '@tessella/backend-cpu'
import { crossEntropy } from '@tessella/losses'
import { decoupledDecay } from '@tessella/regularizers'
import { disposeBackend, Generator, key, normal, type Tensor, tensor, useBackend, Variable } from '@tessella/tensor'
import { reference } from '@tessella/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as L from '../src/index.ts'

type Matrix = number[][]
type Planes = number[][][]
const at = <T>(list: readonly T[], i: number): T => list[i] as T
const array = async <T>(t: Tensor | undefined): Promise<T> => (await (t as Tensor).array()) as T

/** w a + b. */
const affine = (w: Matrix, b: readonly number[], a: readonly number[]): number[] =>
  w.map((row, i) => row.reduce((sum, x, j) => sum + x * at(a, j), at(b, i)))
/** w^T d. */
const back = (w: Matrix, d: readonly number[]): number[] =>
  at(w, 0).map((_, j) => w.reduce((sum, row, i) => sum + at(row, j) * at(d, i), 0))
const softmax = (z: readonly number[]): number[] => {
  const e = z.map((x) => Math.exp(x - Math.max(...z)))
  return e.map((x) => x / e.reduce((a, b) => a + b, 0))
}
const close = (actual: unknown, expected: unknown): void => {
  const [a, b] = [[actual].flat(9) as number[], [expected].flat(9) as number[]]
  expect(a).toHaveLength(b.length)
  for (const [i, x] of b.entries()) expect(at(a, i)).toBeCloseTo(x, 4)
}

/** Cross-correlation without padding. */
const correlate = (x: Planes, w: Planes[], b: readonly number[]): Planes =>
  w.map((filter, o) => {
    const k = at(at(filter, 0), 0).length
    const size = at(x, 0).length - k + 1
    return Array.from({ length: size }, (_, r) =>
      Array.from({ length: size }, (_v, s) => {
        let sum = at(b, o)
        for (const [c, plane] of filter.entries())
          for (let i = 0; i < k; i++)
            for (let j = 0; j < k; j++) sum += at(at(plane, i), j) * at(at(at(x, c), r + i), s + j)
        return sum
      }),
    )
  })

/** What a convolution sends back: to its filters, biases and input. */
function correlateBack(x: Planes, w: Planes[], d: Planes): { w: Planes[]; b: number[]; x: Planes } {
  const dx = x.map((p) => p.map((row) => row.map(() => 0)))
  const dw = w.map((f) => f.map((p) => p.map((row) => row.map(() => 0))))
  for (const [o, plane] of d.entries())
    for (const [r, row] of plane.entries())
      for (const [s, delta] of row.entries())
        for (const [c, kernel] of at(w, o).entries())
          for (const [i, weights] of kernel.entries())
            for (const [j, weight] of weights.entries()) {
              const [to, from] = [at(at(at(dw, o), c), i), at(at(at(x, c), r + i), s + j)]
              to[j] = at(to, j) + delta * from
              const line = at(at(dx, c), r + i)
              line[s + j] = at(line, s + j) + delta * weight
            }
  return { w: dw, b: d.map((p) => p.flat().reduce((a, v) => a + v, 0)), x: dx }
}

/** Maxima of 2x2 windows, and where the first of each lies. */
const pool = (x: Planes): { y: Planes; back: (d: Planes) => Planes } => {
  const half = at(x, 0).length / 2
  const places = x.map((p) =>
    Array.from({ length: half }, (_, r) =>
      Array.from({ length: half }, (_v, s) => {
        const window = [0, 1, 2, 3].map((k) => [2 * r + (k >> 1), 2 * s + (k & 1)] as const)
        return window.reduce((best, q) => (at(at(p, q[0]), q[1]) > at(at(p, best[0]), best[1]) ? q : best))
      }),
    ),
  )
  const y = places.map((rows, c) => rows.map((row) => row.map(([i, j]) => at(at(at(x, c), i), j))))
  const send = (d: Planes): Planes => {
    const out = x.map((p) => p.map((row) => row.map(() => 0)))
    for (const [c, rows] of places.entries())
      for (const [r, row] of rows.entries())
        for (const [s, [i, j]] of row.entries()) at(at(out, c), i)[j] = at(at(at(d, c), r), s)
    return out
  }
  return { y, back: send }
}
const relu = (x: Planes): Planes => x.map((p) => p.map((row) => row.map((v) => Math.max(v, 0))))
/** d where z is above 0. */
const reluBack = (z: Planes, d: Planes): Planes =>
  d.map((p, c) => p.map((row, r) => row.map((v, s) => (at(at(at(z, c), r), s) > 0 ? v : 0))))

describe.each(Object.entries({ reference, cpu }))('on %s', (_, create) => {
  beforeAll(() => useBackend(create()))
  afterAll(disposeBackend)

  it('B (5) to (16): the deltas of a fully connected net', async () => {
    const model = L.sequential(
      L.linear(4, 5, { seed: 1 }),
      L.tanh(),
      L.linear(5, 6, { seed: 2 }),
      L.sigmoid(),
      L.linear(6, 3, { seed: 3 }),
    )
    const x = normal(key(1), [1, 4])
    const [, grads] = valueAndGrad(() => crossEntropy(model(x), tensor([2], [1], 'int32')), model)
    const [w1, w2, w3] = await Promise.all(['0', '2', '4'].map((l) => array<Matrix>(L.stateDict(model)[`${l}.weight`])))
    const [b1, b2, b3] = await Promise.all(['0', '2', '4'].map((l) => array<number[]>(L.stateDict(model)[`${l}.bias`])))
    const [a0] = (await array<Matrix>(x as Tensor)) as [number[]]
    const a1 = affine(w1 as Matrix, b1 as number[], a0).map(Math.tanh)
    const a2 = affine(w2 as Matrix, b2 as number[], a1).map((z) => 1 / (1 + Math.exp(-z)))
    const p = softmax(affine(w3 as Matrix, b3 as number[], a2))
    const d3 = p.map((v, k) => v - (k === 2 ? 1 : 0))
    const d2 = back(w3 as Matrix, d3).map((v, i) => v * at(a2, i) * (1 - at(a2, i)))
    const d1 = back(w2 as Matrix, d2).map((v, i) => v * (1 - at(a1, i) ** 2))
    for (const [name, delta, before] of [
      ['0', d1, a0],
      ['2', d2, a1],
      ['4', d3, a2],
    ] as const) {
      close(await array(grads[`${name}.bias`]), delta)
      close(
        await array(grads[`${name}.weight`]),
        delta.map((d) => before.map((a) => d * a)),
      )
    }
  })

  it('D: the backward phase of a convolutional net', async () => {
    const model = L.sequential(
      L.conv2d(1, 2, 3, { seed: 1 }),
      L.relu(),
      L.maxPool2d(2),
      L.conv2d(2, 3, 3, { seed: 2 }),
      L.relu(),
      L.maxPool2d(2),
      L.flatten(),
      L.linear(12, 4, { seed: 3 }),
    )
    const x = normal(key(4), [1, 1, 14, 14])
    const [, grads] = valueAndGrad(() => crossEntropy(model(x) as never, tensor([1], [1], 'int32')), model)
    const s = L.stateDict(model)
    const [w1, w2, w3] = [
      await array<Planes[]>(s['0.weight']),
      await array<Planes[]>(s['3.weight']),
      await array<Matrix>(s['7.weight']),
    ]
    const [b1, b2, b3] = [
      await array<number[]>(s['0.bias']),
      await array<number[]>(s['3.bias']),
      await array<number[]>(s['7.bias']),
    ]
    const [image] = (await array<Planes[]>(x as Tensor)) as [Planes]
    const z1 = correlate(image, w1, b1)
    const first = pool(relu(z1))
    const z2 = correlate(first.y, w2, b2)
    const second = pool(relu(z2))
    const flat = second.y.flat(2)
    const delta = softmax(affine(w3, b3, flat)).map((v, k) => v - (k === 1 ? 1 : 0))
    close(
      await array(grads['7.weight']),
      delta.map((d) => flat.map((a) => d * a)),
    )
    const sent = back(w3, delta)
    const planes = second.y.map((p, c) => p.map((row, r) => row.map((_v, t) => at(sent, c * 4 + r * 2 + t))))
    const d2 = correlateBack(first.y, w2, reluBack(z2, second.back(planes)))
    close(await array(grads['3.weight']), d2.w)
    close(await array(grads['3.bias']), d2.b)
    const d1 = correlateBack(image, w1, reluBack(z1, first.back(d2.x)))
    close(await array(grads['0.weight']), d1.w)
    close(await array(grads['0.bias']), d1.b)
  })

  it('R6: a step with dropout and L2 is w (1 - rate l) - rate / (1 - p) xi g', async () => {
    const [rate, strength, p] = [0.1, 0.5, 0.4]
    const w = new Variable(tensor([[1, -2, 3, 0.5]]))
    const layer = L.dropout(p, { generator: new Generator(2) })
    const kept = await array<number[]>(layer(tensor([1, 1, 1, 1]), 'train') as Tensor)
    const xi = kept.map((v) => (v > 0 ? 1 : 0))
    expect(new Set(xi).size).toBe(2)
    const target = tensor([2, 2, 2, 2])
    const again = L.dropout(p, { generator: new Generator(2) })
    // The slope by what dropout lets through is g = 2 (kept w - target).
    const loss = () =>
      again(w.value.reshape([4]) as Tensor as never, 'train')
        .sub(target)
        .square()
        .sum() as Tensor<[], 'float32'>
    const [, grads] = valueAndGrad(loss, { w })
    decoupledDecay({ w }, rate, strength)
    w.assign(w.value.sub((grads.w as Tensor).mul(rate)) as never)
    const start = [1, -2, 3, 0.5]
    const g = start.map((v, i) => 2 * ((at(xi, i) * v) / (1 - p) - 2))
    close(
      await array(w.value as Tensor),
      start.map((v, i) => v * (1 - rate * strength) - (rate / (1 - p)) * at(xi, i) * at(g, i)),
    )
  })
})
