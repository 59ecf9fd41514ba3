import { valueAndGrad } from '@tessella/autograd'
import { cpu } from '@tessella/backend-cpu'
import { adam, chain, clipByGlobalNorm, cosineDecay, optimizer } from '@tessella/optimizers'
import { compile, tensor, useBackend, Variable } from '@tessella/tensor'

await useBackend(cpu())
const w = new Variable(tensor([-1, 1]))
const opt = optimizer(chain(clipByGlobalNorm(10), adam(cosineDecay(0.2, { totalSteps: 1000 }))), { w })

// Rosenbrock's function, with its minimum at (1, 1).
const valley = () => {
  const [x, y] = [w.value.slice(0), w.value.slice(1)]
  return x.sub(1).square().add(y.sub(x.square()).square().mul(100))
}
const step = compile(() => {
  const [loss, grads] = valueAndGrad(valley, { w })
  opt.update(grads)
  return loss
})
for (let i = 0; i < 1000; i++) step()
console.log(Array.from(await w.value.data(), (v) => v.toFixed(2))) //=> [ '1.00', '1.00' ]
console.log(step.programs().length) //=> 1
