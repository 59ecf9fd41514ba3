import { cpu } from '@tessella/backend-cpu'
import { batches, column, dataset } from '@tessella/datasets'
import { mse } from '@tessella/losses'
import { optimizer, sgd } from '@tessella/optimizers'
import { type Tensor, tensor, useBackend, Variable } from '@tessella/tensor'
import { fit, trainStep } from '@tessella/training'

await useBackend(cpu())
const line = dataset({
  x: column(Float32Array.of(1, 2, 3, 4), [4]),
  y: column(Float32Array.of(3, 5, 7, 9), [4]),
})
const epoch = (n: number) => batches(line, { size: 2, shuffle: true, seed: 1, epoch: n })

const model = { slope: new Variable(tensor(0)), rise: new Variable(tensor(0)) }
const step = trainStep({
  model,
  optimizer: optimizer(sgd(0.05, { momentum: 0.8 }), model),
  loss: ({ x, y }: { x: Tensor; y: Tensor }) => mse(x.mul(model.slope.value).add(model.rise.value), y),
})
for await (const event of fit({ step, batches: epoch, epochs: 100 })) {
  if (event.type === 'end') console.log(event.reason, event.epochs) //=> finished 100
}
console.log((await model.slope.value.item()).toFixed(2), (await model.rise.value.item()).toFixed(2)) //=> 2.00 1.00
