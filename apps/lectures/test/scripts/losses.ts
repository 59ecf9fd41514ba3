// The first losses of LeNet on MNIST, on the CPU and on WebGPU. Where a value meets relu's kink within rounding, two devices
// take different sides and part from there; a large rate makes all training chaotic. A third run, on the CPU from weights changed in
// the last bits, tells how much rounding is worth:
// node --conditions=@tessella/source apps/lectures/test/scripts/losses.ts [steps] [batch] [rate] [seed] [swiftshader]
import { cpu } from '@tessella/backend-cpu'
import { wgpu } from '@tessella/backend-wgpu'
import { batches, mnist } from '@tessella/datasets'
import type { Backend } from '@tessella/ir'
import { crossEntropy } from '@tessella/losses'
import { optimizer, sgd } from '@tessella/optimizers'
import { disposeBackend, key, namedVariables, uniform, useBackend } from '@tessella/tensor'
import { useSwiftshader } from '@tessella/testing/swiftshader'
import { trainStep } from '@tessella/training'
import type { Batch } from '../../src/models.ts'
import { network, networks } from '../../src/models.ts'

const steps = Number(process.argv[2] ?? 50)
const size = Number(process.argv[3] ?? 1000)
const rate = Number(process.argv[4] ?? networks.cnn.rate)
const seed = Number(process.argv[5] ?? 1)
if (process.argv[6] === 'swiftshader') await useSwiftshader()
const { train } = await mnist()

async function losses(backend: Backend, noise = 0): Promise<number[]> {
  await useBackend(backend)
  const model = network('cnn', seed)
  for (const [i, variable] of Object.values(namedVariables(model)).entries())
    variable.assign(variable.value.mul(uniform(key(i), variable.shape).mul(noise).add(1)))
  const step = trainStep<Batch>({
    model,
    optimizer: optimizer(sgd(rate), model),
    loss: ({ images, labels }) => crossEntropy(model(images.cast('float32').div(255)), labels),
  })
  const found: number[] = []
  const began = performance.now()
  for (let epoch = 0; found.length < steps; epoch++)
    for await (const batch of batches(train, { size, shuffle: true, seed, epoch })) {
      if (found.length === steps) break
      found.push(await step(batch).item())
    }
  console.log(`${backend.name}: ${((performance.now() - began) / steps).toFixed(1)} ms a step`)
  disposeBackend()
  return found
}

const expected = await losses(cpu())
const shaken = await losses(cpu(), 2 ** -22)
const actual = await losses(await wgpu())
const difference = (found: readonly number[], i: number) => Math.abs((found[i] as number) / (expected[i] as number) - 1)
const worst = (found: readonly number[]) => Math.max(...expected.map((_, i) => difference(found, i))).toExponential(1)
for (const [i, loss] of expected.entries())
  if (i % 10 === 9 || i === 0)
    console.log(
      `step ${i + 1}: cpu ${loss.toFixed(6)}, wgpu ${actual[i]?.toFixed(6)}, apart ${difference(actual, i).toExponential(1)}, ` +
        `cpu from itself ${difference(shaken, i).toExponential(1)}`,
    )
console.log(
  `largest of ${steps}: wgpu from cpu ${worst(actual)}, cpu from itself ${worst(shaken)} (batch ${size}, rate ${rate}, seed ${seed})`,
)
