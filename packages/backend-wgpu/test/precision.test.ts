import { build, parameter } from '@tessella/ir'
import { evaluate } from '@tessella/testing'
import { type Case, checkCase } from '@tessella/testing/conformance'
import { useSwiftshader } from '@tessella/testing/swiftshader'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WgpuBackend } from '../src/backend.ts'
import { dropDevice } from '../src/device/alive.ts'
import { type Capabilities, capabilitiesOf, defaultCapabilities } from '../src/device/capabilities.ts'
import { Device } from '../src/device/device.ts'
import { matricesOf } from '../src/device/matrices.ts'
import { openDevice } from '../src/device/open.ts'
import type { MatmulPrecision } from '../src/device/precision.ts'
import { wgpu } from '../src/index.ts'
import { kernelCases } from './support/kernelCases.ts'

/*
 * Products of operands rounded to float16. SwiftShader does not compute in float16, so most of this runs on other drivers only
 * (scripts/lavapipe.ts); that every text compiles is tested on the null device everywhere.
 */

await useSwiftshader()

async function open(precision: MatmulPrecision, change: (own: Capabilities) => Capabilities): Promise<WgpuBackend> {
  const { device, info } = await openDevice({ precision })
  return new WgpuBackend(
    new Device(device, info, change(capabilitiesOf(device, info, precision, await matricesOf(device, info)))),
  )
}

/** Whether this driver can. */
async function can(precision: MatmulPrecision): Promise<boolean> {
  const backend = await wgpu({ precision })
  backend.dispose()
  return backend.precision === precision
}
const [hasHigh, hasMedium] = [await can('high'), await can('medium')]

/** The case with inputs that float16 holds: what is left are the errors of sums in float32. */
const exactInHalf = (c: Case): Case => ({
  ...c,
  build: (inputs) => {
    const values = inputs.values.bind(inputs)
    const rounded = (data: ArrayLike<number>) => Float64Array.from(data, (v) => Math.round(v * 1024) / 1024)
    inputs.values = (data, dtype = 'float32', shape) => values(dtype === 'float32' ? rounded(data) : data, dtype, shape)
    return c.build(inputs)
  },
})

/** Random numbers of about one, the same every time, and all different. */
const some = (length: number, seed: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length }, (_, i) => 2 * Math.sin((i + 1) * (i + seed)))

const product = (m: number, k: number, n: number) => {
  const inputs = [parameter([m, k], 'float32'), parameter([k, n], 'float32')] as const
  return { inputs, outputs: [build.matmul(...inputs)] }
}

/** The largest error of a product, in parts of the sum of the magnitudes that it adds. */
function errorOf(
  got: Float32Array,
  a: Float32Array,
  b: Float32Array,
  [m, k, n]: readonly [number, number, number],
): number {
  let worst = 0
  for (let r = 0; r < m; r++)
    for (let c = 0; c < n; c++) {
      let sum = 0
      let scale = 0
      for (let d = 0; d < k; d++) {
        const term = (a[r * k + d] as number) * (b[d * n + c] as number)
        sum += term
        scale += Math.abs(term)
      }
      worst = Math.max(worst, Math.abs((got[r * n + c] as number) - sum) / scale)
    }
  return worst
}

const same = <T>(x: T): T => x

interface Variant {
  readonly name: string
  readonly precision: MatmulPrecision
  readonly change: (own: Capabilities) => Capabilities
  /** What is compared within the bounds of float32. */
  readonly compared: (c: Case) => Case
  /** Bounds of the largest error of a product. In float32 it is about 2e-7. */
  readonly error: readonly [low: number, high: number]
}

// Two roundings of 2 ** -11 at most; on average they cancel.
const medium = { precision: 'medium', compared: exactInHalf, error: [1e-5, 2 ** -10] } as const
const little = (own: Capabilities): Capabilities => ({ ...own, maxWorkgroupBytes: 16384 })
const high = { precision: 'high', compared: same<Case>, error: [0, 2 ** -20] } as const
const variants: readonly Variant[] = [
  { ...medium, name: 'float16 by whole subgroups', change: same },
  { ...medium, name: 'float16 by whole subgroups, in little memory', change: little },
  { ...medium, name: 'float16 in registers', change: (own) => ({ ...own, matrices: [] }) },
  { ...high, name: 'two float16', change: same },
  { ...high, name: 'two float16, in little memory', change: little },
]

for (const { name, precision, change, compared, error } of variants)
  describe.skipIf(!(precision === 'high' ? hasHigh : hasMedium))(`products of ${name}`, () => {
    let backend: WgpuBackend
    beforeAll(async () => {
      backend = await open(precision, change)
    })
    afterAll(() => backend.dispose())

    for (const c of kernelCases.filter(({ name }) => /^(matmul|conv|float16)/.test(name)))
      it(c.name, async () => {
        expect(await checkCase(backend, compared(c), { relaxations: ['denormals'] })).toBeUndefined()
      }, 60_000)

    it.each([
      [64, 64, 64],
      [100, 300, 70],
      [17, 1000, 130],
    ] as const)('%i x %i x %i: errors are those of rounding', async (m, k, n) => {
      const [a, b] = [some(m * k, 7), some(k * n, 13)]
      const [got] = await evaluate(backend, product(m, k, n), [a, b])
      const found = errorOf(got as Float32Array, a, b, [m, k, n])
      expect(found).toBeGreaterThan(error[0])
      expect(found).toBeLessThan(error[1])
    })

    it('what float16 does not hold', async () => {
      const n = 64
      const given = [65504, -65519, 1 + 2 ** -12, 1e-5, -1e-8, 3e-12, 65520, -7e4, 3e38, 1 / 0, -1 / 0, Number.NaN]
      const diagonal = (values: readonly number[]) =>
        Float32Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? (values[i / (n + 1)] ?? 1) : 0))
      const [got] = await evaluate(backend, product(n, n, n), [diagonal(given), diagonal([])])
      const found = given.map((_, i) => got?.[i * (n + 1)] as number)
      if (precision === 'high') {
        for (const [i, value] of given.slice(0, 6).entries())
          expect(Math.abs((found[i] as number) - value)).toBeLessThanOrEqual(2 ** -22 * Math.abs(value) + 2 ** -36)
        expect(found.slice(6).filter(Number.isFinite)).toEqual([])
      } else {
        const small = [1, 168 * 2 ** -24, 0, 0]
        expect(found.map((v) => v + 0)).toEqual([
          65504,
          -65504,
          ...small,
          1 / 0,
          -1 / 0,
          1 / 0,
          1 / 0,
          -1 / 0,
          Number.NaN,
        ])
      }
    })
  })

it.skipIf(hasMedium)('a device without float16 computes as always, and says so', async () => {
  const data = [some(40 * 300, 3), some(300 * 50, 5)]
  const results = await Promise.all(
    (['highest', 'high', 'medium'] as const).map(async (precision) => {
      const backend = await wgpu({ precision })
      expect(backend.precision).toBe('highest')
      const result = await evaluate(backend, product(40, 300, 50), data)
      backend.dispose()
      return result
    }),
  )
  expect(results[1]).toEqual(results[0])
  expect(results[2]).toEqual(results[0])
})

it.skipIf(!hasHigh)('a driver makes the matrices that it lists, and others are not used', async () => {
  const { device, info } = await openDevice({ precision: 'high' })
  const errors: string[] = []
  device.addEventListener('uncapturederror', ({ error }) => errors.push(error.message))
  const real = await matricesOf(device, info)
  expect(real.length).toBeGreaterThan(0)
  const listed = [{ M: 24, N: 24, K: 24 }, ...real.map(({ m, n, k }) => ({ M: m, N: n, K: k }))]
  const lying = {
    subgroupMinSize: info.subgroupMinSize,
    subgroupMaxSize: 2 * info.subgroupMaxSize,
    subgroupMatrixConfigs: listed.map((c) => ({ ...c, componentType: 'f16', resultComponentType: 'f32' })),
  }
  expect(await matricesOf(device, lying)).toEqual(real)
  expect(errors).toEqual([])
  dropDevice(device)
})

describe.skipIf(!hasMedium)('elements of float16 as such', () => {
  for (const maxBindingBytes of [4096, defaultCapabilities.maxBindingBytes])
    it.each(kernelCases.filter(({ name }) => /float16/.test(name)))(
      `$name, bindings of ${maxBindingBytes} bytes`,
      async (c) => {
        const backend = await open('highest', (own) => ({ ...defaultCapabilities, f16: own.f16, maxBindingBytes }))
        expect(await checkCase(backend, c, { relaxations: ['denormals'] })).toBeUndefined()
        backend.dispose()
      },
    )
})
