import { topological } from '@tessella/ir'
import { nodeOf, OpError, ones, scalar, type Tensor, tensor, useBackend, Variable, zeros } from '@tessella/tensor'
import { reference } from '@tessella/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import { checkpoint, customVjp, grad, hessian, hvp, jacobian, jvp, vjp, vmap } from '../src/index.ts'
import { draw } from './support/program.ts'

beforeAll(async () => {
  await useBackend(reference())
})

const values = async (t: Tensor) => Array.from(await t.data())
const random = (n: number, seed: number) => tensor(draw(n, seed), [n], 'float64')

function expectClose(actual: readonly number[], expected: readonly number[], digits = 9) {
  expect(actual).toHaveLength(expected.length)
  for (const [i, e] of expected.entries()) expect(actual[i]).toBeCloseTo(e, digits)
}

describe('vjp and jvp', () => {
  const f = (x: Tensor<[3], 'float64'>, s: Tensor<[], 'float64'>) => ({ scaled: x.mul(s).sin(), total: x.sum().mul(s) })
  const x = tensor([0.1, -0.5, 0.9], [3], 'float64')
  const s = scalar(2, 'float64')

  it('are transposes of each other', async () => {
    const [, pull] = vjp(f, x, s)
    const cotangent = { scaled: tensor([1, 2, -1], [3], 'float64'), total: scalar(0.5, 'float64') }
    const [gx, gs] = pull(cotangent)
    const [tx, ts] = [tensor([0.3, 0.2, -0.7], [3], 'float64'), scalar(-1.5, 'float64')]
    const [value, moved] = jvp(f, [x, s], [tx, ts])
    expectClose(await values(value.scaled), [0.2, -1, 1.8].map(Math.sin))
    const left = (await gx.mul(tx).sum().item()) + (await gs.mul(ts).item())
    const right =
      (await cotangent.scaled.mul(moved.scaled).sum().item()) + (await cotangent.total.mul(moved.total).item())
    expect(left).toBeCloseTo(right, 12)
  })

  it('jvp equals finite differences', async () => {
    const t = random(3, 4).reshape([3])
    const [, moved] = jvp((v: Tensor<[3], 'float64'>) => v.exp().cumprod(0), [x], [t])
    const at = (h: number) => values(x.add(t.mul(h)).exp().cumprod(0))
    const [ahead, behind] = [await at(1e-5), await at(-1e-5)]
    expectClose(
      await values(moved),
      ahead.map((a, i) => (a - (behind[i] as number)) / 2e-5),
      7,
    )
  })

  it('say what does not fit', () => {
    const [, pull] = vjp((v: Tensor) => v.mul(2), x)
    expect(() => pull(ones([2]))).toThrow('[vjp] tensor 0 of the cotangent has another shape (shapes [2] and [3])')
    expect(() => jvp((v: Tensor) => v, [x as Tensor], [ones([2])])).toThrow('[jvp] tensor 0 of the tangents')
    expect(() => jvp((v: Tensor) => v, [x as Tensor], [] as never)).toThrow(
      '[jvp] the tangents holds 0 tensors where 1',
    )
    expect(() => vjp((v: Tensor) => v.gt(0), x)).toThrow('[vjp] the result is bool')
  })
})

describe('jacobian and hessian', () => {
  const x = tensor([1, 2, 3])

  it('stacks the shapes of the result and the argument', async () => {
    const wide = jacobian((t: Tensor<[3]>) => t.unsqueeze(0).mul(tensor([[1], [10]])))(x)
    expect(wide.shape).toEqual([2, 3, 3])
    expect(await values(wide)).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1, 10, 0, 0, 0, 10, 0, 0, 0, 10])
    const narrow = jacobian((t: Tensor<[3]>) => t.square().sum(0, { keepdim: true }))(x)
    expect(narrow.shape).toEqual([1, 3])
    expect(await values(narrow)).toEqual([2, 4, 6])
  })

  it('takes another argument, and a hessian is the jacobian of the gradient', async () => {
    const f = (a: Tensor<[3]>, b: Tensor<[3]>) => a.mul(b.pow(3)).sum()
    const y = tensor([2, 0, 1])
    const h = hessian(f, 1)(x, y)
    expect(await values(h)).toEqual(await values(jacobian(grad(f, 1), 1)(x, y)))
    expect(await values(h)).toEqual([12, 0, 0, 0, 0, 0, 0, 0, 18])
  })

  it('refuses what is not one tensor', () => {
    expect(() => jacobian(((t: Tensor) => [t]) as never)(x as never)).toThrow(
      '[jacobian] the function must return one tensor',
    )
    expect(() => jacobian((t: Tensor[]) => t[0] as Tensor)([x])).toThrow('[jacobian] argument 0 is not a tensor')
    expect(() => hessian(((t: Tensor) => t) as never)(x as never)).toThrow('[hessian] the loss must be a scalar')
  })
})

describe('hvp of a model', () => {
  it('goes by the paths of the Variables', async () => {
    const model = { a: new Variable(scalar(2)), b: new Variable(tensor([1, 3])) }
    const loss = () => model.a.value.mul(model.b.value.square().sum())
    const hv = hvp(loss, model, { a: scalar(1), b: tensor([0, 1]) })
    // H = [[0, 2 b], [2 b, 2 a I]]
    expect([await hv['a']?.item(), await values(hv['b'] as Tensor)]).toEqual([6, [2, 10]])
    expect(() => hvp(loss, model, { a: scalar(1) })).toThrow("[hvp] the direction has no 'b'")
  })
})

describe('vmap', () => {
  const dot = (a: Tensor<[3]>, b: Tensor<[3]>) => a.mul(b).sum()
  const rows = tensor([
    [1, 2, 3],
    [4, 5, 6],
  ])

  it('runs lanes along any axis, shares arguments, and places results', async () => {
    const b = tensor([1, 10, 100])
    expect(await values(vmap(dot, [0, null])(rows, b))).toEqual([321, 654])
    expect(await values(vmap(dot, [1, null])(rows.transpose(), b))).toEqual([321, 654])
    expect(await values(vmap(dot)(rows, rows))).toEqual([14, 77])
    const outer = vmap((x: Tensor<[]>) => x.mul(b), 0, 1)(tensor([1, 2]))
    expect(outer.shape).toEqual([3, 2])
    expect(await values(outer)).toEqual([1, 2, 10, 20, 100, 200])
  })

  it('nests, and composes with grad', async () => {
    const pairs = vmap((a: Tensor<[3]>) => vmap((c: Tensor<[3]>) => dot(a, c))(rows))(rows)
    expect(await values(pairs)).toEqual([14, 32, 32, 77])
    const perExample = vmap(
      grad((w: Tensor<[3]>, x: Tensor<[3]>) => dot(w, x).square()),
      [null, 0],
    )
    expect(await values(perExample(tensor([1, 0, 0]), rows))).toEqual([2, 4, 6, 32, 40, 48])
    const whole = grad((w: Tensor<[3]>) => vmap(dot, [null, 0])(w, rows).square().sum())
    expect(await values(whole(tensor([1, 0, 0])))).toEqual([34, 44, 54])
  })

  it('takes trees', async () => {
    const f = (p: { a: Tensor<[]>; b: Tensor<[]> }) => ({ sum: p.a.add(p.b), diff: p.a.sub(p.b) })
    const out = vmap(f)({ a: tensor([1, 2]), b: tensor([10, 20]) })
    expect([await values(out.sum), await values(out.diff)]).toEqual([
      [11, 22],
      [-9, -18],
    ])
  })

  it('says what does not fit', () => {
    expect(() => vmap(dot)(rows, ones([3, 3]))).toThrow('[vmap] argument 1 has 3 lanes along axis 0, others have 2')
    expect(() => vmap(dot, [null, null])(ones([3]), ones([3]))).toThrow('[vmap] no argument has lanes')
    expect(() => vmap(dot, [0] as never)(rows as never, rows as never)).toThrow('[vmap] inAxes has 1 entries for 2')
    expect(() => vmap(dot)(zeros([0, 3]), zeros([0, 3]))).toThrow('[vmap] argument 0 has no lanes')
    expect(() => vmap(dot, [5, null])(rows, ones([3]))).toThrow(OpError)
  })
})

describe('customVjp', () => {
  const clipped = customVjp(
    (x: Tensor<[2]>) => x.mul(1),
    (_, __, g) => [g.clip(-1, 1)],
  )

  it('uses the rule, to the second order too', async () => {
    const x = tensor([5, 0.25])
    expect(await values(grad((t: Tensor<[2]>) => clipped(t).square().sum())(x))).toEqual([1, 0.5])
    const twice = grad((t: Tensor<[2]>) => grad((s: Tensor<[2]>) => clipped(s).square().sum())(t).sum())
    // The inner gradient is clip(2 t): flat beyond the bound; the way back through `clipped` clips 2 to 1.
    expect(await values(twice(x))).toEqual([0, 1])
  })

  it('does not differentiate what the function closes over', async () => {
    const f = (w: Tensor<[2]>) =>
      customVjp(
        (x: Tensor<[2]>) => x.mul(w),
        (_, __, g) => [g],
      )(ones([2])).sum()
    expect(await values(grad(f)(tensor([3, 4])))).toEqual([0, 0])
  })

  it('checks the rule', () => {
    const f = customVjp((x: Tensor<[2]>) => x, (() => []) as never)
    expect(() => grad((x: Tensor<[2]>) => f(x).sum())(ones([2]))).toThrow(
      '[customVjp] the rule must answer 1 gradients',
    )
    expect(() => customVjp((() => 3) as never, (() => []) as never)()).toThrow(
      '[customVjp] the function must return one tensor',
    )
  })
})

describe('checkpoint', () => {
  const block = (x: Tensor<[2, 2]>, w: Variable<[2, 2]>) => x.matmul(w.value).tanh()
  const x = tensor([
    [0.1, -0.4],
    [0.7, 0.2],
  ])

  it('gives the gradients of arguments and of Variables it closes over', async () => {
    const w = new Variable(
      tensor([
        [0.5, -1],
        [2, 0.3],
      ]),
    )
    const plain = (t: Tensor<[2, 2]>) => block(block(t, w), w).sum()
    const kept = (t: Tensor<[2, 2]>) => {
      const wrapped = checkpoint((s: Tensor<[2, 2]>) => block(s, w))
      return wrapped(wrapped(t)).sum()
    }
    expect(await values(grad(kept)(x))).toEqual(await values(grad(plain)(x)))
    const [a, b] = [grad(() => kept(x), w), grad(() => plain(x), w)]
    expect(await values(a['value'] as Tensor)).toEqual(await values(b['value'] as Tensor))
  })

  it('has its values twice in the graph, once after the gradient', () => {
    const count = (f: (t: Tensor<[2, 2]>) => Tensor<[]>) =>
      topological([nodeOf(grad(f)(x))]).filter((n) => n.op === 'after').length
    const w = new Variable(eye2())
    expect(count((t) => block(t, w).sum())).toBe(0)
    expect(count((t) => checkpoint((s: Tensor<[2, 2]>) => block(s, w))(t).sum())).toBeGreaterThan(0)
  })
})

const eye2 = () =>
  tensor([
    [1, 0],
    [0, 1],
  ])
