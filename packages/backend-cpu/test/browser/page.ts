// Runs in the browser.
import { valueAndGrad } from '@tessella/autograd'
import { type CpuOptions, cpu } from '@tessella/backend-cpu'
import { crossEntropy } from '@tessella/losses'
import { adam, optimizer } from '@tessella/optimizers'
import { compile, disposeBackend, key, namedVariables, randint, type Tensor, useBackend } from '@tessella/tensor'
import { networks } from '../support/lectures.ts'

export interface Trained {
  readonly isolated: boolean
  readonly threads: number
  /** Workers that took part, and parts of kernels that they did. */
  readonly workers: number
  readonly helped: number
  readonly losses: readonly number[]
  /** Every bit of the trained parameters, as one number. */
  readonly checksum: number
}

/** LeNet's first steps. */
export async function train(options: CpuOptions): Promise<Trained> {
  const backend = cpu(options)
  await useBackend(backend)
  const model = networks.lenet()
  const opt = optimizer(adam(), model)
  const step = compile((images: Tensor<[64, 1, 28, 28], 'uint8'>, labels: Tensor<[64], 'int32'>) => {
    const [loss, grads] = valueAndGrad(() => crossEntropy(model(images.div(255)), labels), model)
    opt.update(grads)
    return loss
  })
  const losses: number[] = []
  for (let i = 0; i < 30; i++) {
    const images = randint(key(i), [64, 1, 28, 28], 0, 256).cast('uint8')
    losses.push(await step(images, randint(key(100 + i), [64], 0, 10)).item())
    // Workers of a page start when its main thread is free.
    if (i === 2 && backend.threads > 1) await backend.startThreads()
  }
  let checksum = 0
  for (const variable of Object.values(namedVariables(model))) {
    const { buffer, byteOffset, length } = await variable.value.data()
    for (const word of new Uint32Array(buffer, byteOffset, length)) checksum = (Math.imul(checksum, 31) + word) >>> 0
  }
  // On a busy machine the worker may have come too late for every kernel so far.
  for (let i = 0; i < 1000 && backend.threads > 1 && backend.helped === 0; i++)
    await step(randint(key(0), [64, 1, 28, 28], 0, 256).cast('uint8'), randint(key(1), [64], 0, 10)).item()
  const { threads, workers, helped } = backend
  disposeBackend()
  return { isolated: globalThis.crossOriginIsolated, threads, workers, helped, losses, checksum }
}
