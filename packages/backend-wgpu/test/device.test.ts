import { build, type DeviceBuffer, parameter } from '@tessella/ir'
import { useSwiftshader } from '@tessella/testing/swiftshader'
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest'
import { WgpuBackend } from '../src/backend.ts'
import { capabilitiesOf, defaultCapabilities } from '../src/device/capabilities.ts'
import { Device } from '../src/device/device.ts'
import { matricesOf } from '../src/device/matrices.ts'
import { openDevice } from '../src/device/open.ts'
import { dawnFlags } from '../src/device/options.ts'
import { type MatmulPrecision, type WgpuOptions, wgpu } from '../src/index.ts'
import { Pipelines } from '../src/run/pipelines.ts'

beforeAll(useSwiftshader)

const codeOf = (action: () => unknown): unknown => {
  try {
    action()
  } catch (error) {
    return (error as { code?: unknown }).code ?? error
  }
  return 'nothing was thrown'
}

describe('options', () => {
  it('become flags of Dawn', () => {
    expect(dawnFlags({ safe: true })).toEqual([])
    expect(dawnFlags({ safe: true, adapter: 'NVIDIA', toggles: ['dump_shaders', '-a', 'b'] })).toEqual([
      'enable-dawn-features=dump_shaders,b',
      'disable-dawn-features=a',
      'adapter=NVIDIA',
    ])
    expect(dawnFlags({}).join(' ')).toContain('disable_robustness')
    expect(dawnFlags({ safe: true, precision: 'medium' })).toEqual([
      'enable-dawn-features=vulkan_enable_f16_on_nvidia,allow_unsafe_apis',
    ])
  })

  it('an adapter that does not exist is an error that says what to do', async () => {
    await expect(wgpu({ adapter: 'no such card' })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/'no such card' was found\. Install.*VK_ICD_FILENAMES.*useBackend\(cpu\(\)\)/),
    })
  })

  it('a backend names its adapter', async () => {
    const any = await wgpu()
    const part = ['SwiftShader', 'llvmpipe'].find((name) => any.adapter.toLowerCase().includes(name.toLowerCase()))
    const backend = await wgpu({ adapter: part as string })
    expect(backend.adapter).toBe(any.adapter)
    any.dispose()
    backend.dispose()
  })

  it('navigator stays as it was', () => {
    expect('gpu' in globalThis.navigator).toBe(false)
  })
})

describe('a device', () => {
  it('is asked for all that the adapter has', async () => {
    const { device, info } = await openDevice({})
    const ours = new Device(device, info)
    const { capabilities } = ours
    const { subgroupMinSize: min, subgroupMaxSize: max } = info
    expect(capabilities.maxStorageBuffers).toBeGreaterThan(defaultCapabilities.maxStorageBuffers)
    expect(capabilities.maxWorkgroupBytes).toBeGreaterThan(defaultCapabilities.maxWorkgroupBytes)
    expect(capabilities.maxImmediateBytes).toBe(64)
    expect(min).toBeGreaterThanOrEqual(4)
    expect(capabilities.subgroups).toEqual({ min, max, mayChoose: true })
    expect(capabilities).toMatchObject({ precision: 'highest', matrices: [] })
    ours.dispose()
  })

  it('computes in the precision that was asked for where it has float16, and else as always', async () => {
    const backend = await wgpu({ precision: 'medium' })
    const { device, info } = await openDevice({ precision: 'medium' })
    const ours = new Device(device, info, capabilitiesOf(device, info, 'medium', await matricesOf(device, info)))
    const { f16, matrices, precision } = ours.capabilities
    expect(f16).toBe(device.features.has('shader-f16'))
    expect(precision).toBe(f16 ? 'medium' : 'highest')
    expect(backend.precision).toBe(precision)
    // Lavapipe of Mesa 26 has both, SwiftShader neither.
    expect(matrices).toEqual(f16 && /mesa/i.test(ours.name) ? [{ m: 8, n: 8, k: 8, lanes: 8 }] : [])
    ours.dispose()
    backend.dispose()
  })

  it("has PyTorch's names of precisions and no others, for people and for the compiler", async () => {
    // tsd's TypeScript knows no WebGPU, so these types are tested here.
    expectTypeOf<WgpuOptions['precision']>().toEqualTypeOf<'highest' | 'high' | 'medium' | undefined>()
    expectTypeOf<WgpuBackend['precision']>().toEqualTypeOf<MatmulPrecision>()
    // @ts-expect-error: a misspelt precision
    await expect(wgpu({ precision: 'hihgest' })).rejects.toThrow(
      "[wgpu] there is no precision 'hihgest'. Precisions are 'highest', 'high', 'medium'.",
    )
    // @ts-expect-error: a misspelt option
    await expect(wgpu({ precison: 'medium' })).rejects.toThrow(/\[wgpu\] there is no option 'precison'/)
    // @ts-expect-error: a precision that is no text
    await expect(wgpu({ precision: null })).rejects.toThrow("there is no precision 'null'")
  })

  it('tells a shader that does not compile by the name of the operation, at the next use', async () => {
    const { device, info } = await openDevice({})
    const ours = new Device(device, info)
    const backend = new WgpuBackend(ours)
    const good = backend.upload(new Float32Array([1]), 'float32')
    const bindings = [{ slot: 0, page: 0, access: 'read_write' }] as const
    const wgsl = '@compute @workgroup_size(1) fn main() { let x: f32 = 1u; }'
    new Pipelines(ours).prepare({ label: 'matmul [84, 10]', wgsl, bindings, workgroups: [1, 1, 1] })
    await expect(backend.read(good, 'float32')).rejects.toMatchObject({
      code: 'internal',
      message: expect.stringMatching(/internal: .*matmul \[84, 10\]/s),
    })
    expect(codeOf(() => backend.upload(new Float32Array([1]), 'float32'))).toBe('internal')
    backend.dispose()
  })
})

describe('limits', () => {
  let backend: WgpuBackend
  beforeAll(async () => {
    const { device, info } = await openDevice({})
    const limit = 64 * 1024
    backend = new WgpuBackend(new Device(device, info, { ...defaultCapabilities, maxBindingBytes: limit }), 2 ** 20)
  })
  afterAll(() => backend.dispose())

  it('a value larger than one binding lies in pages', async () => {
    const data = Float32Array.from({ length: 50_001 }, (_, i) => i)
    const x = parameter([50_001], 'float32')
    const input = backend.upload(data, 'float32')
    expect(backend.memory().reservedBytes).toBeLessThan(1.2 * data.byteLength)
    const [y] = backend.prepare({ inputs: [x], outputs: [build.neg(x)] }).run([input], [true])
    expect(await backend.read(y as DeviceBuffer, 'float32')).toEqual(data.map((v) => -v))
    backend.release(y as DeviceBuffer)
  })

  it('a value whose elements have no address is refused', () => {
    const x = parameter([2 ** 31], 'uint8')
    const y = build.slice(x, [0], [1])
    expect(() => backend.prepare({ inputs: [x], outputs: [y] })).toThrow(/has 2147483648 elements/)
  })

  it('a value of exactly one binding works', async () => {
    const x = parameter([16_384], 'float32')
    const input = backend.upload(new Float32Array(16_384).fill(2), 'float32')
    const [y] = backend.prepare({ inputs: [x], outputs: [build.mul(x, x)] }).run([input], [true])
    expect((await backend.read(y as DeviceBuffer, 'float32'))[16_383]).toBe(4)
    backend.release(y as DeviceBuffer)
  })

  it('a run without memory takes nothing', async () => {
    const held = Array.from({ length: 15 }, () => backend.upload(new Float32Array(16_384).fill(5), 'float32'))
    const x = parameter([16_384], 'float32')
    const program = backend.prepare({ inputs: [x], outputs: [build.mul(x, x), build.add(x, x)] })
    const before = backend.memory()
    expect(codeOf(() => program.run([held[0] as DeviceBuffer], [true]))).toBe('out-of-memory')
    expect(backend.memory()).toMatchObject({ bytes: before.bytes, buffers: before.buffers })
    expect((await backend.read(held[0] as DeviceBuffer, 'float32'))[7]).toBe(5)
    for (const buffer of held.splice(1)) backend.release(buffer)
    const outputs = program.run([held[0] as DeviceBuffer], [true])
    expect((await backend.read(outputs[1] as DeviceBuffer, 'float32'))[7]).toBe(10)
    for (const buffer of outputs) backend.release(buffer)
    expect(backend.memory()).toMatchObject({ bytes: 0, buffers: 0 })
  })
})
