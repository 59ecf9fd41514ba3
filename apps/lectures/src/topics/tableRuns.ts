import { batches, type Column, column, type Dataset, dataset, iris, kFold, standardize } from '@tessella/datasets'
import { heNormal, initialize, linear, relu, sequential, zeros } from '@tessella/layers'
import { crossEntropy } from '@tessella/losses'
import { adam, optimizer } from '@tessella/optimizers'
import { fromData, type Tensor } from '@tessella/tensor'
import { trainStep } from '@tessella/training'
import type { Context } from '../pages/topic.ts'
import { pause } from '../runTopic.ts'
import { tables } from '../tables.ts'

type Rows = Tensor<[number, number], 'float32'>

/** Examples with a class each. */
export type Classified = Dataset<{
  readonly x: Column<readonly [number, number], 'float32'>
  readonly y: Column<readonly [number], 'int32'>
}>

export interface Table {
  readonly name: string
  readonly rows: Classified
  readonly features: readonly string[]
  readonly classes: readonly string[]
  readonly epochs: number
}

/** All three, from the package and from their files. */
export async function allTables(): Promise<readonly [Table, Table, Table]> {
  // show: read
  const { flowers, features, species } = await iris()
  const wine = await tables.wine()
  const measured = wine.names.filter((n) => n !== 'cultivar')
  const cultivar = wine.classes('cultivar')
  const digits = await tables.digits() // a CSV file packed with gzip
  const pixels = digits.names.filter((n) => n !== 'digit')
  const digit = digits.classes('digit')
  // end
  const { sizes, species: kind } = flowers.columns
  return [
    { name: 'iris', rows: dataset({ x: sizes, y: kind }), features, classes: species, epochs: 100 },
    {
      name: 'wine',
      rows: dataset({ x: wine.numbers(...measured), y: cultivar.labels }),
      features: measured,
      classes: cultivar.names.map((n) => `cultivar ${n}`),
      epochs: 60,
    },
    {
      name: 'digits',
      rows: dataset({ x: digits.numbers(...pixels), y: digit.labels }),
      features: pixels,
      classes: digit.names,
      epochs: 30,
    },
  ]
}

export const kinds = ['linear', 'hidden layer'] as const
export type Kind = (typeof kinds)[number]

function build(kind: Kind, inputs: number, classes: number, seed: number): (x: Rows) => Tensor {
  const model =
    kind === 'linear' ? linear(inputs, classes) : sequential(linear(inputs, 32), relu(), linear(32, classes))
  initialize(model, { weight: kind === 'linear' ? zeros : heNormal(), bias: zeros, seed })
  return model as unknown as (x: Rows) => Tensor
}

/** Trains on some rows, standardised by their own statistics; answers what scores others. */
export async function learned(
  kind: Kind,
  train: Classified,
  classes: number,
  plan: { readonly epochs: number; readonly seed: number },
  context: Context,
): Promise<(x: Column<readonly [number, number], 'float32'>) => Promise<Float32Array>> {
  const scaler = standardize(train.columns.x)
  const width = train.columns.x.shape[1]
  const model = build(kind, width, classes, plan.seed)
  const step = trainStep({
    model,
    optimizer: optimizer(adam(0.01), model),
    loss: ({ x, y }: { readonly x: Rows; readonly y: Tensor<[number], 'int32'> }) => crossEntropy(model(x), y),
  })
  const scaled = train.with({ x: scaler.apply(train.columns.x) })
  for (let epoch = 0; epoch < plan.epochs; epoch++) {
    for await (const { x, y } of batches(scaled, { size: 32, shuffle: true, seed: plan.seed, epoch }))
      step({ x: x as Rows, y: y as Tensor<[number], 'int32'> })
    if (epoch % 10 === 9) await pause(context)
  }
  return async (x) => {
    const rows = scaler.apply(x)
    const scores = model(fromData(Float32Array.from(rows.data), [x.shape[0], width], 'float32') as Rows)
    return (await scores.softmax(1).data()) as Float32Array
  }
}

/** One row that a fold's network got wrong. */
export interface Wrong {
  readonly row: number
  readonly predicted: number
  readonly probability: number
}

/** Errors of cross validation: every row is judged once, by a network that has not seen it. */
export async function crossValidated(
  table: Table,
  kind: Kind,
  seed: number,
  context: Context,
): Promise<readonly Wrong[]> {
  const classes = table.classes.length
  const numbered = table.rows.with({
    row: column(
      Int32Array.from({ length: table.rows.length }, (_, i) => i),
      [table.rows.length],
    ),
  })
  const wrong: Wrong[] = []
  const epochs = context.quick ? 10 : table.epochs
  // show: folds
  for (const { train, validation } of kFold(numbered, { k: 5, seed, stratify: 'y' })) {
    const judge = await learned(kind, train as unknown as Classified, classes, { epochs, seed }, context)
    const { x, y, row } = validation.columns
    const p = await judge(x)
    // end
    for (let i = 0; i < validation.length; i++) {
      const of = p.subarray(classes * i, classes * (i + 1))
      const predicted = of.indexOf(Math.max(...of))
      if (predicted !== y.data[i])
        wrong.push({ row: row.data[i] as number, predicted, probability: of[predicted] as number })
    }
  }
  return wrong
}
