import { describe, expect, expectTypeOf, it } from 'vitest'
import type { Column, Dataset } from '../src/index.ts'
import { column, dataset, hostBatches } from '../src/index.ts'
import { codeOf } from './errorCode.ts'

const count = (n: number) => Array.from({ length: n }, (_, i) => i)
const small = () =>
  dataset({
    images: column(Uint8Array.from(count(12)), [6, 1, 2]),
    labels: column(Int32Array.from([5, 4, 3, 2, 1, 0]), [6]),
  })

describe('column', () => {
  it('keeps the array and takes dtype and shape from it', () => {
    const data = new Float64Array(6)
    const c = column(data, [3, 2])
    expect(c.data).toBe(data)
    expect(c).toMatchObject({ dtype: 'float64', shape: [3, 2] })
  })

  it('types: the leading dimension is number, the rest stays literal', () => {
    expectTypeOf(column(new Uint8Array(8), [2, 2, 2])).toEqualTypeOf<Column<readonly [number, 2, 2], 'uint8'>>()
    expectTypeOf(column(new Int16Array(0), [0])).toEqualTypeOf<Column<readonly [number], 'int16'>>()
    // @ts-expect-error a shape has at least the dimension that counts rows
    expect(codeOf(() => column(new Uint8Array(1), []))).toBe('bad-shape')
  })

  it.each([
    ['too few elements', () => column(new Uint8Array(5), [3, 2]), 'bad-shape'],
    ['a fraction', () => column(new Uint8Array(3), [1.5, 2]), 'bad-shape'],
    ['a negative dimension', () => column(new Uint8Array(4), [-2, -2]), 'bad-shape'],
    ['NaN', () => column(new Uint8Array(0), [Number.NaN]), 'bad-shape'],
    ['a plain array', () => column([1, 2] as unknown as Uint8Array, [2]), 'bad-column'],
    ['clamped bytes', () => column(new Uint8ClampedArray(2) as unknown as Uint8Array, [2]), 'bad-column'],
  ])('refuses %s', (_, f, code) => expect(codeOf(f)).toBe(code))
})

describe('dataset', () => {
  it('reads rows: numbers from rank 1, shared values from higher ranks', () => {
    const data = small()
    expect(data.at(1)).toEqual({ images: Uint8Array.of(2, 3), labels: 4 })
    expect(data.at(-1)).toEqual({ images: Uint8Array.of(10, 11), labels: 0 })
    data.at(0).images[0] = 99
    expect(data.columns.images.data[0]).toBe(99)
    expectTypeOf(data.at(0)).toEqualTypeOf<{ readonly images: Uint8Array; readonly labels: number }>()
  })

  it('views of views name the rows of the first', () => {
    const view = small().subset([5, 3, 3, 0]).subset([3, 1, 2]).slice(1)
    expect(view.length).toBe(2)
    expect(view.at(0)).toEqual({ images: Uint8Array.of(6, 7), labels: 2 })
    expect([...view.columns.images.data]).toEqual([6, 7, 6, 7])
    expect([...view.gather([1, 0]).labels.data]).toEqual([2, 2])
    expect(view.columns.images.shape).toEqual([2, 1, 2])
    expectTypeOf(view).toEqualTypeOf(small())
  })

  it('gather copies', () => {
    const data = small()
    const batch = data.gather([4, 0, 1])
    expect([...batch.images.data]).toEqual([8, 9, 0, 1, 2, 3])
    batch.images.data[0] = 77
    expect(data.at(4).images[0]).toBe(8)
  })

  it('gather copies long rows and runs of neighbours alike', () => {
    const wide = dataset({ x: column(Int16Array.from(count(400)), [4, 100]) })
    const { data } = wide.gather([2, 3, 0, 0]).x
    expect([...data]).toEqual([...count(200).map((i) => i + 200), ...count(100), ...count(100)])
  })

  it('slice and take share memory and keep within the rows', () => {
    const data = small()
    expect(data.take(2).columns.labels.data.buffer).toBe(data.columns.labels.data.buffer)
    expect([...data.slice(-2).columns.labels.data]).toEqual([1, 0])
    expect([...data.slice(1, -3).columns.labels.data]).toEqual([4, 3])
    expect([data.take(0), data.take(99), data.slice(4, 2), data.slice(9)].map((d) => d.length)).toEqual([0, 6, 0, 0])
  })

  it('with replaces and adds columns, of a view too', () => {
    const view = small().subset([1, 0])
    const more = view.with({ labels: column(Float32Array.of(0.5, 1.5), [2]), weight: column(new Uint8Array(2), [2]) })
    expect(more.at(1)).toEqual({ images: Uint8Array.of(0, 1), labels: 1.5, weight: 0 })
    expectTypeOf(more.columns.labels).toEqualTypeOf<Column<readonly [number], 'float32'>>()
  })

  it.each([
    ['no column', () => dataset({}), 'bad-column'],
    ['an array for a column', () => dataset({ x: [1, 2] } as never), 'bad-column'],
    ['no columns at all', () => dataset(undefined as never), 'bad-column'],
    ['the name index', () => dataset({ index: column(new Uint8Array(1), [1]) }), 'bad-column'],
    [
      'columns of unequal length',
      () => dataset({ a: column(new Uint8Array(2), [2]), b: column(new Uint8Array(2), [1, 2]) }),
      'length-mismatch',
    ],
    ['with of another length', () => small().with({ a: column(new Uint8Array(2), [2]) }), 'length-mismatch'],
    ['at past the end', () => small().at(6), 'bad-index'],
    ['at before the start', () => small().at(-7), 'bad-index'],
    ['at a fraction', () => small().at(0.5), 'bad-index'],
    ['subset past the end', () => small().subset([0, 6]), 'bad-index'],
    ['subset of a negative row', () => small().subset([-1]), 'bad-index'],
    ['gather past the end of a view', () => small().take(2).gather([2]), 'bad-index'],
    ['take of a negative number', () => small().take(-1), 'bad-option'],
    ['take of NaN', () => small().take(Number.NaN), 'bad-option'],
  ])('refuses %s', (_, f, code) => expect(codeOf(f)).toBe(code))

  it('says what was wrong, both shapes and the fix', () => {
    expect(() => dataset({ a: column(new Uint8Array(4), [4]), b: column(new Uint8Array(6), [3, 2]) })).toThrow(
      '[dataset] column "b" [3, 2] does not have as many rows as "a" [4]. All columns need the same leading dimension.',
    )
  })

  it('is a Dataset of any columns to those who do not ask', () => {
    const lengthOf = (data: Dataset): number => data.length
    expect(lengthOf(small())).toBe(6)
  })

  it('batches keep the types of the columns', () => {
    const batches = hostBatches(small(), { size: 2 })
    for (const batch of batches.sync()) {
      expectTypeOf(batch.images).toEqualTypeOf<Column<readonly [number, 1, 2], 'uint8'>>()
      expectTypeOf(batch.index).toEqualTypeOf<Uint32Array>()
    }
  })
})
