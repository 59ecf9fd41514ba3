// Trains a small network for many steps and prints what the device, the process and the heap hold on the way:
// node --conditions=@tessella/source --expose-gc packages/backend-wgpu/test/scripts/leaks.ts [steps] [compiled|plain]
import { valueAndGrad } from '@tessella/autograd'
import { wgpu } from '@tessella/backend-wgpu'
import { linear, sequential, tanh } from '@tessella/layers'
import { mse } from '@tessella/losses'
import { adam, optimizer } from '@tessella/optimizers'
import { compile, disposeBackend, memory, tensor, useBackend } from '@tessella/tensor'
import { useSwiftshader } from '@tessella/testing/swiftshader'

const steps = Number(process.argv[2] ?? 10_000)
const compiled = process.argv[3] !== 'plain'
await useSwiftshader()
await useBackend(wgpu())
const x = tensor([
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
])
const y = tensor([[0], [1], [1], [0]])
const model = sequential(linear(2, 8), tanh(), linear(8, 1))
const opt = optimizer(adam(0.01), model)
const plain = () => {
  const [loss, grads] = valueAndGrad(() => mse(model(x), y), model)
  opt.update(grads)
  return loss
}
const step = compiled ? compile(plain) : plain

const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1)
const began = performance.now()
for (let i = 0; i <= steps; i++) {
  const loss = await step().item()
  if (i % Math.ceil(steps / 10) !== 0 && i !== 10) continue
  globalThis.gc?.()
  await new Promise((resolve) => setTimeout(resolve, 20))
  const { bytes, buffers, reservedBytes } = memory()
  const { rss, heapUsed } = process.memoryUsage()
  console.log(
    `step ${i}: loss ${loss.toFixed(5)}, ${buffers} buffers, ${bytes} bytes, ${reservedBytes} reserved; ` +
      `rss ${mebibytes(rss)} MiB, heap ${mebibytes(heapUsed)} MiB`,
  )
}
console.log(`${((performance.now() - began) / steps).toFixed(3)} ms a step`)
disposeBackend()
