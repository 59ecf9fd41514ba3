// The first losses of LeNet on MNIST, on the CPU and on WebGPU:
// node --conditions=@tessella/source apps/lectures/test/scripts/losses.ts [steps] [batch] [swiftshader]
import { cpu } from '@tessella/backend-cpu'
import { wgpu } from '@tessella/backend-wgpu'
import { batches, mnist } from '@tessella/datasets'
import type { Backend } from '@tessella/ir'
import { crossEntropy } from '@tessella/losses'
import { optimizer, sgd } from '@tessella/optimizers'
import { disposeBackend, useBackend } from '@tessella/tensor'
import { useSwiftshader } from '@tessella/testing/swiftshader'
import { trainStep } from '@tessella/training'
import type { Batch } from '../../src/models.ts'
import { network, networks } from '../../src/models.ts'

const steps = Number(process.argv[2] ?? 50)
const size = Number(process.argv[3] ?? 1000)
if (process.argv[4] === 'swiftshader') await useSwiftshader()
const { train } = await mnist()

async function losses(backend: Backend): Promise<number[]> {
  await useBackend(backend)
  const model = network('cnn', 1)
  const step = trainStep<Batch>({
    model,
    optimizer: optimizer(sgd(networks.cnn.rate), model),
    loss: ({ images, labels }) => crossEntropy(model(images.cast('float32').div(255)), labels),
  })
  const found: number[] = []
  const began = performance.now()
  for (let epoch = 0; found.length < steps; epoch++)
    for await (const batch of batches(train, { size, shuffle: true, seed: 1, epoch })) {
      if (found.length === steps) break
      found.push(await step(batch).item())
    }
  console.log(`${backend.name}: ${((performance.now() - began) / steps).toFixed(1)} ms a step`)
  disposeBackend()
  return found
}

const expected = await losses(cpu())
const actual = await losses(await wgpu())
let worst = 0
for (const [i, loss] of expected.entries()) {
  const difference = Math.abs((actual[i] as number) / loss - 1)
  worst = Math.max(worst, difference)
  if (i % 10 === 9 || i === 0)
    console.log(`step ${i + 1}: cpu ${loss.toFixed(6)}, wgpu ${actual[i]?.toFixed(6)}, ${difference.toExponential(1)}`)
}
console.log(`largest relative difference of ${steps} losses: ${worst.toExponential(2)}`)
