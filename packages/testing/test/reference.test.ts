import { BackendError, build, type DType, type HostArray, hostArray, type Node, parameter, settle } from '@tessella/ir'
import { describe, expect, it } from 'vitest'
import { reference } from '../src/index.ts'
import { halfToNumber, numberToHalf } from '../src/reference/half.ts'
import { threefry2x32 } from '../src/reference/random.ts'
import { erf, erfinv } from '../src/reference/special.ts'

async function compute(output: Node): Promise<number[]> {
  const backend = reference()
  const [buffer] = backend.prepare({ inputs: [], outputs: [output] }).run([], [])
  return [...(await backend.read(buffer!, output.dtype))]
}

const list = (values: readonly number[], dtype: DType = 'float32'): Node =>
  build.concat(
    values.map((v) => build.reshape(build.constant(v, dtype), [1])),
    0,
  )
const host = (dtype: DType, values: readonly number[]): HostArray => {
  const out = hostArray(dtype, values.length)
  out.set(values)
  return out
}

describe('threefry2x32', () => {
  it.each([
    [[0, 0], [0, 0], '6b200159 99ba4efe'],
    [[0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff], '1cb996fc bb002be7'],
    [[0x13198a2e, 0x03707344], [0x243f6a88, 0x85a308d3], 'c4923a9c 483df7a0'],
  ] as const)('key %j counter %j gives %s (Random123 known answers)', (key, counter, expected) => {
    const words = threefry2x32(key[0], key[1], counter[0], counter[1])
    expect(words.map((w) => w.toString(16).padStart(8, '0')).join(' ')).toBe(expected)
  })
})

describe('special functions', () => {
  // Values of the C library's erf.
  it.each([
    [1e-10, 1.1283791670955126e-10],
    [0.1, 0.1124629160182849],
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [1.9999, 0.9953201979070294],
    [2, 0.9953222650189527],
    [3, 0.9999779095030014],
    [5.5, 0.9999999999999927],
  ])('erf(%d)', (x, y) => {
    expect(Math.abs(erf(x) - y) / y).toBeLessThan(4e-16)
    expect(erf(-x)).toBe(-erf(x))
  })
  it('erfinv undoes erf', () => {
    for (const x of [1e-12, 0.01, 0.3, 0.4999, 0.5, 0.7, 0.9, 0.99, 0.999999])
      expect(Math.abs(erf(erfinv(x)) - x) / x).toBeLessThan(4e-16)
    expect(erfinv(1)).toBe(Number.POSITIVE_INFINITY)
    expect(erfinv(-1)).toBe(Number.NEGATIVE_INFINITY)
    expect(erfinv(1.0001)).toBeNaN()
    expect(erfinv(1 - 2 ** -53)).toBeCloseTo(5.8635847487551676, 13)
  })
})

describe('float16 bits', () => {
  it('reads and writes every half exactly', () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = halfToNumber(bits)
      if (Number.isNaN(value)) expect(numberToHalf(value) & 0x7fff).toBeGreaterThan(0x7c00)
      else if (numberToHalf(value) !== bits) expect.fail(`${bits.toString(16)} became ${numberToHalf(value)}`)
    }
  })
  it('rounds ties to even and overflows to infinity', () => {
    expect(halfToNumber(numberToHalf(1 + 2 ** -11))).toBe(1)
    expect(halfToNumber(numberToHalf(1 + 3 * 2 ** -11))).toBe(1 + 2 ** -9)
    expect(numberToHalf(65519)).toBe(0x7bff)
    expect(numberToHalf(65520)).toBe(0x7c00)
    expect(numberToHalf(-(2 ** -26))).toBe(0x8000)
  })
})

describe('integers', () => {
  const int = (fn: Parameters<typeof build.binary>[0], a: number, b: number) =>
    compute(build.binary(fn, list([a], 'int32'), list([b], 'int32')))
  it.each([
    ['add', 2 ** 31 - 1, 1, -(2 ** 31)],
    ['mul', 65537, 65537, 131073],
    ['div', -7, 2, -3],
    ['div', 7, 0, 0],
    ['div', -(2 ** 31), -1, -(2 ** 31)],
    ['rem', -7, 2, -1],
    ['rem', 7, 0, 0],
    ['shl', 1, 31, -(2 ** 31)],
    ['shr', -8, 1, -4],
    ['xor', 6, 3, 5],
  ] as const)('%s(%d, %d) = %d', async (fn, a, b, expected) => {
    const [value] = await int(fn, a, b)
    expect(value! + 0).toBe(expected)
  })
  it('casts saturate from floats and keep low bits between integers', async () => {
    const floats = list([3e9, -3e9, -1.9, Number.NaN, 300, 1.9])
    expect(await compute(build.cast(floats, 'int32'))).toEqual([2147483647, -2147483648, -1, 0, 300, 1])
    expect(await compute(build.cast(floats, 'uint8'))).toEqual([255, 0, 0, 0, 255, 1])
    expect(await compute(build.cast(list([-1, 256], 'int32'), 'uint32'))).toEqual([4294967295, 256])
    expect(await compute(build.cast(list([-1, 257], 'int32'), 'uint8'))).toEqual([255, 1])
  })
})

describe('order', () => {
  const x = list([3, Number.NaN, 1, 3, Number.NaN, -1])
  it('max and argmax: the first NaN wins', async () => {
    expect(await compute(build.reduce('max', x, [0]))).toEqual([Number.NaN])
    expect(await compute(build.argReduce('max', x, 0))).toEqual([1])
    expect(await compute(build.argReduce('min', x, 0))).toEqual([1])
  })
  it('argsort is stable with NaN largest', async () => {
    expect(await compute(build.argsort(x, 0))).toEqual([5, 2, 0, 3, 1, 4])
    expect(await compute(build.argsort(x, 0, true))).toEqual([1, 4, 0, 3, 2, 5])
  })
})

describe('the Backend contract', () => {
  const p = parameter([3], 'float32')
  const doubled = build.add(p, p)
  it('counts live buffers, and takes donated ones', async () => {
    const backend = reference()
    const x = backend.upload(host('float32', [1, 2, 3]), 'float32')
    expect(backend.memory()).toMatchObject({ bytes: 12, buffers: 1 })
    const program = backend.prepare({ inputs: [p], outputs: [doubled, p] })
    const [y, same] = program.run([x], [false])
    expect(await backend.read(y!, 'float32')).toEqual(new Float32Array([2, 4, 6]))
    expect(backend.memory()).toMatchObject({ bytes: 36, buffers: 3 })
    backend.release(x)
    expect(await backend.read(same!, 'float32')).toEqual(new Float32Array([1, 2, 3]))
    program.run([y!], [true])
    await expect(backend.read(y!, 'float32')).rejects.toMatchObject({ code: 'disposed' })
    expect(backend.memory().buffers).toBe(3)
  })
  it('refuses foreign, released and disposed things', () => {
    const backend = reference()
    const x = backend.upload(host('float32', [1, 2, 3]), 'float32')
    const program = backend.prepare({ inputs: [p], outputs: [doubled] })
    expect(() => reference().release(x)).toThrow(/belongs to another backend/)
    backend.release(x)
    expect(() => backend.release(x)).toThrow(BackendError)
    expect(() => program.run([x], [false])).toThrow(/was released/)
    backend.dispose()
    backend.dispose()
    expect(() => backend.memory()).toThrow(/disposed/)
    expect(() => backend.upload(host('float32', [1]), 'float32')).toThrow(/disposed/)
  })
  it('keeps a prepared program when its nodes settle', async () => {
    const backend = reference()
    const q = parameter([2], 'float32')
    const sum = build.add(q, q)
    const product = build.mul(sum, q)
    const program = backend.prepare({ inputs: [q], outputs: [product] })
    settle(sum, {})
    settle(product, {})
    const [y] = program.run([backend.upload(host('float32', [3, 4]), 'float32')], [false])
    expect(await backend.read(y!, 'float32')).toEqual(new Float32Array([18, 32]))
  })
})
