import { BackendError, build, type DeviceBuffer, parameter } from '@tessella/ir'
import { describe, expect, it } from 'vitest'
import { cpu } from '../src/index.ts'

const codeOf = (action: () => unknown): unknown => {
  try {
    action()
  } catch (error) {
    return error instanceof BackendError ? error.code : error
  }
  return 'nothing was thrown'
}

describe('cpu', () => {
  it('tells how many threads it has: one per core, at most 8, or as many as it is told', () => {
    expect(cpu().threads).toBe(Math.min(8, navigator.hardwareConcurrency))
    for (const threads of [1, 2, 64]) expect(cpu({ threads }).threads).toBe(threads)
  })

  it('has no other options', () => {
    expect(codeOf(() => cpu({ thread: 1 } as never))).toBe('bad-option')
    expect(() => cpu({ thread: 1 } as never)).toThrow(
      "there is no option 'thread'. Options are convPrecision, threads and wide.",
    )
  })

  it('has two precisions for convolutions', () => {
    expect(cpu().convPrecision).toBe('high')
    expect(cpu({ convPrecision: 'highest' }).convPrecision).toBe('highest')
    expect(codeOf(() => cpu({ convPrecision: 'medium' } as never))).toBe('bad-option')
    expect(() => cpu({ convPrecision: 'medium' } as never)).toThrow(
      `convPrecision is "medium". It is 'high' or 'highest'.`,
    )
  })

  it('convolves with many channels more accurately where it is told to', async () => {
    const [x, w] = [parameter([1, 32, 16, 16], 'float32'), parameter([32, 32, 3, 3], 'float32')]
    const window = {
      stride: [1, 1],
      dilation: [1, 1],
      padding: [
        [1, 1],
        [1, 1],
      ],
      groups: 1,
    } as const
    const graph = { inputs: [x, w], outputs: [build.conv(x, w, window)] } as const
    const noise = (length: number, step: number) =>
      Float32Array.from({ length }, (_, i) => ((i * step) % 1013) / 506 - 1)
    const [image, weight] = [noise(32 * 256, 677), noise(32 * 32 * 9, 389)]
    const exact = (o: number, row: number, column: number): number => {
      let sum = 0
      for (let c = 0; c < 32; c++)
        for (let k = 0; k < 9; k++) {
          const [y, z] = [row + Math.floor(k / 3) - 1, column + (k % 3) - 1]
          if (y >= 0 && z >= 0 && y < 16 && z < 16) sum += image[c * 256 + y * 16 + z]! * weight[(o * 32 + c) * 9 + k]!
        }
      return sum
    }
    const errorOf = async (convPrecision: 'high' | 'highest'): Promise<number> => {
      const backend = cpu({ threads: 1, convPrecision })
      const buffers = [backend.upload(image, 'float32'), backend.upload(weight, 'float32')]
      const [result] = backend.prepare(graph).run(buffers, [false, false]) as [DeviceBuffer]
      const y = await backend.read(result, 'float32')
      const errors = [...y].map((v, i) => Math.abs(v - exact(Math.floor(i / 256), Math.floor(i / 16) % 16, i % 16)))
      return errors.reduce((a, b) => a + b, 0) / errors.length
    }
    const [high, highest] = [await errorOf('high'), await errorOf('highest')]
    expect(highest).toBeLessThan(3e-6)
    expect(high).toBeLessThan(1e-5)
    expect(high).toBeGreaterThan(highest)
  })

  it.each([0, -1, 1.5, 65, Number.NaN, Number.POSITIVE_INFINITY])('has no %d threads', (threads) => {
    expect(codeOf(() => cpu({ threads }))).toBe('bad-option')
    expect(() => cpu({ threads })).toThrow('from 1 to 64')
  })

  it('names the way out for float64', () => {
    const backend = cpu()
    const x = parameter([2], 'float64')
    expect(() => backend.prepare({ inputs: [x], outputs: [build.neg(x)] })).toThrow("x.cast('float32')")
    expect(codeOf(() => backend.upload(new Float64Array(2), 'float64'))).toBe('unsupported-dtype')
  })

  it('holds memory flat over thousands of updates, and keeps the donated buffer', () => {
    const backend = cpu()
    const [x, g] = [parameter([1000], 'float32'), parameter([1000], 'float32')]
    const step = backend.prepare({
      inputs: [x, g],
      outputs: [build.sub(x, build.scale(g, 0.1)), build.reduce('sum', build.mul(g, g), [0])],
      updates: [{ input: 0, output: 0 }],
    })
    let state: DeviceBuffer = backend.upload(new Float32Array(1000), 'float32')
    const grad = backend.upload(new Float32Array(1000).fill(1), 'float32')
    const once = () => {
      const [next, loss] = step.run([state, grad], [true, false])
      backend.release(loss as DeviceBuffer)
      state = next as DeviceBuffer
    }
    once()
    const before = backend.memory()
    for (let i = 0; i < 5000; i++) once()
    expect(backend.memory()).toEqual(before)
    backend.release(state)
    backend.release(grad)
    step.dispose()
    expect(backend.memory()).toMatchObject({ bytes: 0, buffers: 0 })
  })

  it('gives back the heap of thousands of programs', () => {
    const backend = cpu()
    const prepareOne = (n: number) => {
      const x = parameter([n], 'float32')
      backend.prepare({ inputs: [x], outputs: [build.reduce('sum', build.unary('exp', x), [0])] }).dispose()
    }
    prepareOne(5)
    const { reservedBytes } = backend.memory()
    for (let n = 6; n < 300; n++) prepareOne(n)
    expect(backend.memory().reservedBytes).toBe(reservedBytes)
  })

  it('a run that cannot have its outputs takes nothing', () => {
    const backend = cpu()
    const x = parameter([1], 'float32')
    const size = 2 ** 29
    const grow = backend.prepare({
      inputs: [x],
      outputs: [build.broadcastTo(x, [size]), build.broadcastTo(x, [size]), build.broadcastTo(x, [size])],
    })
    const input = backend.upload(Float32Array.of(7), 'float32')
    const before = backend.memory()
    expect(codeOf(() => grow.run([input], [true]))).toBe('out-of-memory')
    expect(backend.memory()).toMatchObject({ bytes: before.bytes, buffers: before.buffers })
    expect(grow.kernels).toBeGreaterThan(0)
  })
})
