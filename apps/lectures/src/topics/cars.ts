import { dataset, kFold, polynomialFeatures, standardize } from '@tessella/datasets'
import { initialize, linear, zeros } from '@tessella/layers'
import { mse } from '@tessella/losses'
import { nesterov, optimizer } from '@tessella/optimizers'
import { l2 } from '@tessella/regularizers'
import { type Tensor, tensor } from '@tessella/tensor'
import { trainStep } from '@tessella/training'
import type { Point } from '../pages/lineChart.ts'
import type { Context } from '../pages/topic.ts'
import { pause } from '../runTopic.ts'
import { tables } from '../tables.ts'

/** A polynomial of the cars' features, judged by ten-fold cross validation. */
export interface CarFit {
  readonly degree: 1 | 2
  readonly features: number
  /** Root mean square error in miles per gallon, on the rows that were trained on and on those left out. */
  readonly trainRms: number
  readonly rms: number
  /** What was measured and what was told of every car when it was left out. */
  readonly answers: readonly Point[]
}

/** Miles per gallon of 392 real cars from their engine, weight, acceleration and year. */
export async function carFit(degree: 1 | 2, context: Context): Promise<CarFit> {
  // show: cars
  const cars = (await tables.cars()).complete() // six have no horsepower
  const measured = cars.numbers('cylinders', 'displacement', 'horsepower', 'weight', 'acceleration', 'year')
  const scaled = standardize(measured).apply(measured) // deviations: the same polynomials, better to learn
  const { features } = polynomialFeatures(scaled, degree)
  const table = dataset({ x: features, y: cars.numbers('mpg') })
  // end
  const width = features.shape[1]
  const steps = context.quick ? 300 : 2000
  const answers: Point[] = []
  let [inside, count] = [0, 0]
  for (const { train, validation } of kFold(table, { k: context.quick ? 3 : 10, seed: context.seed })) {
    const scaler = standardize(train.columns.x)
    const model = linear(width, 1)
    initialize(model, { weight: zeros, bias: zeros })
    type Rows = Tensor<[number, number], 'float32'>
    const step = trainStep({
      model,
      optimizer: optimizer(nesterov(0.005, 0.95), model),
      loss: ({ x, y }: { readonly x: Rows; readonly y: Rows }) => mse(model(x), y).add(l2(model, 0.01)) as Tensor,
    })
    const batchOf = (part: typeof train) => ({
      x: tensor(scaler.apply(part.columns.x).data, [part.length, width]),
      y: tensor(part.columns.y.data, [part.length, 1]),
    })
    const [learning, testing] = [batchOf(train), batchOf(validation)]
    for (let i = 0; i < steps; i++) {
      step(learning)
      if (i % 500 === 499) await pause(context)
    }
    inside += train.length * (await mse(model(learning.x), learning.y).item())
    count += train.length
    const told = (await model(testing.x).data()) as Float32Array
    for (const [i, v] of told.entries()) answers.push([validation.columns.y.data[i] as number, v])
  }
  const square = answers.reduce((sum, [y, a]) => sum + (y - a) ** 2, 0)
  return {
    degree,
    features: width,
    trainRms: Math.sqrt(inside / count),
    rms: Math.sqrt(square / answers.length),
    answers,
  }
}
