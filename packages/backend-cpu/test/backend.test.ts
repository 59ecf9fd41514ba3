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
    expect(() => cpu({ thread: 1 } as never)).toThrow("there is no option 'thread'. Options are threads and wide.")
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
