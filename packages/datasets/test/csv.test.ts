import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dataset, parseCsv, readCsv } from '../src/index.ts'
import { codeOf, codeOfAsync } from './errorCode.ts'

const flowers = 'length,width,species\n5.1,3.5,setosa\n4.9,,virginica\r\n6e0, -1 ,setosa\n'

describe('parseCsv', () => {
  it('reads numbers, classes and text by name', () => {
    const table = parseCsv(flowers)
    expect(table.names).toEqual(['length', 'width', 'species'])
    expect(table.length).toBe(3)
    const x = table.numbers('width', 'length')
    expect(x.shape).toEqual([3, 2])
    expect(Array.from(x.data)).toEqual([3.5, Math.fround(5.1), Number.NaN, Math.fround(4.9), -1, 6])
    expect(table.classes('species')).toEqual({
      labels: { data: Int32Array.of(0, 1, 0), shape: [3], dtype: 'int32' },
      names: ['setosa', 'virginica'],
    })
    expect(table.text('width')).toEqual(['3.5', '', ' -1 '])
  })

  it('leaves out rows with holes, and makes data sets', () => {
    const table = parseCsv(flowers).complete('width')
    const set = dataset({ x: table.numbers('length', 'width'), y: table.classes('species').labels })
    expect(set.length).toBe(2)
    expect(set.at(-1)).toEqual({ x: Float32Array.of(6, -1), y: 0 })
    expect(parseCsv(flowers).complete().length).toBe(2)
    expect(
      parseCsv('a\n1\nNA\n?\nnone\n', { missing: ['?', 'none'] })
        .complete()
        .text('a'),
    ).toEqual(['1', 'NA'])
  })

  it.each([
    ['quotes', 'a,b\n"x, y","line\nbreak ""q"""\n', [['x, y', 'line\nbreak "q"']]],
    ['no line end at the end', 'a,b\n1,2', [['1', '2']]],
    ['an empty last field', 'a,b\n1,', [['1', '']]],
    [
      'an empty field before a line end',
      'a,b\n1,\n,2\n',
      [
        ['1', ''],
        ['', '2'],
      ],
    ],
    [
      'empty lines',
      'a,b\n\n1,2\n\r\n3,4\n',
      [
        ['1', '2'],
        ['3', '4'],
      ],
    ],
    ['a quoted empty field alone', 'a\n""\n', [['']]],
    ['a mark of the byte order', '\ufeffa,b\n1,2\n', [['1', '2']]],
    ['lone carriage returns', 'a,b\r1,2\r', [['1', '2']]],
  ])('%s', (_, text, expected) => {
    const table = parseCsv(text)
    expect(table.names[0]).toBe('a')
    expect(Array.from({ length: table.length }, (_v, i) => table.names.map((n) => table.text(n)[i]))).toEqual(expected)
  })

  it('other delimiters, no header, names of its own', () => {
    expect(parseCsv('1;2\n3;4', { delimiter: ';', header: false }).numbers('1').data).toEqual(Float32Array.of(2, 4))
    expect(parseCsv('1\t2', { delimiter: '\t', header: ['x', 'y'] }).text('y')).toEqual(['2'])
  })

  it('gives back any fields that were quoted by the rules', () => {
    const field = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', ' ', '1') })
    const rows = fc
      .integer({ min: 1, max: 4 })
      .chain((width) =>
        fc.array(fc.array(field, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 5 }),
      )
    fc.assert(
      fc.property(rows, (data) => {
        const text = data.map((row) => row.map((f) => `"${f.replaceAll('"', '""')}"`).join(',')).join('\r\n')
        const table = parseCsv(text, { header: false })
        expect(data.map((_, i) => table.names.map((n) => table.text(n)[i]))).toEqual(data)
      }),
    )
  })

  it('names the fault and its place', () => {
    expect(codeOf(() => parseCsv(''))).toBe('empty')
    expect(codeOf(() => parseCsv('a,b\n1\n'))).toBe('length-mismatch')
    expect(() => parseCsv('a,b\n1,2\n1,2,3\n')).toThrow('row 1 has 3 fields, and there are 2 columns')
    expect(() => parseCsv('a\n1\n"2\n3')).toThrow('[csv] the quote opened in line 3 is never closed')
    expect(() => parseCsv('a\n"2"3\n')).toThrow('line 2 has text behind a closed quote')
    expect(codeOf(() => parseCsv('a,a\n1,2\n'))).toBe('bad-column')
    expect(codeOf(() => parseCsv('a', { delimiter: '||' }))).toBe('bad-option')
    const table = parseCsv('a,b\n1,x\nNA,\n')
    expect(() => table.numbers('b')).toThrow('row 0 of "b" is "x", which is no number')
    expect(() => table.classes('a')).toThrow('row 1 of "a" is missing')
    expect(() => table.text('c')).toThrow('there is no column "c". There are a, b.')
  })
})

describe('readCsv', () => {
  const bytes = new TextEncoder().encode('größe,n\n1,2\n')
  it.each([
    ['bytes', () => bytes],
    ['gzip', () => new Uint8Array(gzipSync(bytes))],
    ['a response', () => new Response(bytes)],
    ['a promise of a blob', () => Promise.resolve(new Blob([bytes]))],
  ])('reads %s', async (_, make) => {
    const table = await readCsv(make())
    expect(table.numbers('größe', 'n').data).toEqual(Float32Array.of(1, 2))
  })

  it('stops at maxBytes and refuses what is no text', async () => {
    expect(await codeOfAsync(readCsv(bytes, { maxBytes: 5 }))).toBe('too-large')
    expect(await codeOfAsync(readCsv(new Uint8Array(gzipSync(new Uint8Array(1e6))), { maxBytes: 1000 }))).toBe(
      'too-large',
    )
    expect(await codeOfAsync(readCsv(Uint8Array.of(97, 10, 0xff, 0xfe)))).toBe('corrupt')
  })
})
