import { checkOptions, namedVariables, OpError, type Tensor, Variable, withVariables } from '@tessella/tensor'
import { correction } from './adam.ts'
import { checkDecay } from './checks.ts'

export interface EmaOptions {
  /** Weight of the past. Default 0.999. */
  readonly decay?: number
}

/** A moving average of a model's weights beside the model. */
export interface WeightAverage {
  /** Takes the weights in as they are now: after the optimizer's update, inside the step. */
  update(): void
  /** Runs `fn` with the averages in place of the weights; the model itself stays. */
  use<T>(fn: () => T): T
  /** The averages by the parameters' names, from the weights themselves before the first update. */
  values(): Record<string, Tensor>
  /** Its Variables: for checkpoints. */
  readonly state: unknown
}

/**
 * A moving average of the trained Variables, m = d m + (1 - d) w, divided by 1 - d^t so that the start does not count
 * (Polyak's averaging with a window of 1 / (1 - d) steps). Evaluate with it; it is often better than the last weights.
 * @example
 * const average = ema(model)
 * const step = trainStep({ model, optimizer, loss, after: () => average.update() })
 * average.use(() => model(x, 'eval'))
 */
export function ema(model: unknown, options: EmaOptions = {}): WeightAverage {
  checkOptions('ema', options, ['decay'])
  const { decay = 0.999 } = options
  checkDecay('ema', 'decay', decay)
  const cells = Object.entries(namedVariables(model, { trainable: true }))
  if (cells.length === 0)
    throw new OpError('ema', 'found no trainable Variables', { hint: 'Pass the model, or an array of Variables.' })
  const hidden = (value: Tensor, name: string): Variable => new Variable(value, { trainable: false, name })
  const sums = Object.fromEntries(
    cells.map(([name, v]) => [name, hidden(v.value.mul(0).cast(v.dtype) as Tensor, name)]),
  )
  const count = hidden((cells[0] as [string, Variable])[1].value.sum().mul(0).cast('float32') as Tensor, 'count')
  const average = (): [Variable, Tensor][] => {
    const t = count.value as Tensor<[], 'float32'>
    const seen = correction(decay, t) as unknown as Tensor
    // Before the first update there is nothing to divide: the weights themselves.
    const none = t.eq(0).cast('float32') as unknown as Tensor
    return cells.map(([name, v]) => {
      const mean = (sums[name] as Variable).value.add(v.value.mul(none)).div(seen.add(none))
      return [v, mean.cast(v.dtype) as Tensor]
    })
  }
  return {
    update() {
      for (const [name, v] of cells) {
        const sum = sums[name] as Variable
        sum.assign(
          sum.value
            .mul(decay)
            .add(v.value.mul(1 - decay))
            .cast(v.dtype) as Tensor,
        )
      }
      count.assign(count.value.add(1) as Tensor)
    },
    use: (fn) => withVariables(new Map(average()), fn),
    values: () => Object.fromEntries(average().map(([, value], i) => [(cells[i] as [string, Variable])[0], value])),
    state: { sums, count },
  }
}
