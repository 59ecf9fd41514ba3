import { valueAndGrad } from '@tessella/autograd'
import { cpu } from '@tessella/backend-cpu'
import { lbfgs } from '@tessella/optimizers'
import { compile, tensor, useBackend, Variable } from '@tessella/tensor'

await useBackend(cpu())
const w = new Variable(tensor([-1.2, 1]))
const valley = () => {
  const [x, y] = [w.value.slice(0), w.value.slice(1)]
  return x.sub(1).square().add(y.sub(x.square()).square().mul(100))
}
const opt = lbfgs(w, { lineSearch: 'strongWolfe', maxIterations: 60, maxEvaluations: 200 })
await opt.step(compile(() => valueAndGrad(valley, w)))
console.log(Array.from(await w.value.data(), (v) => v.toFixed(2))) //=> [ '1.00', '1.00' ]
