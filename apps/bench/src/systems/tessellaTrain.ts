import { valueAndGrad } from '@tessella/autograd'
import { adam, optimizer, sgd } from '@tessella/optimizers'
import { compile, namedVariables, type Tensor, tensor } from '@tessella/tensor'
import { trainingBatch } from '../cases/batch.ts'
import { parameterStart } from '../cases/data.ts'
import { rates, type Work } from '../cases/work.ts'
import { networks } from './models.ts'
import type { Runner } from './system.ts'

/** A whole training step, compiled: forward, loss, gradients, update; the loss is read after each one. */
export function trainer(work: Extract<Work, { kind: 'train' }>): Runner {
  const { model, loss } = networks[work.model]()
  const parameters = Object.entries(namedVariables(model, { trainable: true }))
  for (const [index, [name, variable]] of parameters.entries())
    variable.assign(tensor(parameterStart(name, variable.shape, index), variable.shape) as Tensor)
  const opt = optimizer(work.optimizer === 'sgd' ? sgd(rates.sgd) : adam(rates.adam), model)
  const step = compile((x: Tensor, y: Tensor) => {
    const [value, gradients] = valueAndGrad(() => loss(x, y) as Tensor<[], 'float32'>, model)
    opt.update(gradients)
    return value
  }) as unknown as (x: Tensor, y: Tensor) => Tensor
  const batch = trainingBatch(work.model, work.batch)
  const x = tensor(batch.x, batch.xShape) as Tensor
  const y = tensor(batch.y, batch.yShape) as Tensor
  const losses: number[] = []
  return {
    async run(times) {
      for (let i = 0; i < times; i++) {
        const value = Number(await step(x, y).item())
        if (losses.length < 8) losses.push(value)
      }
    },
    outputs: async () => ({ loss: losses }),
    dispose() {},
  }
}
