import { describe, expect, it } from 'vitest'
import { type AugmentOptions, augmented, augmenter, column, dataset, hostBatches, mnist } from '../src/index.ts'
import { codeOf } from './errorCode.ts'

const image = (rows: number[][], channels = 1) => {
  const flat = rows.flat()
  return column(Uint8Array.from(new Array<number[]>(channels).fill(flat).flat()), [
    1,
    channels,
    rows.length,
    rows[0]?.length ?? 0,
  ])
}
const rows = [
  [1, 2, 3],
  [4, 5, 6],
  [7, 8, 9],
]
const changed = (options: AugmentOptions, from = rows, row = 0, epoch = 0): number[][] => {
  const { data, shape } = augmenter(options)(image(from), [row], epoch)
  const width = shape[3]
  return Array.from({ length: shape[2] }, (_, y) => Array.from(data.subarray(y * width, (y + 1) * width)))
}

describe('one change at a time', () => {
  it.each<[string, AugmentOptions, number[][]]>([
    ['nothing', {}, rows],
    ['a warp by nothing', { rotate: 0, shift: 0, zoom: 0 }, rows],
    [
      'a quarter turn to the left',
      { rotate: [90, 90] },
      [
        [3, 6, 9],
        [2, 5, 8],
        [1, 4, 7],
      ],
    ],
    [
      'half a turn',
      { rotate: [180, 180] },
      [
        [9, 8, 7],
        [6, 5, 4],
        [3, 2, 1],
      ],
    ],
    [
      'to the right and down by a third',
      { shift: [1 / 3, 1 / 3], fill: 0 },
      [
        [0, 0, 0],
        [0, 1, 2],
        [0, 4, 5],
      ],
    ],
    [
      'twice as large',
      { zoom: [2, 2] },
      [
        [3, 4, 4],
        [5, 5, 6],
        [6, 7, 7],
      ],
    ],
    [
      'half as large, in grey',
      { zoom: [0.5, 0.5], fill: 100 },
      [
        [100, 100, 100],
        [100, 5, 100],
        [100, 100, 100],
      ],
    ],
    [
      'sheared by 45 degrees',
      { shear: [45, 45], fill: 0 },
      [
        [2, 3, 0],
        [4, 5, 6],
        [0, 7, 8],
      ],
    ],
  ])('%s', (_, options, expected) => {
    expect(changed(options)).toEqual(expected)
  })

  it('mirrors half of the images', () => {
    const seen = Array.from({ length: 200 }, (_, row) => changed({ flip: 'horizontal' }, rows, row))
    const mirrored = rows.map((r) => r.toReversed())
    const count = seen.filter((s) => s.join() === mirrored.join()).length
    expect(seen.every((s) => s.join() === mirrored.join() || s.join() === rows.join())).toBe(true)
    expect(count).toBeGreaterThan(70)
    expect(count).toBeLessThan(130)
    const upright = Array.from({ length: 40 }, (_, row) => changed({ flip: 'vertical' }, rows, row).join())
    expect(new Set(upright)).toEqual(new Set([rows.join(), rows.toReversed().join()]))
  })

  it('draws evenly from ranges', () => {
    const flat = Array.from({ length: 40 }, () => [...new Array<number>(100).keys()])
    const moved = Array.from(
      { length: 300 },
      (_, row) => 50 - (changed({ shift: [0.1, 0.3] }, flat, row)[20]?.[50] ?? 0),
    )
    expect(Math.min(...moved)).toBeGreaterThanOrEqual(9)
    expect(Math.max(...moved)).toBeLessThanOrEqual(31)
    const mean = moved.reduce((a, b) => a + b, 0) / 300
    expect(Math.abs(mean - 20)).toBeLessThan(1.5)
  })

  it('adds noise of the deviation asked for, within bytes', () => {
    const grey = Array.from({ length: 60 }, () => new Array<number>(60).fill(128))
    const values = changed({ noise: 10 }, grey).flat()
    const mean = values.reduce((a, b) => a + b, 0) / values.length
    const deviation = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length)
    expect(mean).toBeCloseTo(128, 0)
    expect(Math.abs(deviation - 10)).toBeLessThan(0.5)
    const white = changed({ noise: 500 }, grey).flat()
    expect(Math.min(...white)).toBe(0)
    expect(Math.max(...white)).toBe(255)
  })

  it('erases one box of the size asked for, in all channels', () => {
    const white = Array.from({ length: 10 }, () => new Array<number>(20).fill(255))
    const { data } = augmenter({ erase: { probability: 1, size: [0.3, 0.3] }, fill: 7 })(image(white, 2), [0], 0)
    const [a, b] = [data.subarray(0, 200), data.subarray(200)]
    expect(a).toEqual(b)
    const places = Array.from(a.entries())
      .filter(([, v]) => v === 7)
      .map(([i]) => i)
    expect(places).toHaveLength(3 * 6)
    const [ys, xs] = [places.map((i) => Math.floor(i / 20)), places.map((i) => i % 20)]
    expect([Math.max(...ys) - Math.min(...ys) + 1, Math.max(...xs) - Math.min(...xs) + 1]).toEqual([3, 6])
    const untouched = Array.from({ length: 100 }, (_, row) =>
      changed({ erase: { probability: 0.3 } }, white, row),
    ).filter((s) => s.flat().every((v) => v === 255))
    expect(untouched.length).toBeGreaterThan(50)
    expect(untouched.length).toBeLessThan(90)
  })

  it('bends smoothly: a ramp moves by about the strength, neighbours by about the same', () => {
    const ramp = Array.from({ length: 28 }, () => Array.from({ length: 28 }, (_, x) => 9 * x))
    const bent = changed({ elastic: { strength: 1 } }, ramp)
    const inner = bent
      .slice(4, 24)
      .map((row, y) => row.slice(4, 24).map((v, x) => (v - (ramp[y + 4]?.[x + 4] ?? 0)) / 9))
    const size = Math.sqrt(inner.flat().reduce((a, b) => a + b * b, 0) / 400)
    expect(size).toBeGreaterThan(0.3)
    expect(size).toBeLessThan(1.5)
    for (const row of inner)
      for (const [x, v] of row.slice(1).entries()) expect(Math.abs(v - (row[x] as number))).toBeLessThan(0.8)
  })
})

describe('seeds', () => {
  const all: AugmentOptions = {
    shift: 0.2,
    rotate: 20,
    zoom: 0.2,
    shear: 10,
    flip: 'both',
    elastic: { strength: 1 },
    noise: 5,
    erase: {},
    seed: 3,
  }
  const many = column(
    Uint8Array.from({ length: 6 * 64 }, (_, i) => (i * 37) % 256),
    [6, 1, 8, 8],
  )

  it('an image changes by (seed, epoch, row), in whatever batch', () => {
    const augment = augmenter(all)
    const whole = augment(many, [0, 1, 2, 3, 4, 5], 2).data
    const pair = augment({ ...many, data: many.data.slice(3 * 64, 5 * 64), shape: [2, 1, 8, 8] }, [3, 4], 2).data
    expect(pair).toEqual(whole.subarray(3 * 64, 5 * 64))
    expect(augmenter(all)(many, [0, 1, 2, 3, 4, 5], 2).data).toEqual(whole)
    expect(augment(many, [0, 1, 2, 3, 4, 5], 3).data).not.toEqual(whole)
    expect(augmenter({ ...all, seed: 4 })(many, [0, 1, 2, 3, 4, 5], 2).data).not.toEqual(whole)
  })

  it('batches draw changed images from the data set, which stays', async () => {
    const set = dataset({ images: many, labels: column(Uint8Array.of(0, 1, 2, 3, 4, 5), [6]) })
    const augment = augmenter(all)
    const expected = augment(many, [0, 1, 2, 3, 4, 5], 7).data
    for await (const { images, labels, index } of hostBatches(augmented(set, 'images', augment, 7), {
      size: 4,
      shuffle: true,
      seed: 1,
    })) {
      expect(Array.from(labels.data)).toEqual(Array.from(index))
      for (const [i, row] of index.entries())
        expect(images.data.slice(i * 64, (i + 1) * 64)).toEqual(expected.slice(row * 64, (row + 1) * 64))
    }
    expect(set.columns.images.data).toEqual(many.data)
    const late = augmented({ length: 6, gather: async (r: ArrayLike<number>) => set.gather(r) }, 'images', augment, 7)
    expect((await late.gather([2])).images.data).toEqual(expected.slice(128, 192))
  })

  it('floats stay floats, unrounded', () => {
    const { data } = augmenter({ shift: [0.25, 0.25] })(column(Float32Array.of(0, 0.5, 1, 1.5), [1, 1, 2, 2]), [0], 0)
    expect(Array.from(data)).toEqual([0, 0.125, 0.25, 0.75].map((v) => expect.closeTo(v, 6)))
  })

  it('keeps digits recognisable: most ink stays', async () => {
    const { train } = await mnist()
    const { images } = train.take(50).columns
    const { data } = augmenter({ shift: 0.05, rotate: 10, zoom: 0.1, elastic: { strength: 1 } })(
      images,
      [...new Array(50).keys()],
      0,
    )
    const ink = (pixels: Uint8Array): number => pixels.reduce((a, b) => a + b, 0)
    expect(Math.abs(ink(data) / ink(images.data) - 1)).toBeLessThan(0.15)
  })
})

it('faults are told', () => {
  expect(codeOf(() => augmenter({ rotate: [3, 1] }))).toBe('bad-option')
  expect(codeOf(() => augmenter({ noise: -1 }))).toBe('bad-option')
  expect(codeOf(() => augmenter({ erase: { probability: 2 } }))).toBe('bad-option')
  expect(codeOf(() => augmenter({ elastic: { strength: 1, spacing: 0 } }))).toBe('bad-option')
  expect(codeOf(() => augmenter({ seed: 0.5 }))).toBe('bad-option')
  const set = dataset({ images: image(rows) })
  expect(codeOf(() => augmented(set, 'pictures' as 'images', augmenter({}), 0).gather([0]))).toBe('bad-column')
  expect(codeOf(() => augmenter({})(column(Uint8Array.of(1, 2), [1, 2]) as never, [0], 0))).toBe('bad-column')
  expect(codeOf(() => augmenter({})(image(rows), [0, 1], 0))).toBe('length-mismatch')
})
