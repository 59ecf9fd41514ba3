import { hostBatches, mnist, split } from '@tessella/datasets'

const { train, test } = await mnist()
const parts = split(train, { validation: 0.1, seed: 1, stratify: 'labels' })
console.log(parts.train.length, parts.validation.length, test.length) //=> 54000 6000 10000

const batches = hostBatches(parts.train, { size: 1000, shuffle: true, seed: 1 })
for (let epoch = 0; epoch < 2; epoch++) {
  let rows = 0
  for await (const { images, labels } of batches) {
    // images: Column<readonly [number, 1, 28, 28], 'uint8'>, labels: Column<readonly [number], 'uint8'>
    rows += images.shape[0] + 0 * labels.data.length
  }
  console.log(epoch, batches.length, rows) //=> 0 54 54000 | 1 54 54000
}
