import { compileGraph, type Target } from '@tessella/compiler'
import { build, parameter } from '@tessella/ir'
import { describe, expect, it } from 'vitest'
import { dropDevice } from '../src/device/alive.ts'
import { type Capabilities, defaultCapabilities } from '../src/device/capabilities.ts'
import { matricesOf } from '../src/device/matrices.ts'
import { openDevice } from '../src/device/open.ts'
import type { Dispatch } from '../src/kernel.ts'
import { planSlots } from '../src/run/slots.ts'
import { nativeBinary, nativeUnary } from '../src/wgsl/functions.ts'

process.env['DAWNNODE_BACKEND'] = 'null'

/* Which kernel makes a product, by its shape and by what the device has. */

const target: Target = {
  name: 'test',
  dtypes: new Set(['float32', 'float16']),
  unary: nativeUnary,
  binary: nativeBinary,
  alignment: 256,
  maxBuffers: 8,
}

const matmul = (m: number, k: number, n: number, capabilities: Capabilities): readonly Dispatch[] => {
  const inputs = [parameter([m, k], 'float32'), parameter([k, n], 'float32')] as const
  const program = compileGraph({ inputs, outputs: [build.matmul(...inputs)] }, target)
  return planSlots(program, [], capabilities).dispatches
}

const half: Capabilities = { ...defaultCapabilities, f16: true, precision: 'medium' }
const matrices: Capabilities = {
  ...half,
  maxInvocations: 1024,
  maxWorkgroupBytes: 49152,
  subgroups: { min: 32, max: 32, mayChoose: false },
  matrices: [
    { m: 16, n: 8, k: 16, lanes: 32 },
    { m: 16, n: 16, k: 16, lanes: 32 },
  ],
}

describe('products', () => {
  it('are of float32 unless another precision was asked for, whatever the device has', () => {
    const text = (capabilities: Capabilities) => matmul(200, 200, 200, capabilities).map((d) => d.wgsl)
    expect(text({ ...matrices, precision: 'highest' })).toEqual(text(defaultCapabilities))
    expect(text(defaultCapabilities).join()).not.toMatch(/f16|vec4h|enable/)
  })

  it("have operands of float16 where the device computes in it, and matrices of the device's largest shape", () => {
    const [tile] = matmul(200, 200, 200, half)
    expect(tile).toMatchObject({ label: 'matmul [200, 200] k=200 in float16' })
    expect(tile?.wgsl).toMatch(/^enable f16;\n/)
    expect(tile?.wgsl).toContain('var<workgroup> panel_a: array<vec4h, ')
    const [matrix] = matmul(200, 200, 200, matrices)
    expect(matrix?.label).toBe('matmul [200, 200] k=200 in matrices of float16 16x16x16')
    expect(matrix?.wgsl.match(/subgroupMatrixMultiplyAccumulate/g)).toHaveLength(2)
  })

  it('of two float16 are three', () => {
    const [matrix] = matmul(200, 200, 200, { ...matrices, precision: 'high' })
    expect(matrix?.label).toBe('matmul [200, 200] k=200 in matrices of twice float16 16x16x16')
    expect(matrix?.wgsl.match(/subgroupMatrixMultiplyAccumulate/g)).toHaveLength(6)
  })

  it('stay in float32 where they are too thin or too small for tiles', () => {
    for (const [m, k, n] of [
      [1, 4000, 300],
      [300, 4000, 4],
      [16, 16, 16],
    ] as const)
      expect(matmul(m, k, n, matrices)[0]?.wgsl).not.toContain('enable')
  })

  it.each([
    [2048, 2048, 2048, '128x128'],
    [700, 400, 700, '64x64'],
    [200, 200, 200, '32x32'],
    [10, 500, 40000, '16x128'],
    [40000, 500, 10, '128x16'],
    [30, 500, 40000, '32x128'],
    [40000, 500, 30, '128x32'],
  ])('%i x %i x %i is made in blocks of %s', (m, k, n, block) => {
    const text = matmul(m, k, n, matrices)[0]?.wgsl ?? ''
    const size = (tile: string) => text.match(new RegExp(`let [rc] = ${tile} \\* (\\d+)`))?.[1]
    expect(`${size('tile_m')}x${size('tile_n')}`).toBe(block)
  })

  it('take blocks that fit into the workgroup of the device', () => {
    const shape = { m: 16, n: 16, k: 16, lanes: 64 }
    const narrow = { ...matrices, maxInvocations: 256, matrices: [shape] }
    const [dispatch] = matmul(2048, 2048, 2048, narrow)
    expect(dispatch?.wgsl).toContain('@workgroup_size(256)')
    const tight = { ...matrices, maxWorkgroupBytes: 16384 }
    const bytes = (text: string) =>
      [...text.matchAll(/var<workgroup> \w+: array<(vec4h|f32), (\d+)>/g)].reduce(
        (sum, [, type, count]) => sum + Number(count) * (type === 'f32' ? 4 : 8),
        0,
      )
    for (const precision of ['medium', 'high'] as const)
      for (const n of [64, 300, 2048]) {
        const used = bytes(matmul(n, n, n, { ...tight, precision })[0]?.wgsl ?? '')
        expect(used).toBeGreaterThan(4096)
        expect(used).toBeLessThanOrEqual(16384)
      }
  })

  it('say the size of subgroups where the device has several', () => {
    const several = { ...matrices, subgroups: { min: 8, max: 32, mayChoose: true } }
    expect(matmul(256, 256, 256, several)[0]?.wgsl).toMatch(/@workgroup_size\(64\) @subgroup_size\(32\)/)
    expect(matmul(256, 256, 256, matrices)[0]?.wgsl).not.toContain('@subgroup_size')
  })

  it('of the largest blocks are right WGSL, without a warning', async () => {
    // Dawn's null device has the default limits only: these texts are read, not made pipelines.
    const { device } = await openDevice({ precision: 'medium' })
    const variants = matrices.matrices.flatMap((shape) =>
      [49152, 65536].map((maxWorkgroupBytes) => ({
        ...matrices,
        matrices: [shape],
        maxWorkgroupBytes,
        precision: maxWorkgroupBytes > 49152 ? ('high' as const) : ('medium' as const),
      })),
    )
    for (const capabilities of variants) {
      const dispatches = matmul(2048, 2048, 2048, { ...capabilities, subgroups: { min: 8, max: 32, mayChoose: true } })
      expect(dispatches[0]?.wgsl).toMatch(/@workgroup_size\(256\) @subgroup_size\(32\)/)
      for (const { wgsl } of dispatches) {
        const { messages } = await device.createShaderModule({ code: wgsl }).getCompilationInfo()
        expect(messages.map((m) => m.message)).toEqual([])
      }
    }
    dropDevice(device)
  })
})

it('elements of float16 are stored as such where the device has it, and else by atomic operations on words', () => {
  const x = parameter([65, 65], 'float32')
  const program = compileGraph({ inputs: [x], outputs: [build.cast(build.matmul(x, x), 'float16')] }, target)
  const text = (f16: boolean) => planSlots(program, [], { ...defaultCapabilities, f16 }).dispatches[0]?.wgsl
  expect(text(true)).toMatch(/^enable f16;\n/)
  expect(text(true)).toMatch(/read_write> m\d: array<f16>;/)
  expect(text(true)).not.toContain('atomic')
  expect(text(false)).toContain('atomicOr')
  expect(text(false)).not.toContain('f16;')
})

it('matrices that a device lists and does not make right are not used', async () => {
  const { device } = await openDevice({ precision: 'medium' })
  const errors: string[] = []
  device.addEventListener('uncapturederror', ({ error }) => errors.push(error.message))
  const config = { componentType: 'f16', resultComponentType: 'f32', M: 16, N: 16, K: 16 }
  // The null device computes nothing, and has no subgroups of 2.
  const info = { subgroupMinSize: 2, subgroupMaxSize: 32, subgroupMatrixConfigs: [config] }
  expect(await matricesOf(device, info)).toEqual([])
  await device.queue.onSubmittedWorkDone()
  expect(errors).toEqual([])
  dropDevice(device)
})
