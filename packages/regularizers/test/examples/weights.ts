import { cpu } from '@tessella/backend-cpu'
import { constrain, l2, maxNorm } from '@tessella/regularizers'
import { tensor, useBackend, Variable } from '@tessella/tensor'

await useBackend(cpu())
const model = {
  weight: new Variable(
    tensor([
      [3, 4],
      [1, 0],
    ]),
  ),
  bias: new Variable(tensor([7, 7])),
}

// Add it to the loss: 0.1 / 2 times the squares of the weights; biases are left out.
console.log((await l2(model, 0.1).item()).toFixed(2)) //=> 1.30

// After the optimizer's update, in the same step: rows longer than 1 are shortened.
constrain(model, maxNorm(1))
console.log(Array.from(await model.weight.value.data(), (v) => v.toFixed(1))) //=> [ '0.6', '0.8', '1.0', '0.0' ]
