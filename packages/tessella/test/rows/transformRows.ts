import { grad, hessian, hvp } from '@tessella/autograd'
import type { Tensor } from '@tessella/tensor'
import type { GoldenTensor } from '@tessella/testing'
import { type Rows, tensorOf } from './row.ts'

type Vector = Tensor<[number], 'float32'>

/** The functions behind the cases, by name: the file holds values only. */
const functions: Readonly<Record<string, (x: Vector) => Tensor<[], 'float32'>>> = {
  rosenbrock: (x) => {
    const n = x.shape[0]
    const [a, b] = [x.slice([0, n - 1]), x.slice([1, n])]
    return b.sub(a.square()).square().mul(100).add(a.sub(1).square()).sum()
  },
  logsumexp_quadratic: (x) => x.logsumexp(0).add(x.pow(3).sum().div(3)),
  tanh_net: (x) => x.unsqueeze(1).mul(x.unsqueeze(0)).tanh().sum(),
}

export const transformRows: Rows = {
  hessian: (c) => {
    const f = functions[c.name]
    if (f === undefined) throw new Error(`no function for ${c.name}`)
    const [x, v] = [c.inputs.x, c.inputs.v].map((t) => tensorOf(t as GoldenTensor)) as [Vector, Vector]
    return () => ({ outputs: { grad: grad(f)(x), hessian: hessian(f)(x), hvp: hvp(f, [x], [v])[0] }, grads: {} })
  },
}
