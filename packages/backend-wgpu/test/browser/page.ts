// Runs in the browser.
import { valueAndGrad } from '@tessella/autograd'
import { cpu } from '@tessella/backend-cpu'
import { type WgpuBackend, wgpu } from '@tessella/backend-wgpu'
import { type Backend, BackendError } from '@tessella/ir'
import { conv2d, flatten, input, linear, maxPool2d, relu, sequential } from '@tessella/layers'
import { crossEntropy } from '@tessella/losses'
import { adam, optimizer } from '@tessella/optimizers'
import { compile, disposeBackend, key, randint, type Tensor, useBackend } from '@tessella/tensor'
import { checkCase, conformanceGroups } from '@tessella/testing/conformance'

export interface SuiteResult {
  readonly adapter: string
  readonly isolated: boolean
  readonly passed: number
  readonly failures: readonly string[]
}

/** The first case of every operation and function that a backend without float64 accepts, against the reference. */
export async function runSuite(): Promise<SuiteResult> {
  const backend: WgpuBackend = await wgpu()
  let passed = 0
  const failures: string[] = []
  for (const [group, cases] of conformanceGroups())
    for (const c of cases) {
      try {
        const found = await checkCase(backend, c, { relaxations: ['denormals'] })
        if (found === undefined) passed++
        else failures.push(`${group}: ${c.name}: ${found}`)
      } catch (error) {
        if (error instanceof BackendError && error.code === 'unsupported-dtype') continue
        failures.push(`${group}: ${c.name}: ${error}`)
      }
      break
    }
  const { bytes, buffers } = backend.memory()
  if (bytes !== 0 || buffers !== 0) failures.push(`${buffers} buffers were left behind`)
  const { adapter } = backend
  backend.dispose()
  return { adapter, isolated: globalThis.crossOriginIsolated, passed, failures }
}

async function losses(backend: Backend): Promise<number[]> {
  await useBackend(backend)
  const model = sequential(
    input(1, 28, 28),
    conv2d(1, 6, 5),
    relu(),
    maxPool2d(2),
    conv2d(6, 16, 5),
    relu(),
    maxPool2d(2),
    flatten(),
    linear(256, 120),
    relu(),
    linear(120, 84),
    relu(),
    linear(84, 10),
  )
  const opt = optimizer(adam(), model)
  const step = compile((images: Tensor<[4, 1, 28, 28], 'uint8'>, labels: Tensor<[4], 'int32'>) => {
    const [loss, grads] = valueAndGrad(() => crossEntropy(model(images.div(255)), labels), model)
    opt.update(grads)
    return loss
  })
  const found: number[] = []
  for (let i = 0; i < 4; i++) {
    const images = randint(key(i), [4, 1, 28, 28], 0, 256).cast('uint8')
    found.push(await step(images, randint(key(100 + i), [4], 0, 10)).item())
  }
  disposeBackend()
  return found
}

/** Losses of LeNet's first steps on both backends. */
export async function trainLeNet(): Promise<{ readonly cpu: number[]; readonly wgpu: number[] }> {
  return { cpu: await losses(cpu()), wgpu: await losses(await wgpu()) }
}
