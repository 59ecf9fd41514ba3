import {
  compile,
  namedVariables,
  OpError,
  scalar,
  type Tensor,
  tensor,
  useBackend,
  Variable,
  zeros,
} from '@tessella/tensor'
import { reference } from '@tessella/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import { grad, jvp, stopGradient, valueAndGrad } from '../src/index.ts'

beforeAll(async () => {
  await useBackend(reference())
})

const values = async (t: Tensor) => Array.from(await t.data())

describe('grad of arguments', () => {
  const product = (a: Tensor<[2]>, b: Tensor<[2]>) => a.mul(b).sum()
  const a = tensor([1, 2])
  const b = tensor([3, 4])

  it('differentiates by the first argument unless told otherwise', async () => {
    expect(await values(grad(product)(a, b))).toEqual([3, 4])
    expect(await values(grad(product, 1)(a, b))).toEqual([1, 2])
    const [db, da] = grad(product, [1, 0])(a, b)
    expect([await values(da), await values(db)]).toEqual([
      [3, 4],
      [1, 2],
    ])
  })

  it('gives the value too', async () => {
    const [y, [da, db]] = valueAndGrad(product, [0, 1])(a, b)
    expect([await y.item(), await values(da), await values(db)]).toEqual([11, [3, 4], [1, 2]])
  })

  it('keeps the structure of an argument', async () => {
    const f = (p: { w: Tensor<[2]>; rest: [Tensor<[]>, Tensor<[]>] }) =>
      p.w.sum().mul(p.rest[0]).add(p.rest[1].square())
    const g = grad(f)({ w: a, rest: [scalar(3), scalar(5)] })
    expect(Object.keys(g)).toEqual(['w', 'rest'])
    expect(await Promise.all([g.w, ...g.rest].map(values))).toEqual([[3, 3], [3], [10]])
  })

  it('history before the call does not count', async () => {
    const x = scalar(3)
    const y = x.square()
    expect(await grad((v: Tensor<[]>) => v.mul(x))(y).item()).toBe(3)
    expect(await grad((v: Tensor<[]>) => v.mul(y))(x).item()).toBe(9)
  })

  it('nests: derivatives of any order', async () => {
    const f = (x: Tensor<[]>) => x.pow(4)
    expect(await grad(grad(grad(f)))(scalar(2)).item()).toBe(48)
  })

  it('hands on auxiliary results', async () => {
    const f = (x: Tensor<[]>) => [x.square(), { doubled: x.mul(2), label: 'kept' }] as const
    const [[loss, aux], g] = valueAndGrad(f, { hasAux: true })(scalar(5))
    expect([await loss.item(), await aux.doubled.item(), aux.label, await g.item()]).toEqual([25, 10, 'kept', 10])
    const [g2, aux2] = grad(f, { hasAux: true, argnums: 0 })(scalar(5))
    expect([await g2.item(), await aux2.doubled.item()]).toEqual([10, 10])
  })

  it('stopGradient makes a constant', async () => {
    expect(await grad((x: Tensor<[]>) => x.mul(stopGradient(x)))(scalar(5)).item()).toBe(5)
  })
})

describe('grad of Variables', () => {
  const model = () => ({
    layers: [{ weight: new Variable(tensor([[1, 2]])) }, { bias: new Variable(scalar(0.5)) }],
    running: new Variable(scalar(7), { trainable: false }),
  })

  it('names gradients by the paths of the trainable Variables', async () => {
    const m = model()
    const [w, c] = [m.layers[0]?.weight as Variable<[1, 2]>, m.layers[1]?.bias as Variable<[]>]
    const [loss, grads] = valueAndGrad(() => w.value.square().sum().add(c.value.mul(3)).add(m.running.value), m)
    expect(Object.keys(grads)).toEqual(Object.keys(namedVariables(m, { trainable: true })))
    expect(await loss.item()).toBe(13.5)
    expect(await values(grads['layers.0.weight'] as Tensor)).toEqual([2, 4])
    expect(await values(grads['layers.1.bias'] as Tensor)).toEqual([3])
  })

  it('gives zeros for a Variable that the loss does not use', async () => {
    const [used, unused] = [new Variable(scalar(2)), new Variable(zeros([2]))]
    const grads = grad(() => used.value.square(), { used, unused })
    expect(await values(grads['unused'] as Tensor)).toEqual([0, 0])
  })

  it('takes a Variable, an array, and auxiliary results', async () => {
    const v = new Variable(scalar(3))
    expect(await grad(() => v.value.square(), v)['value']?.item()).toBe(6)
    const [[loss, aux], grads] = valueAndGrad(() => [v.value.square(), v.value.add(1)], [v], { hasAux: true })
    expect([await loss.item(), await aux.item(), await grads['0']?.item()]).toEqual([9, 4, 6])
  })

  it('nests: the gradient of a gradient penalty', async () => {
    const v = new Variable(scalar(3))
    const penalty = () => {
      const inner = grad(() => v.value.pow(3), v)['value'] as Tensor<[]>
      return inner.square()
    }
    // d (3 v^2)^2 / dv = 36 v^3
    expect(await grad(penalty, v)['value']?.item()).toBe(36 * 27)
  })

  it('restores the Variables when the function throws', async () => {
    const v = new Variable(scalar(3))
    expect(() =>
      grad(() => {
        throw new Error('mine')
      }, v),
    ).toThrow('mine')
    expect(await v.value.item()).toBe(3)
  })

  it('sees assignments made inside, and trains inside compile', async () => {
    const v = new Variable(scalar(3))
    const count = new Variable(scalar(0), { trainable: false })
    const step = compile((x: Tensor<[]>) => {
      const [loss, grads] = valueAndGrad(() => {
        count.assign(count.value.add(1))
        return v.value.mul(x).square()
      }, v)
      v.assign(v.value.sub(grads['value']?.mul(0.125) as Tensor<[], 'float32'>))
      return loss
    })
    const losses = [await step(1).item(), await step(1).item(), await step(1).item()]
    expect(losses).toEqual([9, 9 * 0.75 ** 2, 9 * 0.75 ** 4])
    expect([await v.value.item(), await count.value.item()]).toEqual([3 * 0.75 ** 3, 3])
  })
})

describe('what is wrong, in words', () => {
  const x = tensor([1, 2])
  const loose = (f: unknown) => f as (...args: unknown[]) => Tensor
  const bad: readonly (readonly [string, () => unknown, RegExp])[] = [
    [
      'loss of a shape',
      () => grad(loose((t: Tensor) => t.mul(2)))(x),
      /^\[grad\] the loss must be a scalar \(shapes \[2\]\)\. Reduce it/,
    ],
    [
      'integer loss',
      () => grad(loose((t: Tensor) => t.cast('int32').sum()))(x),
      /^\[grad\] the loss must be floating, got int32/,
    ],
    [
      'no result',
      () => grad(loose(() => undefined))(x),
      /^\[grad\] the function must return a scalar tensor, got nothing/,
    ],
    ['a pair without hasAux', () => grad(loose(() => [x, x]))(x), /got an array.*\{ hasAux: true \}/],
    [
      'hasAux without a pair',
      () =>
        grad(
          loose(() => x),
          { hasAux: true } as never,
        ),
      /./,
    ],
    ['async', () => grad(loose(async () => x.sum()))(x), /^\[grad\] the function is async/],
    [
      'integer argument',
      () => grad(loose((t: Tensor) => t.sum()))(x.cast('int32')),
      /^\[grad\] argument 0 is int32, which has no derivative/,
    ],
    ['integer in a tree', () => grad(loose(() => x.sum()))({ a: [x, x.cast('bool')] }), /argument 0 at 'a\.1' is bool/],
    [
      'a bare number',
      () => grad(loose(() => x.sum()))(3),
      /^\[grad\] argument 0 is a number, not a tensor\. Wrap it: tensor\(3\)\./,
    ],
    [
      'a bare tensor for the arguments',
      () => jvp(loose(() => x) as never, x as never, x as never),
      /^\[jvp\] the second argument must be an array of arguments\. jvp\(f, \[x\], \[v\]\)/,
    ],
    ['a number', () => grad(loose(() => x.sum()))({ a: 3 }), /argument 0 at 'a' is a number, not a tensor/],
    [
      'no such argument',
      () =>
        grad(
          loose(() => x.sum()),
          2,
        )(x),
      /^\[grad\] there is no argument 2: the function was called with 1/,
    ],
    [
      'argument twice',
      () =>
        grad(
          loose(() => x.sum()),
          [0, 0],
        )(x),
      /repeat an argument/,
    ],
    [
      'a model as an argument',
      () => grad(loose(() => x.sum()))({ w: new Variable(x) }),
      /argument 0 holds Variables\. .*valueAndGrad\(f, model\)/,
    ],
    ['nothing to train', () => valueAndGrad(() => x.sum(), { w: x }), /^\[valueAndGrad\] found no trainable Variables/],
    ['an empty model', () => valueAndGrad(() => x.sum(), {}), /found no trainable Variables/],
    ['integer Variable', () => grad(() => x.sum(), { n: new Variable(x.cast('int32')) }), /Variable 'n' is int32/],
    ['not a function', () => grad(x as never), /^\[grad\] the first argument must be a function, got object/],
  ]
  it.each(bad)('%s', (name, run, message) => {
    const call = name === 'hasAux without a pair' ? () => (run() as (t: Tensor) => unknown)(x) : run
    expect(call).toThrow(OpError)
    expect(call).toThrow(message)
  })

  it('a loss that is known not to be a scalar does not compile', () => {
    // @ts-expect-error: the loss has the shape [2]
    expect(() => grad((t: Tensor<[2]>) => t.mul(2))(x)).toThrow(OpError)
  })
})
