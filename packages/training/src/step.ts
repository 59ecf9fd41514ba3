import { valueAndGrad } from '@tessella/autograd'
import type { Optimizer } from '@tessella/optimizers'
import { checkOptions, compile, namedVariables, nodeOf, type Tensor, type Variable, where } from '@tessella/tensor'
import { type Culprit, diagnose } from './diagnose.ts'

type Scalar = Tensor<[], 'float32'>

/** What one training step is made of. `B` is a batch: tensors in arrays and plain objects. */
export interface StepOptions<B> {
  /** Anything that holds the Variables: its trainable ones are trained. */
  readonly model: object
  readonly optimizer: Optimizer
  /** The loss of a batch, penalties included; a float32 scalar. */
  readonly loss: (batch: B) => Tensor
  /** Runs after the update, inside the step: constraints, moving averages. */
  readonly after?: () => void
  /** Record the step once and replay it. Default true. */
  readonly compiled?: boolean
  /**
   * A loss that is not finite changes no Variable of the model and the optimizer, so that training can be diagnosed and
   * goes on from a valid state. Default true.
   */
  readonly guard?: boolean
}

export interface TrainStep<B> {
  /** One update; the loss before it. */
  (batch: B): Scalar
  /** Where this batch's step first stops being finite, if anywhere; changes nothing. Slow. */
  diagnose(batch: B): Promise<Culprit | undefined>
  /** Kernels that one compiled step starts, per program made so far. */
  kernels(): readonly number[]
}

/** Runs `change`, then takes back what it assigned to the cells unless the loss it returns is finite. */
function guarded(cells: readonly Variable[], change: () => Tensor): Tensor {
  const before = cells.map((c) => c.value)
  const loss = change()
  const finite = loss.isFinite()
  for (const [i, cell] of cells.entries()) {
    const [old, now] = [before[i] as Tensor, cell.value]
    if (nodeOf(now) !== nodeOf(old)) cell.assign(where(finite, now, old))
  }
  return loss
}

/**
 * loss, gradients, update: the step of a training loop, compiled.
 *
 * @example
 * const step = trainStep({ model, optimizer: optimizer(sgd(0.1), model), loss: ({ x, y }) => crossEntropy(model(x), y) })
 * const loss = await step({ x, y }).item()
 */
export function trainStep<B>(options: StepOptions<B>): TrainStep<B> {
  checkOptions('trainStep', options, ['model', 'optimizer', 'loss', 'after', 'compiled', 'guard'])
  const { model, optimizer, loss, after, compiled = true, guard = true } = options
  const cells = guard ? Object.values(namedVariables([model, optimizer.state])) : []
  const run = (batch: B): Scalar =>
    guarded(cells, () => {
      const [value, grads] = valueAndGrad(() => loss(batch), model)
      optimizer.update(grads)
      after?.()
      return value
    }) as Scalar
  const replay = compile(run)
  // A batch holds tensors only, so what may be passed is a batch.
  const step = compiled ? (replay as unknown as (batch: B) => Scalar) : run
  return Object.assign((batch: B): Scalar => step(batch), {
    diagnose: (batch: B) => diagnose(batch, model, () => valueAndGrad(() => loss(batch), model)),
    kernels: () => replay.programs().map((p) => p.kernels),
  })
}
