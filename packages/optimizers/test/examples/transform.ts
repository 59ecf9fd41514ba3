import { cpu } from '@tessella/backend-cpu'
import { chain, optimizer, scaleByLearningRate, stateless, type Transform } from '@tessella/optimizers'
import { scalar, type Tensor, tensor, useBackend, Variable } from '@tessella/tensor'

await useBackend(cpu())

// The sign of the gradient alone, as in signSGD.
const bySign = stateless((grad) => grad.sign())

// A state is any tree of tensors. The shell keeps it in Variables, so it is compiled and saved with the rest.
const counted: Transform<{ readonly steps: Tensor }> = {
  init: () => ({ steps: scalar(0) }),
  update: (grads, { steps }) => [grads, { steps: steps.add(1) }],
}

const w = new Variable(tensor([1, 2]))
const opt = optimizer(chain(bySign, counted, scaleByLearningRate(0.5)), { w })
opt.update({ w: tensor([100, -0.01]) })
console.log(await w.value.array()) //=> [ 0.5, 2.5 ]
