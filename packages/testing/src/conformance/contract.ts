import {
  type Backend,
  BackendError,
  build,
  type DType,
  dtypes,
  type Graph,
  irVersion,
  type Node,
  parameter,
} from '@tessella/ir'
import { expect, it } from 'vitest'

const f32 = (...values: number[]) => new Float32Array(values)
const vector = (length: number) => parameter([length], 'float32')

function codeOf(action: () => unknown): unknown {
  try {
    action()
  } catch (error) {
    return error instanceof BackendError ? error.code : error
  }
  return 'nothing was thrown'
}

/** Tests of what every backend promises beside the values it computes. `get` answers the suite's backend. */
export function contractTests(get: () => Backend, create: () => Promise<Backend>): void {
  const run = async (graph: Graph, data: readonly Float32Array<ArrayBuffer>[], donated: readonly boolean[]) => {
    const backend = get()
    const inputs = data.map((d) => backend.upload(d, 'float32'))
    const outputs = backend.prepare(graph).run(inputs, donated)
    const values = await Promise.all(outputs.map((b) => backend.read(b, 'float32')))
    const kept = await Promise.all(inputs.flatMap((b, i) => (donated[i] ? [] : [backend.read(b, 'float32')])))
    for (const buffer of [...outputs, ...inputs.filter((_, i) => !donated[i])]) backend.release(buffer)
    return { values, kept }
  }

  it('is built for this version of the language', () => expect(get().irVersion).toBe(irVersion))

  it('computes in float32 at least, on int32, uint32 and bool', () => {
    for (const dtype of ['float32', 'int32', 'uint32', 'bool'] satisfies DType[]) expect(get().dtypes).toContain(dtype)
  })

  it('refuses an upload of a dtype it does not have', () => {
    const missing = dtypes.filter((d) => !get().dtypes.has(d))
    for (const dtype of missing) {
      const data =
        dtype === 'float64' ? new Float64Array(2) : dtype === 'float16' ? new Uint16Array(2) : new Uint8Array(2)
      expect(codeOf(() => get().upload(data, dtype))).toBe('unsupported-dtype')
    }
  })

  it('copies on upload and on read', async () => {
    const backend = get()
    const data = f32(1, 2, 3)
    const buffer = backend.upload(data, 'float32')
    data[0] = 9
    const first = await backend.read(buffer, 'float32')
    first[1] = 9
    expect(await backend.read(buffer, 'float32')).toEqual(f32(1, 2, 3))
    expect(buffer.byteLength).toBe(12)
    backend.release(buffer)
  })

  it('uploads a view at an odd offset of a larger array', async () => {
    const backend = get()
    const bytes = new Uint8Array([0, 1, 2, 3, 4, 5, 6, 7])
    const buffer = backend.upload(bytes.subarray(3, 6), 'uint8')
    expect([...(await backend.read(buffer, 'uint8'))]).toEqual([3, 4, 5])
    backend.release(buffer)
  })

  it('runs a program again with other values', async () => {
    const backend = get()
    const x = vector(3)
    const program = backend.prepare({ inputs: [x], outputs: [build.mul(x, x)] })
    for (const values of [f32(1, 2, 3), f32(-1, 0, 4)]) {
      const input = backend.upload(values, 'float32')
      const [output] = program.run([input], [false])
      expect(await backend.read(output as never, 'float32')).toEqual(values.map((v) => v * v))
      for (const buffer of [input, output]) backend.release(buffer as never)
    }
    program.dispose()
  })

  it('runs in order: the output of one program is the input of the next', async () => {
    const backend = get()
    const x = vector(2)
    const program = backend.prepare({ inputs: [x], outputs: [build.shift(x, 1)] })
    let value = backend.upload(f32(0, 10), 'float32')
    for (let n = 0; n < 20; n++) value = program.run([value], [true])[0] as typeof value
    expect(await backend.read(value, 'float32')).toEqual(f32(20, 30))
    backend.release(value)
  })

  it('accepts one buffer as two inputs', async () => {
    const backend = get()
    const [x, y] = [vector(2), vector(2)]
    const buffer = backend.upload(f32(3, 4), 'float32')
    const [z] = backend.prepare({ inputs: [x, y], outputs: [build.mul(x, y)] }).run([buffer, buffer], [false, false])
    expect(await backend.read(z as never, 'float32')).toEqual(f32(9, 16))
    for (const b of [buffer, z]) backend.release(b as never)
  })

  it('gives every output a buffer of its own', async () => {
    const backend = get()
    const x = vector(2)
    const y = build.neg(x)
    const input = backend.upload(f32(1, 2), 'float32')
    const outputs = backend.prepare({ inputs: [x], outputs: [y, y, x, build.reshape(y, [2, 1])] }).run([input], [false])
    expect(new Set([input, ...outputs]).size).toBe(5)
    const [first, ...rest] = outputs
    backend.release(first as never)
    backend.release(input)
    const values = await Promise.all(rest.map((b) => backend.read(b, 'float32')))
    expect(values).toEqual([f32(-1, -2), f32(1, 2), f32(-1, -2)])
    for (const buffer of rest) backend.release(buffer)
  })

  const updates: readonly { name: string; make: (x: Node, y: Node) => Node[]; pairs: Graph['updates'] & object }[] = [
    { name: 'in place', make: (x, y) => [build.sub(x, build.scale(y, 0.5))], pairs: [{ input: 0, output: 0 }] },
    {
      name: 'in place while another output reads the old value in another order',
      make: (x, y) => [build.add(x, y), build.flip(x, [0]), build.reduce('sum', x, [0])],
      pairs: [{ input: 0, output: 0 }],
    },
    {
      name: 'a swap',
      make: (x, y) => [build.alias(y), build.alias(x)],
      pairs: [
        { input: 0, output: 0 },
        { input: 1, output: 1 },
      ],
    },
    {
      name: 'each from the other',
      make: (x, y) => [build.add(x, y), build.sub(x, y)],
      pairs: [
        { input: 0, output: 0 },
        { input: 1, output: 1 },
      ],
    },
    { name: 'of itself reversed', make: (x) => [build.flip(x, [0])], pairs: [{ input: 0, output: 0 }] },
    {
      name: 'a value that needs the whole input',
      make: (x) => [build.sub(x, build.broadcastTo(build.reduceKeep('max', x, [0]), [5]))],
      pairs: [{ input: 0, output: 0 }],
    },
    { name: 'unchanged', make: (x, y) => [x, build.neg(y)], pairs: [{ input: 0, output: 0 }] },
  ]
  const oracle = (name: string, [a, b]: [Float32Array, Float32Array]): number[][] => {
    const x = [...a]
    const y = [...b]
    const at = (v: number[], i: number) => v[i] as number
    const results: { readonly [n: string]: number[][] } = {
      'in place': [x.map((v, i) => v - at(y, i) / 2)],
      'in place while another output reads the old value in another order': [
        x.map((v, i) => v + at(y, i)),
        [...x].reverse(),
        [x.reduce((s, v) => s + v, 0)],
      ],
      'a swap': [y, x],
      'each from the other': [x.map((v, i) => v + at(y, i)), x.map((v, i) => v - at(y, i))],
      'of itself reversed': [[...x].reverse()],
      'a value that needs the whole input': [x.map((v) => v - Math.max(...x))],
      unchanged: [x, y.map((v) => -v)],
    }
    return results[name] as number[][]
  }
  for (const { name, make, pairs } of updates)
    for (const donated of [
      [true, true],
      [false, false],
      [true, false],
    ])
      it(`updates: ${name} (donated ${donated.join(', ')})`, async () => {
        const [x, y] = [vector(5), vector(5)]
        const data: [Float32Array<ArrayBuffer>, Float32Array<ArrayBuffer>] = [f32(1, 2, 3, 4, 8), f32(16, 32, 64, 2, 4)]
        const { values, kept } = await run({ inputs: [x, y], outputs: make(x, y), updates: pairs }, data, donated)
        expect(values.map((v) => [...v])).toEqual(oracle(name, data))
        expect(kept).toEqual(data.filter((_, i) => !donated[i]))
      })

  it('counts live buffers and bytes', () => {
    const backend = get()
    const before = backend.memory()
    const x = vector(100)
    const program = backend.prepare({ inputs: [x], outputs: [build.neg(x), build.reduce('sum', x, [0])] })
    const input = backend.upload(new Float32Array(100), 'float32')
    expect(backend.memory().buffers).toBe(before.buffers + 1)
    expect(backend.memory().bytes).toBe(before.bytes + 400)
    const outputs = program.run([input], [true])
    expect(backend.memory().buffers).toBe(before.buffers + 2)
    expect(backend.memory().bytes).toBe(before.bytes + 404)
    expect(backend.memory().peakBytes).toBeGreaterThanOrEqual(before.bytes + 404)
    for (const buffer of outputs) backend.release(buffer)
    expect(backend.memory()).toMatchObject({ bytes: before.bytes, buffers: before.buffers })
    program.dispose()
  })

  it('refuses a donated or released buffer', async () => {
    const backend = get()
    const x = vector(2)
    const program = backend.prepare({ inputs: [x], outputs: [build.neg(x)] })
    const input = backend.upload(f32(1, 2), 'float32')
    const [output] = program.run([input], [true])
    await expect(backend.read(input, 'float32')).rejects.toBeInstanceOf(BackendError)
    expect(codeOf(() => program.run([input], [false]))).toBe('disposed')
    backend.release(output as never)
    expect(codeOf(() => program.run([output as never], [false]))).toBe('disposed')
  })

  it('takes nothing when a run throws', async () => {
    const backend = get()
    const [x, y] = [vector(2), vector(2)]
    const program = backend.prepare({ inputs: [x, y], outputs: [build.add(x, y)] })
    const [good, gone] = [backend.upload(f32(1, 2), 'float32'), backend.upload(f32(3, 4), 'float32')]
    backend.release(gone)
    expect(codeOf(() => program.run([good, gone], [true, true]))).toBe('disposed')
    expect(await backend.read(good, 'float32')).toEqual(f32(1, 2))
    backend.release(good)
  })

  it('prints its programs', () => {
    const x = vector(2)
    const program = get().prepare({ inputs: [x], outputs: [build.neg(x)] })
    expect(program.print().length).toBeGreaterThan(0)
    program.dispose()
  })

  it('has room once it is synchronized, where it tells room at all', async () => {
    const x = vector(8)
    const program = get().prepare({ inputs: [x], outputs: [build.neg(x)] })
    let value = get().upload(new Float32Array(8), 'float32')
    for (let i = 0; i < 300; i++) {
      const [next] = program.run([value], [true])
      if (next) value = next
      await get().pace?.()
    }
    await get().synchronize()
    expect(get().pace?.()).toBe(undefined)
    get().release(value)
  })

  it('resolves synchronize', async () => expect(await get().synchronize()).toBeUndefined())

  it('keeps a second backend apart, and refuses everything once disposed', async () => {
    const other = await create()
    const theirs = other.upload(f32(1), 'float32')
    const x = vector(1)
    const program = get().prepare({ inputs: [x], outputs: [build.neg(x)] })
    expect(codeOf(() => program.run([theirs], [false]))).toBe('wrong-backend')
    const doomed = other.prepare({ inputs: [x], outputs: [build.neg(x)] })
    other.dispose()
    other.dispose()
    expect(codeOf(() => other.upload(f32(1), 'float32'))).toBe('disposed')
    expect(codeOf(() => other.prepare({ inputs: [x], outputs: [build.neg(x)] }))).toBe('disposed')
    expect(codeOf(() => doomed.run([theirs], [false]))).toBe('disposed')
    await expect(other.read(theirs, 'float32')).rejects.toMatchObject({ code: 'disposed' })
  })
}
