import type { Column } from './column.ts'
import { columnArray } from './column.ts'
import type { Columns, RowSource } from './dataset.ts'
import { checkNames, DatasetError } from './errors.ts'
import { checkSeed, type RandomStream, randomStream } from './random.ts'
import { addNoise, type Displacement, displacement, warpPlane } from './warp.ts'

/** A range to draw from evenly; one number r is from -r to r. */
export type Range = number | readonly [low: number, high: number]

/** What may happen to an image; what is left out does not happen. */
export interface AugmentOptions {
  /** Shares of height and of width to move by. */
  readonly shift?: Range
  /** Degrees to turn by, counter-clockwise. */
  readonly rotate?: Range
  /** Factors to enlarge by; one number r is from 1 - r to 1 + r. */
  readonly zoom?: Range
  /** Degrees to shear by, horizontally. */
  readonly shear?: Range
  /** Mirror half of the images. */
  readonly flip?: 'horizontal' | 'vertical' | 'both'
  /** Bends: normal displacements of this many pixels at points that many pixels apart, smoothly between (after Simard et al., 2003). */
  readonly elastic?: { readonly strength: number; readonly spacing?: number }
  /** Standard deviation of noise on every value, in units of the values: of 255 for bytes. */
  readonly noise?: number
  /** With this probability a box of these shares of height and width becomes `fill` (Zhong et al., 2020). */
  readonly erase?: { readonly probability?: number; readonly size?: Range }
  /** What comes in from outside and fills erased boxes. Default 0. */
  readonly fill?: number
  /** Default 0. */
  readonly seed?: number
}

/** Images [n, channels, height, width]. */
export type ImageColumn = Column<readonly [number, number, number, number], 'uint8' | 'float32'>

/** Changes images; the change of an image depends on (seed, epoch, row) alone, in whatever batch it comes. */
export type Augment = <C extends ImageColumn>(images: C, rows: ArrayLike<number>, epoch: number) => C

const bad = (message: string): DatasetError => new DatasetError('augment', 'bad-option', message)

/** Draws from a range; nothing is drawn for what is not asked for. */
function drawer(name: string, range: Range | undefined, middle = 0): ((random: RandomStream) => number) | undefined {
  if (range === undefined) return undefined
  const [low, high] = typeof range === 'number' ? [middle - range, middle + range] : range
  if (!(Number.isFinite(low) && Number.isFinite(high) && low <= high))
    throw bad(`${name} must be a number or [low, high], not [${low}, ${high}].`)
  return (random) => low + (high - low) * random.uniform()
}

const radians = (degrees: number): number => (degrees * Math.PI) / 180

/** Degrees whose sine and cosine are whole come out so, and a quarter turn moves pixels exactly. */
const exact = (x: number): number => (Math.abs(x - Math.round(x)) < 1e-15 ? Math.round(x) : x)

/** Rotation, shear, zoom and mirrors as one matrix, (x, y) of the image to (x, y) of the result around the middle. */
function matrixOf(turn: number, shear: number, zoom: number, mirrorX: boolean, mirrorY: boolean) {
  const [c, s] = [exact(Math.cos(radians(turn))), exact(Math.sin(radians(turn)))]
  const slant = Math.tan(radians(shear))
  const [fx, fy] = [mirrorX ? -zoom : zoom, mirrorY ? -zoom : zoom]
  // Rows count downwards, so a turn to the left has this sign.
  return [c * fx, (c * slant + s) * fy, -s * fx, (-s * slant + c) * fy] as const
}

/**
 * Augmentation of images on the host, for images that repeat their meaning when moved: shift, rotate, zoom, shear, flip and
 * bend in one pass of bilinear sampling, then noise and erased boxes.
 *
 * ```ts
 * const augment = augmenter({ shift: 0.1, rotate: 10, zoom: 0.1, seed: 1 })
 * for (let epoch = 0; epoch < 5; epoch++)
 *   for await (const batch of batches(augmented(train, 'images', augment, epoch), { size: 64, shuffle: true, seed: 1, epoch })) ...
 * ```
 * @throws DatasetError `bad-option`; of the function `bad-column` for what are no images
 */
export function augmenter(options: AugmentOptions): Augment {
  checkNames('augmenter', options, [
    'shift',
    'rotate',
    'zoom',
    'shear',
    'flip',
    'elastic',
    'noise',
    'erase',
    'fill',
    'seed',
  ])
  const { flip, elastic, noise = 0, erase, fill = 0 } = options
  const seed = checkSeed('augment', options.seed ?? 0)
  const shift = drawer('shift', options.shift)
  const rotate = drawer('rotate', options.rotate)
  const shear = drawer('shear', options.shear)
  const zoom = drawer('zoom', options.zoom, 1)
  const size = drawer('erase.size', erase === undefined ? undefined : (erase.size ?? [0.1, 0.4]))
  const { probability = 0.5 } = erase ?? {}
  if (!(noise >= 0)) throw bad(`noise must be a number from 0 on, not ${noise}.`)
  if (!(probability >= 0 && probability <= 1)) throw bad(`erase.probability must be in [0, 1], not ${probability}.`)
  if (elastic !== undefined && !(elastic.strength >= 0 && (elastic.spacing ?? 1) > 0))
    throw bad('elastic needs a strength from 0 on and a spacing above 0.')
  const moves = shift !== undefined || rotate !== undefined || shear !== undefined || zoom !== undefined
  const warps = moves || flip !== undefined || elastic !== undefined

  const one = (
    from: ImageColumn['data'],
    to: ImageColumn['data'],
    sizes: readonly [number, number, number],
    random: RandomStream,
  ) => {
    const [channels, height, width] = sizes
    const plane = height * width
    if (warps) {
      const mirrored = (kind: 'horizontal' | 'vertical'): boolean =>
        (flip === kind || flip === 'both') && random.below(2) === 1
      const [mirrorX, mirrorY] = [mirrored('horizontal'), mirrored('vertical')]
      const matrix = matrixOf(rotate?.(random) ?? 0, shear?.(random) ?? 0, zoom?.(random) ?? 1, mirrorX, mirrorY)
      const move = [(shift?.(random) ?? 0) * width, (shift?.(random) ?? 0) * height] as const
      const bend: Displacement | undefined =
        elastic && displacement(random, height, width, elastic.strength, elastic.spacing ?? 7)
      for (let c = 0; c < channels; c++)
        warpPlane(from.subarray(c * plane, (c + 1) * plane), to.subarray(c * plane, (c + 1) * plane), height, width, {
          matrix,
          move,
          bend,
          fill,
        })
    } else to.set(from)
    if (noise > 0) addNoise(to, noise, random)
    if (size !== undefined && random.uniform() < probability) {
      const [h, w] = [Math.round(size(random) * height), Math.round(size(random) * width)]
      const [top, left] = [random.below(Math.max(1, height - h + 1)), random.below(Math.max(1, width - w + 1))]
      for (let c = 0; c < channels; c++)
        for (let y = top; y < Math.min(top + h, height); y++)
          to.fill(fill, c * plane + y * width + left, c * plane + y * width + Math.min(left + w, width))
    }
  }
  return (images, rows, epoch) => {
    const [n, channels = 0, height = 0, width = 0] = images.shape
    if (images.shape.length !== 4 || (images.dtype !== 'uint8' && images.dtype !== 'float32'))
      throw new DatasetError(
        'augment',
        'bad-column',
        `images must be uint8 or float32 [n, channels, height, width], not ${images.dtype} [${images.shape.join(', ')}].`,
      )
    if (rows.length !== n)
      throw new DatasetError('augment', 'length-mismatch', `there are ${n} images but ${rows.length} row numbers.`)
    const data = columnArray(images.dtype, images.data.length)
    const each = channels * height * width
    for (let i = 0; i < n; i++) {
      const random = randomStream(seed, epoch, rows[i] as number)
      one(
        images.data.subarray(i * each, (i + 1) * each),
        data.subarray(i * each, (i + 1) * each),
        [channels, height, width],
        random,
      )
    }
    return { ...images, data }
  }
}

/**
 * A data set whose images are changed as they are gathered: draw batches of one epoch from it. Everything else stays.
 * @throws DatasetError as the function of {@link augmenter}
 */
export function augmented<C extends Columns>(
  source: RowSource<C>,
  name: keyof C & string,
  augment: Augment,
  epoch: number,
): RowSource<C> {
  const change = (columns: C, rows: ArrayLike<number>): C => {
    const images = columns[name]
    if (images === undefined) throw new DatasetError('augment', 'bad-column', `there is no column "${name}".`)
    return { ...columns, [name]: augment(images as unknown as ImageColumn, rows, epoch) }
  }
  return {
    length: source.length,
    gather(rows) {
      const columns = source.gather(rows)
      return columns instanceof Promise ? columns.then((c: C) => change(c, rows)) : change(columns as C, rows)
    },
  }
}
