import { cpu } from '@tessella/backend-cpu'
import { denseCurvature, halfSquaredError, optimalBrainDamage, pruning, saliences } from '@tessella/regularizers'
import { tensor, useBackend, Variable } from '@tessella/tensor'

await useBackend(cpu())
const x = tensor([
  [1, 0],
  [0, 1],
  [1, 1],
])
const y = tensor([[2], [0], [2]])
const model = { weight: new Variable(tensor([[2, 0.1]])) }

const kept = pruning(model)
const error = () => x.matmul(model.weight.value.transpose()).sub(y).square().sum()
const scores = () => {
  const [layer] = denseCurvature([{ weight: model.weight.value }], x, halfSquaredError(y))
  return layer === undefined ? {} : saliences(kept, { weight: layer.weight })
}
const rounds = optimalBrainDamage({
  pruning: kept,
  scores,
  count: 1,
  retrain: () => {}, // steps of training, with kept.apply() at the end of each
  criterion: async () => [await error().item()],
})
const left: number[] = []
for await (const { remaining, undone } of rounds) left.push(undone ? -1 : remaining)
console.log(left) //=> [ 1, -1 ]
console.log(await model.weight.value.array()) //=> [ [ 2, 0 ] ]
