/** Diagonal second derivatives against those of autograd. */
import { hessian, hvp } from '@tessella/autograd'
import { cpu } from '@tessella/backend-cpu'
import { compile, disposeBackend, key, normal, type Tensor, tensor, useBackend, Variable } from '@tessella/tensor'
import { reference } from '@tessella/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  bends,
  type DenseLayer,
  denseCurvature,
  halfSquaredError,
  hutchinsonDiagonal,
  softmaxCrossEntropy,
} from '../src/index.ts'

type Scalar = Tensor<[], 'float32'>
const random = (seed: number, ...shape: number[]): Tensor => normal(key(seed), shape) as Tensor
const numbers = async (t: Tensor): Promise<number[]> => Array.from(await t.data(), Number)

/** The diagonal of the full matrix of second derivatives by one parameter. */
async function exactDiagonal(f: (w: Tensor) => Scalar, at: Tensor): Promise<number[]> {
  const size = at.shape.reduce((a, b) => a * b, 1)
  const h = await numbers(hessian(f as never)(at) as Tensor)
  return Array.from({ length: size }, (_, i) => h[i * size + i] as number)
}

const forward = (layers: readonly DenseLayer[], x: Tensor): Tensor =>
  layers.reduce((a, { weight, bias, activation }) => {
    const z = a.matmul(weight.transpose()).add(bias as Tensor) as Tensor
    return bends[activation as keyof typeof bends].value(z)
  }, x)

const squared = (y: Tensor) => (a: Tensor) => a.sub(y).square().sum().div(2) as Scalar
const entropy = (y: Tensor) => (z: Tensor) => z.logSoftmax(1).mul(y).sum().neg() as Scalar

const net = (sizes: readonly number[], activations: readonly (keyof typeof bends)[]): DenseLayer[] =>
  activations.map((activation, l) => ({
    weight: random(10 + l, sizes[l + 1] as number, sizes[l] as number).mul(0.7) as Tensor,
    bias: random(20 + l, sizes[l + 1] as number).mul(0.3) as Tensor,
    activation,
  }))

const x = () => random(1, 5, 3)
const classes = () =>
  tensor([
    [1, 0],
    [0, 1],
    [0, 1],
    [1, 0],
    [0, 1],
  ]) as Tensor

describe.each(Object.entries({ reference, cpu }))('on %s', (_, create) => {
  beforeAll(() => useBackend(create()))
  afterAll(disposeBackend)

  async function expectExact(
    layers: DenseLayer[],
    loss: (a: Tensor) => Scalar,
    criterion: Parameters<typeof denseCurvature>[2],
    mode: 'exact' | 'diagonal',
  ) {
    const found = denseCurvature(layers, x(), criterion, { mode })
    for (const [l, layer] of layers.entries())
      for (const part of ['weight', 'bias'] as const) {
        const f = (w: Tensor): Scalar =>
          loss(
            forward(
              layers.map((other, i) => (i === l ? { ...other, [part]: w } : other)),
              x(),
            ),
          )
        const expected = await exactDiagonal(f, layer[part] as Tensor)
        const actual = await numbers((found[l] as { weight: Tensor; bias: Tensor })[part])
        const scale = Math.max(...expected.map(Math.abs))
        for (const [i, e] of expected.entries())
          expect(Math.abs((actual[i] as number) - e), `${part} ${l}, element ${i}`).toBeLessThan(1e-4 * scale)
      }
  }

  it.each([
    ['one hidden layer of tanh', net([3, 4, 2], ['tanh', 'identity']), 'exact'],
    [
      'one hidden layer of sigmoids, sigmoid outputs, by the diagonal alone',
      net([3, 4, 2], ['sigmoid', 'sigmoid']),
      'diagonal',
    ],
    ['three hidden layers', net([3, 4, 3, 3, 2], ['tanh', 'sigmoid', 'tanh', 'identity']), 'exact'],
    ['relu', net([3, 5, 4, 2], ['relu', 'relu', 'identity']), 'exact'],
  ] as const)('the lectures’ squared error: %s', async (_name, layers, mode) => {
    await expectExact(layers as DenseLayer[], squared(classes()), halfSquaredError(classes()), mode)
  })

  it('softmax mixes the outputs, and nothing is lost', async () => {
    const layers = net([3, 4, 3, 2], ['tanh', 'tanh', 'identity'])
    await expectExact(layers, entropy(classes()), softmaxCrossEntropy(classes()), 'exact')
  })

  it('sending back the diagonal only differs where layers are deep', async () => {
    const layers = net([3, 5, 4, 2], ['tanh', 'tanh', 'identity'])
    const [a, b] = (['exact', 'diagonal'] as const).map((mode) =>
      denseCurvature(layers, x(), halfSquaredError(classes()), { mode }).map((c) => c.weight),
    ) as [Tensor[], Tensor[]]
    expect(await numbers(a[2] as Tensor)).toEqual(await numbers(b[2] as Tensor))
    const apart = (a[0] as Tensor)
      .sub(b[0] as Tensor)
      .abs()
      .max()
    expect(Number(await apart.item())).toBeGreaterThan(0.01)
  })

  it('compiles', async () => {
    const layers = net([3, 4, 2], ['tanh', 'identity'])
    const w = new Variable(layers[0]?.weight as Tensor)
    const run = compile(
      () =>
        denseCurvature(
          [{ ...(layers[0] as DenseLayer), weight: w.value }, layers[1] as DenseLayer],
          x(),
          halfSquaredError(classes()),
        )[0]?.weight as Tensor,
    )
    const plain = denseCurvature(layers, x(), halfSquaredError(classes()))[0]?.weight as Tensor
    const [p, q] = [await numbers(run()), await numbers(plain)]
    for (const [i, v] of p.entries()) expect(v).toBeCloseTo(q[i] as number, 4)
  })
})

describe('hutchinsonDiagonal', () => {
  beforeAll(() => useBackend(reference()))

  it('is exact where second derivatives are diagonal, and comes near elsewhere', async () => {
    const w = new Variable(random(3, 4) as Tensor)
    const model = { w }
    const separate = () => w.value.square().square().sum() as Scalar
    const one = hutchinsonDiagonal(
      (v) => hvp(separate, model, v),
      { w: w.value as Tensor },
      { key: key(1), samples: 1 },
    )
    const values = await numbers(w.value as Tensor)
    for (const [i, h] of (await numbers(one.w as Tensor)).entries())
      expect(h).toBeCloseTo(12 * (values[i] as number) ** 2, 4)

    const mixed = () => w.value.square().sum().add(w.value.sum().square().mul(0.5)) as Scalar
    const many = hutchinsonDiagonal(
      (v) => hvp(mixed, model, v),
      { w: w.value as Tensor },
      { key: key(1), samples: 200 },
    )
    for (const h of await numbers(many.w as Tensor)) expect(Math.abs(h - 3)).toBeLessThan(0.4)
  })
})

it('says what does not fit', () => {
  expect(() => denseCurvature([], x(), halfSquaredError(classes()))).toThrow('needs a layer')
  expect(() => denseCurvature([{ weight: random(1, 2, 4) }], x(), halfSquaredError(classes()))).toThrow(
    'does not fit what comes before',
  )
  expect(() => hutchinsonDiagonal(() => ({}), { w: x() }, { key: key(1) })).toThrow("nothing for 'w'")
})
