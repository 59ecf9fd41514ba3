import { cpu } from '@tessella/backend-cpu'
import { accuracy, crossEntropy, errorCount } from '@tessella/losses'
import { tensor, useBackend } from '@tessella/tensor'

await useBackend(cpu())
const scores = tensor([
  [2, 0, -1],
  [0, 1, 3],
  [1, 2, 0],
])
const labels = tensor([0, 2, 0], 'int32')

const mean = crossEntropy(scores, labels)
const each = crossEntropy(scores, labels, { reduction: 'none', labelSmoothing: 0.1 })
console.log((await mean.item()).toFixed(4), each.shape) //=> 0.5824 [ 3 ]
console.log(await errorCount(scores, labels).item(), (await accuracy(scores, labels).item()).toFixed(2)) //=> 1 0.67
