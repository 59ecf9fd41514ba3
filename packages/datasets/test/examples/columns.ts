import { column, dataset, split, standardize } from '@tessella/datasets'

const flowers = dataset({
  sizes: column(Float32Array.of(1, 10, 2, 20, 3, 30, 4, 40), [4, 2]),
  species: column(Uint8Array.of(0, 0, 1, 1), [4]),
})
console.log(flowers.at(-1)) //=> { sizes: Float32Array(2) [ 4, 40 ], species: 1 }

const { train, test } = split(flowers, { test: 2, stratify: 'species' })
const scaler = standardize(train.columns.sizes) // measured on the training rows, used on all
const scaledTest = test.with({ sizes: scaler.apply(test.columns.sizes) })
console.log(scaledTest.columns.sizes.shape, scaler.mean.length) //=> [ 2, 2 ] 2
