import type { Column } from './column.ts'
import { column } from './column.ts'
import type { Dataset } from './dataset.ts'
import { dataset } from './dataset.ts'
import { checkNames, DatasetError } from './errors.ts'
import type { RandomStream } from './random.ts'
import { checkSeed, randomStream } from './random.ts'

/** Points in the plane (or in more dimensions, for blobs) and the class of each. */
export type PointColumns = {
  readonly points: Column<readonly [number, number], 'float32'>
  readonly labels: Column<readonly [number], 'uint8'>
}
export type PointDataset = Dataset<PointColumns>

export interface PointOptions {
  /** Number of points; classes take turns, so any first rows hold them about equally. */
  readonly n: number
  /** Standard deviation of the normal noise added to every coordinate. Default 0. */
  readonly noise?: number
  /** Default 0. */
  readonly seed?: number
}

/** The number of each set in its random path, so that two sets of one seed share no bits. */
const paths = { twoMoons: 11, circles: 12, spirals: 13, blobs: 14, xor: 15 }

const wrong = (op: string, message: string): DatasetError => new DatasetError(op, 'bad-option', message)

function whole(op: string, name: string, value: number, least: number, most: number): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value
  throw wrong(op, `${name} must be a whole number from ${least} to ${most}, not ${value}.`)
}

function atLeastZero(op: string, name: string, value: number): number {
  if (Number.isFinite(value) && value >= 0) return value
  throw wrong(op, `${name} must be a number from 0 on, not ${value}.`)
}

/** Options beyond those of all sets. */
const further: Partial<Record<keyof typeof paths, readonly string[]>> = {
  circles: ['factor'],
  spirals: ['classes', 'turns'],
  blobs: ['centers', 'features'],
}

/** Fills a set point by point: `place` answers the exact place of a point of the class, noise comes on top. */
function fill(
  op: keyof typeof paths,
  options: PointOptions,
  classes: number,
  width: number,
  place: (label: number, random: RandomStream) => readonly number[],
): PointDataset {
  checkNames(op, options, ['n', 'noise', 'seed', ...(further[op] ?? [])])
  const n = whole(op, 'n', options.n, 0, 2 ** 31)
  const noise = atLeastZero(op, 'noise', options.noise ?? 0)
  const random = randomStream(checkSeed(op, options.seed ?? 0), paths[op])
  const points = new Float32Array(n * width)
  const labels = new Uint8Array(n)
  for (let i = 0; i < n; i++) {
    const label = i % classes
    const at = place(label, random)
    labels[i] = label
    for (let d = 0; d < width; d++) points[i * width + d] = (at[d] as number) + noise * random.normal()
  }
  return dataset({ points: column(points, [n, width]), labels: column(labels, [n]) })
}

/** Two half circles of radius 1 that reach into each other: around (0, 0) above, around (1, 0.5) below. */
export function twoMoons(options: PointOptions): PointDataset {
  return fill('twoMoons', options, 2, 2, (label, random) => {
    const angle = Math.PI * random.uniform()
    return label === 0 ? [Math.cos(angle), Math.sin(angle)] : [1 - Math.cos(angle), 0.5 - Math.sin(angle)]
  })
}

/** Two circles around the origin: class 0 of radius 1, class 1 of radius `factor` (default 0.5). */
export function circles(options: PointOptions & { readonly factor?: number }): PointDataset {
  const factor = options.factor ?? 0.5
  if (!(factor > 0 && factor < 1)) throw wrong('circles', `factor must be between 0 and 1, not ${factor}.`)
  return fill('circles', options, 2, 2, (label, random) => {
    const angle = 2 * Math.PI * random.uniform()
    const radius = label === 0 ? 1 : factor
    return [radius * Math.cos(angle), radius * Math.sin(angle)]
  })
}

/** Spiral arms from the centre out to radius 1, `turns` (default 1.5) times around, one arm for each of `classes` (default 2). */
export function spirals(options: PointOptions & { readonly classes?: number; readonly turns?: number }): PointDataset {
  const classes = whole('spirals', 'classes', options.classes ?? 2, 1, 256)
  const turns = atLeastZero('spirals', 'turns', options.turns ?? 1.5)
  return fill('spirals', options, classes, 2, (label, random) => {
    // The root spreads points evenly along the arm, whose length grows with the radius.
    const radius = Math.sqrt(random.uniform())
    const angle = 2 * Math.PI * (turns * radius + label / classes)
    return [radius * Math.cos(angle), radius * Math.sin(angle)]
  })
}

/**
 * Normal clouds, one a class. `centers` are points of equal length, or how many to draw in [-10, 10] (default 3, in
 * `features` dimensions, default 2). `noise`, the deviation of a cloud, is 1 by default.
 */
export function blobs(
  options: PointOptions & { readonly centers?: number | readonly (readonly number[])[]; readonly features?: number },
): PointDataset {
  const { centers = 3 } = options
  const random = randomStream(checkSeed('blobs', options.seed ?? 0), paths.blobs, 1)
  const places =
    typeof centers === 'number'
      ? Array.from({ length: whole('blobs', 'centers', centers, 1, 256) }, () =>
          Array.from(
            { length: whole('blobs', 'features', options.features ?? 2, 1, 2 ** 20) },
            () => 20 * random.uniform() - 10,
          ),
        )
      : centers
  const width = places[0]?.length ?? 0
  if (width === 0 || places.length > 256 || places.some((p) => p.length !== width || !p.every(Number.isFinite)))
    throw wrong('blobs', 'centers must be 1 to 256 points of equal length, such as [[0, 0], [3, 3]].')
  return fill(
    'blobs',
    { ...options, noise: options.noise ?? 1 },
    places.length,
    width,
    (label) => places[label] as readonly number[],
  )
}

/** Points of the square [-1, 1]^2, of class 1 where exactly one coordinate is positive. */
export function xor(options: PointOptions): PointDataset {
  return fill('xor', options, 2, 2, (label, random) => {
    const x = (1 - random.uniform()) * (random.below(2) === 0 ? 1 : -1)
    const y = (1 - random.uniform()) * (x > 0 === (label === 0) ? 1 : -1)
    return [x, y]
  })
}
