import { compile, disposeBackend, type Tensor, tensor, useBackend, Variable } from '@tessella/tensor'
import { reference } from '@tessella/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import { grad, jacobian, jvp, valueAndGrad, vjp, vmap } from '../src/index.ts'

beforeAll(async () => {
  await useBackend(reference())
  return disposeBackend
})

describe('transforms of compiled functions', () => {
  const square = compile((x: Tensor<[2], 'float32'>) => x.mul(x))
  const energy = compile((x: Tensor<[2], 'float32'>) => square(x).sum())
  const x = tensor([1, 4])

  it('differentiates through them by arguments', async () => {
    expect(await grad((v: Tensor<[2], 'float32'>) => energy(v))(x).array()).toEqual([2, 8])
    expect(await jacobian((v: Tensor<[2], 'float32'>) => square(v))(x).array()).toEqual([
      [2, 0],
      [0, 8],
    ])
    expect(await jvp((v: Tensor<[2], 'float32'>) => square(v), [x], [tensor([1, 1])])[1].array()).toEqual([2, 8])
    const [, pull] = vjp((v: Tensor<[2], 'float32'>) => square(v), x)
    expect(await pull(tensor([1, 1]))[0].array()).toEqual([2, 8])
    expect(
      await vmap((v: Tensor<[2], 'float32'>) => energy(v))(
        tensor([
          [1, 4],
          [2, 0],
        ]),
      ).array(),
    ).toEqual([17, 4])
  })

  it('differentiates through them by Variables', async () => {
    const w = new Variable(tensor([2, 3]))
    const loss = compile((v: Tensor<[2], 'float32'>) => w.value.mul(v).sum())
    const [value, grads] = valueAndGrad(() => loss(x), { w })
    expect(await value.item()).toBe(14)
    expect(await grads['w']?.array()).toEqual([1, 4])
  })
})
