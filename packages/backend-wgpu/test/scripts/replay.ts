// What a compiled LeNet step costs the process, without a device: on Dawn's null backend, where the device takes no time.
// node --conditions=@tessella/source packages/backend-wgpu/test/scripts/replay.ts [rounds] [null|swiftshader]
import { valueAndGrad } from '@tessella/autograd'
import { crossEntropy } from '@tessella/losses'
import { optimizer, sgd } from '@tessella/optimizers'
import { compile, disposeBackend, pace, type Tensor, tensor, useBackend } from '@tessella/tensor'
import { useSwiftshader } from '@tessella/testing/swiftshader'
import { wgpu } from '../../src/index.ts'
import { lenet } from '../support/lenet.ts'

const [count = '20', driver = 'null'] = process.argv.slice(2)
const rounds = Number(count)
if (driver === 'null') process.env['DAWNNODE_BACKEND'] = 'null'
else await useSwiftshader()
const backend = await wgpu()
await useBackend(backend)

const model = lenet()
const opt = optimizer(sgd(0.1), model)
type Images = Tensor<[number, 1, 28, 28], 'uint8'>
type Labels = Tensor<[number], 'uint8'>
const step = compile((x: Images, y: Labels) => {
  const [loss, grads] = valueAndGrad(() => crossEntropy(model(x.div(255) as never), y), model)
  opt.update(grads)
  return loss
})
/** One kernel, with numbers that change in every call, as a schedule's rate does. */
const scaled = [0, 1, 4].map((n) =>
  compile((x: Tensor<[64], 'float32'>, ...rates: Tensor<[], 'float32'>[]) =>
    rates.slice(0, n).reduce((y, r) => y.mul(r) as never, x.add(1)),
  ),
)

const pixels = new Uint8Array(64 * 784)
const labels = new Uint8Array(64)
const fresh = () => [tensor(pixels, [64, 1, 28, 28]) as Images, tensor(labels, [64]) as Labels] as const

/** Median microseconds of one call, over rounds of `times` calls each. */
async function microseconds(times: number, call: () => unknown): Promise<number> {
  const all: number[] = []
  for (let round = 0; round < rounds; round++) {
    const began = performance.now()
    for (let i = 0; i < times; i++) {
      const answer = call()
      if (answer instanceof Promise) await answer
    }
    all.push((1000 * (performance.now() - began)) / times)
    await pace()
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  return all.sort((a, b) => a - b)[Math.floor(rounds / 2)] as number
}

const say = (what: string, us: number) => console.log(`${what}: ${us.toFixed(1)} us`)
const [x, y] = fresh()
for (let i = 0; i < 200; i++) await step(x, y).item()
console.log(`${backend.adapter}; ${step.programs().map((p) => p.kernels)} kernels in a step`)
say('step, nothing read', await microseconds(50, () => step(x, y).dispose()))
say(
  'step, fresh batch, nothing read',
  await microseconds(50, () => {
    const [images, classes] = fresh()
    step(images, classes).dispose()
    images.dispose()
    classes.dispose()
  }),
)
say('step and its loss', await microseconds(50, () => step(x, y).item()))
const v = tensor(new Float32Array(64), [64]) as Tensor<[64], 'float32'>
for (const [i, n] of [0, 1, 4].entries()) {
  const f = scaled[i] as (x: typeof v, ...rates: number[]) => Tensor
  for (let k = 0; k < 100; k++) f(v, ...Array.from({ length: n }, () => Math.random())).dispose()
  say(
    `one kernel, ${n} numbers`,
    await microseconds(100, () => f(v, ...Array.from({ length: n }, () => Math.random())).dispose()),
  )
}
disposeBackend()
