import { column, DatasetError, readIdx, twoMoons, writeIdx } from '@tessella/datasets'

const file = writeIdx(column(Int16Array.of(1, -2, 300), [3]))
console.log(await readIdx(file)) //=> { data: Int16Array(3) [ 1, -2, 300 ], shape: [ 3 ], dtype: 'int16' }

try {
  await readIdx(file.subarray(0, 9))
} catch (error) {
  if (error instanceof DatasetError) console.log(error.code) //=> truncated
}

const moons = twoMoons({ n: 500, noise: 0.1, seed: 1 })
console.log(moons.columns.points.shape, moons.at(3).labels) //=> [ 500, 2 ] 1
