import { augmented, augmenter, column, dataset, hostBatches, parseCsv } from '@tessella/datasets'

const table = parseCsv('length,width,species\n5.1,3.5,setosa\n4.9,NA,virginica\n6.0,2.2,virginica\n').complete()
const species = table.classes('species')
const flowers = dataset({ sizes: table.numbers('length', 'width'), species: species.labels })
console.log(flowers.length, species.names) //=> 2 [ 'setosa', 'virginica' ]

const pictures = dataset({ images: column(new Uint8Array(8 * 64).fill(200), [8, 1, 8, 8]) })
const augment = augmenter({ shift: 0.1, rotate: 15, zoom: 0.1, elastic: { strength: 1 }, noise: 5, seed: 1 })
for (let epoch = 0; epoch < 2; epoch++) {
  const changed = augmented(pictures, 'images', augment, epoch)
  for await (const { images } of hostBatches(changed, { size: 4, shuffle: true, seed: 1, epoch }))
    if (images.shape[0] !== 4) throw new Error('never')
}
