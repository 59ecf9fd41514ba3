import { valueAndGrad } from '@tessella/autograd'
import type { Optimizer } from '@tessella/optimizers'
import {
  compile,
  findNonFinite,
  type NonFinite,
  namedVariables,
  type Tensor,
  type Variable,
  where,
} from '@tessella/tensor'

type Scalar = Tensor<readonly [], 'float32'>

/** What one training step is made of. `B` is a batch: tensors in arrays and plain objects. */
export interface StepOptions<B> {
  /** Anything that holds the Variables: its trainable ones are trained. */
  readonly model: unknown
  readonly optimizer: Optimizer
  /** The loss of a batch, penalties included; a float32 scalar. */
  readonly loss: (batch: B) => Tensor
  /** Runs after the update, inside the step: constraints, moving averages. */
  readonly after?: () => void
  /** Record the step once and replay it. Default true. */
  readonly compiled?: boolean
  /** A loss that is not finite changes no Variable, so training can be diagnosed and goes on from a valid state. Default true. */
  readonly guard?: boolean
}

export interface TrainStep<B> {
  /** One update; the loss before it. */
  (batch: B): Scalar
  /** The first value of this batch's step that is not finite, if any; changes nothing. */
  diagnose(batch: B): Promise<NonFinite | undefined>
  /** Kernels that one compiled step starts, per program made so far. */
  kernels(): readonly number[]
}

/**
 * loss, gradients, update: the step of a training loop, compiled.
 *
 * @example
 * const step = trainStep({ model, optimizer: optimizer(sgd(0.1), model), loss: ({ x, y }) => crossEntropy(model(x), y) })
 * const loss = await step({ x, y }).item()
 */
export function trainStep<B>(options: StepOptions<B>): TrainStep<B> {
  const { model, optimizer, loss, after, compiled = true, guard = true } = options
  const gradients = (batch: B) => valueAndGrad(() => loss(batch), model)
  const run = (batch: B): Scalar => {
    const cells: Variable[] = guard
      ? [...Object.values(namedVariables(model)), ...Object.values(namedVariables(optimizer.state))]
      : []
    const before = cells.map((c) => c.value)
    const [value, grads] = gradients(batch)
    optimizer.update(grads)
    after?.()
    const ok = value.isFinite()
    for (const [i, cell] of cells.entries()) {
      const old = before[i] as Tensor
      const now = cell.value
      cell.assign(where(ok, now, old) as Tensor)
    }
    return value as unknown as Scalar
  }
  const replay = compile(run as (...args: readonly [B]) => Scalar)
  const step = (batch: B): Scalar => (compiled ? (replay as (b: B) => Scalar)(batch) : run(batch))
  return Object.assign(step, {
    diagnose: (batch: B) => findNonFinite(() => Object.values(gradients(batch)[1]).concat(loss(batch))),
    kernels: () => replay.programs().map((p) => p.kernels),
  })
}
