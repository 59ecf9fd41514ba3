import { hessian, jacobian, valueAndGrad } from '@tessella/autograd'
import { crossEntropy } from '@tessella/losses'
import { optimizer, sgd } from '@tessella/optimizers'
import {
  compile,
  concat,
  disposeBackend,
  key,
  normal,
  type Tensor,
  tensor,
  useBackend,
  Variable,
} from '@tessella/tensor'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fisherProduct, naturalGradient } from '../src/index.ts'
import { backends } from './support/backends.ts'

type Scalar = Tensor<[], 'float32'>
const numbers = async (t: Tensor): Promise<number[]> => Array.from(await t.data(), Number)
const random = (seed: number, ...shape: number[]): Tensor => normal(key(seed), shape) as Tensor

/** Three inputs, two hidden units, three classes: 6 + 2 + 6 = 14 parameters. */
function net() {
  const x = random(1, 5, 3)
  const model = { a: new Variable(random(2, 2, 3)), b: new Variable(random(3, 2)), c: new Variable(random(4, 3, 2)) }
  const at = (a: Tensor, b: Tensor, c: Tensor): Tensor =>
    x.matmul(a.transpose()).add(b).tanh().matmul(c.transpose()) as Tensor
  const forward = (): Tensor => at(model.a.value, model.b.value, model.c.value)
  const flat = concat([model.a.value.reshape([-1]), model.b.value, model.c.value.reshape([-1])], 0) as Tensor
  const atFlat = (w: Tensor): Tensor =>
    at(
      w.narrow(0, 0, 6).reshape([2, 3]) as Tensor,
      w.narrow(0, 6, 2) as Tensor,
      w.narrow(0, 8, 6).reshape([3, 2]) as Tensor,
    )
  const unflat = (w: Tensor): Record<string, Tensor> => ({
    a: w.narrow(0, 0, 6).reshape([2, 3]) as Tensor,
    b: w.narrow(0, 6, 2) as Tensor,
    c: w.narrow(0, 8, 6).reshape([3, 2]) as Tensor,
  })
  const flatten = (t: Record<string, Tensor>): Tensor =>
    concat([(t.a as Tensor).reshape([-1]), t.b as Tensor, (t.c as Tensor).reshape([-1])], 0) as Tensor
  return { model, forward, flat, atFlat, flatten, unflat }
}

/** 1/n sum J^T H J, entry by entry. */
async function fisher(likelihood: 'categorical' | 'gaussian'): Promise<number[][]> {
  const { flat, atFlat } = net()
  const j = await numbers(jacobian((w: Tensor) => atFlat(w))(flat) as Tensor)
  const p = await numbers(atFlat(flat).softmax(1) as Tensor)
  const [n, k, size] = [5, 3, 14]
  const f = Array.from({ length: size }, () => new Array<number>(size).fill(0))
  for (let i = 0; i < n; i++)
    for (let r = 0; r < k; r++)
      for (let s = 0; s < k; s++) {
        const [pr, ps] = [p[i * k + r] as number, p[i * k + s] as number]
        const h = likelihood === 'gaussian' ? Number(r === s) : (r === s ? pr : 0) - pr * ps
        for (const [u, row] of f.entries())
          for (let v = 0; v < size; v++)
            row[v] =
              (row[v] as number) +
              ((j[(i * k + r) * size + u] as number) * h * (j[(i * k + s) * size + v] as number)) / n
      }
  return f
}

/** Gaussian elimination with pivots. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const m = matrix.map((row, i) => [...row, right[i] as number])
  const n = m.length
  for (let c = 0; c < n; c++) {
    let pivot = c
    for (let r = c + 1; r < n; r++) if (Math.abs(m[r]?.[c] ?? 0) > Math.abs(m[pivot]?.[c] ?? 0)) pivot = r
    ;[m[c], m[pivot]] = [m[pivot] as number[], m[c] as number[]]
    for (let r = 0; r < n; r++) {
      if (r === c) continue
      const f = ((m[r] as number[])[c] as number) / ((m[c] as number[])[c] as number)
      for (let k = c; k <= n; k++)
        (m[r] as number[])[k] = ((m[r] as number[])[k] as number) - f * ((m[c] as number[])[k] as number)
    }
  }
  return m.map((row, i) => (row[n] as number) / (row[i] as number))
}

describe.each(backends)('on %s', (_, make) => {
  beforeAll(async () => useBackend(await make()))
  afterAll(disposeBackend)

  it.each(['categorical', 'gaussian'] as const)(
    'products are those of the matrix 1/n sum J^T H J, %s',
    async (likelihood) => {
      const { model, forward, flatten, unflat } = net()
      const f = await fisher(likelihood)
      const v = random(9, 14)
      const found = await numbers(flatten(fisherProduct(model, forward, likelihood)(unflat(v))))
      const d = await numbers(v)
      for (const [i, row] of f.entries())
        expect(found[i]).toBeCloseTo(
          row.reduce((sum, x, j) => sum + x * (d[j] as number), 0),
          3,
        )
    },
  )

  it('is the second derivative of the mean loss where the outputs are linear in the parameters', async () => {
    const x = random(1, 6, 2)
    const model = { w: new Variable(random(2, 3, 2)) }
    const y = tensor([0, 1, 2, 2, 1, 0], [6], 'int32')
    const h = await numbers(
      hessian((w: Tensor) => crossEntropy(x.matmul(w.transpose()) as never, y) as Scalar)(
        model.w.value as Tensor,
      ) as Tensor,
    )
    const product = fisherProduct(model, () => x.matmul(model.w.value.transpose()) as Tensor, 'categorical')
    for (let i = 0; i < 6; i++) {
      const unit = tensor(
        Array.from({ length: 6 }, (_v, k) => Number(k === i)),
        [3, 2],
      ) as Tensor
      const column = await numbers(product({ w: unit }).w as Tensor)
      for (const [k, value] of column.entries()) expect(value).toBeCloseTo(h[i * 6 + k] as number, 4)
    }
  })

  it('solves (F + damping) d = g exactly, as elimination does', async () => {
    const { model, forward, flatten, unflat } = net()
    const g = random(8, 14)
    const f = await fisher('categorical')
    const expected = solve(
      f.map((row, i) => row.map((v, j) => v + (i === j ? 0.05 : 0))),
      await numbers(g),
    )
    const d = naturalGradient(fisherProduct(model, forward, 'categorical'), unflat(g), {
      damping: 0.05,
      iterations: 20,
    })
    const found = await numbers(flatten(d))
    for (const [i, v] of expected.entries())
      expect(Math.abs((found[i] as number) - v)).toBeLessThan(2e-2 * Math.max(1, Math.abs(v)))
  })

  it('is at the bottom of a linear least squares in one step, however badly it is scaled; zeros stay zeros', async () => {
    const x = tensor([
      [1, 0],
      [0, 0.01],
      [1, 0.01],
    ])
    const w = new Variable(tensor([[0, 0]]))
    const y = tensor([[2], [3], [5]])
    const forward = () => x.matmul(w.value.transpose()) as Tensor
    const opt = optimizer(sgd(1), { w })
    const step = compile(() => {
      const [loss, grads] = valueAndGrad(() => forward().sub(y).square().sum().div(6) as Scalar, { w })
      opt.update(naturalGradient(fisherProduct({ w }, forward, 'gaussian'), grads, { damping: 0, iterations: 4 }))
      return loss
    })
    step()
    const [a, b] = (await numbers(w.value)) as [number, number]
    expect(a).toBeCloseTo(2, 2)
    expect(b / 300).toBeCloseTo(1, 2)
    const still = naturalGradient((v) => v, { w: tensor([[0, 0]]) as Tensor })
    expect(await numbers(still.w as Tensor)).toEqual([0, 0])
  })
})
