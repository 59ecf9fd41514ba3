// Trains a small network for many steps and prints what the device, the process and the heap hold on the way:
// node --conditions=@tessella/source --expose-gc packages/backend-wgpu/test/scripts/leaks.ts [steps] [compiled|eager] [how]
// how: read (every loss is read; the default), pace (nothing is read, `await pace()` in every step), sync (a plain loop, no
// turn of the event loop between two lines of the report)
import { valueAndGrad } from '@tessella/autograd'
import { wgpu } from '@tessella/backend-wgpu'
import { linear, sequential, tanh } from '@tessella/layers'
import { mse } from '@tessella/losses'
import { adam, optimizer } from '@tessella/optimizers'
import { compile, disposeBackend, memory, pace, synchronize, tensor, useBackend } from '@tessella/tensor'
import { useSwiftshader } from '@tessella/testing/swiftshader'

const [count = '10000', mode = 'compiled', how = 'read'] = process.argv.slice(2)
const steps = Number(count)
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
const eager = () => {
  const [loss, grads] = valueAndGrad(() => mse(model(x), y), model)
  opt.update(grads)
  return loss
}
const step = mode === 'compiled' ? compile(eager) : eager

const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1)
const began = performance.now()
for (let i = 0; i <= steps; i++) {
  const loss = step()
  if (how === 'read') await loss.item()
  if (how === 'pace') await pace()
  if (i % Math.ceil(steps / 10) !== 0 && i !== 10) continue
  const queued = performance.now()
  await synchronize()
  const drained = performance.now() - queued
  globalThis.gc?.()
  await new Promise((resolve) => setTimeout(resolve, 20))
  const { bytes, buffers, reservedBytes } = memory()
  const { rss, heapUsed } = process.memoryUsage()
  console.log(
    `step ${i}: ${drained.toFixed(0)} ms of work queued; ${buffers} buffers, ${bytes} bytes, ${reservedBytes} reserved; ` +
      `rss ${mebibytes(rss)} MiB, heap ${mebibytes(heapUsed)} MiB`,
  )
}
console.log(`${((performance.now() - began) / steps).toFixed(3)} ms a step`)
disposeBackend()
