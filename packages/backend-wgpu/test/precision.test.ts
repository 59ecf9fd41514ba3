import { build, parameter } from '@tessella/ir'
import { evaluate } from '@tessella/testing'
import { type Case, checkCase } from '@tessella/testing/conformance'
import { useSwiftshader } from '@tessella/testing/swiftshader'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WgpuBackend } from '../src/backend.ts'
import { type Capabilities, capabilitiesOf } from '../src/device/capabilities.ts'
import { Device } from '../src/device/device.ts'
import { openDevice } from '../src/device/open.ts'
import { wgpu } from '../src/index.ts'
import { kernelCases } from './support/kernelCases.ts'

/*
 * Products of operands rounded to float16. SwiftShader does not compute in float16, so most of this runs on other drivers only
 * (scripts/lavapipe.ts); that every text compiles is tested on the null device everywhere.
 */

await useSwiftshader()

async function openMedium(change: (own: Capabilities) => Capabilities = (own) => own): Promise<WgpuBackend> {
  const { device, info } = await openDevice({ precision: 'medium' })
  return new WgpuBackend(new Device(device, info, change(capabilitiesOf(device, info, 'medium'))))
}

const hasHalf = await (async () => {
  const backend = await wgpu({ precision: 'medium' })
  backend.dispose()
  return backend.precision === 'medium'
})()

/** The case with inputs that float16 holds: what is left are the errors of sums in float32. */
const exactInHalf = (c: Case): Case => ({
  ...c,
  build: (inputs) => {
    const values = inputs.values.bind(inputs)
    inputs.values = (data, dtype, shape) =>
      values(
        Float64Array.from(data, (v) => Math.round(v * 1024) / 1024),
        dtype,
        shape,
      )
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

const variants: { readonly [name: string]: (own: Capabilities) => Capabilities } = {
  'by whole subgroups': (c) => c,
  'by whole subgroups, in little memory': (c) => ({ ...c, maxWorkgroupBytes: 16384 }),
  'in registers': (c) => ({ ...c, matrices: [] }),
}

for (const [name, change] of Object.entries(variants))
  describe.skipIf(!hasHalf)(`products of float16 ${name}`, () => {
    let backend: WgpuBackend
    beforeAll(async () => {
      backend = await openMedium(change)
    })
    afterAll(() => backend.dispose())

    for (const c of kernelCases.filter(({ name }) => /^(matmul|conv)/.test(name)))
      it(c.name, async () => {
        expect(await checkCase(backend, exactInHalf(c), { relaxations: ['denormals'] })).toBeUndefined()
      }, 60_000)

    it.each([
      [64, 64, 64],
      [100, 300, 70],
      [17, 1000, 130],
    ] as const)('%i x %i x %i: errors are those of rounding to eleven bits', async (m, k, n) => {
      const [a, b] = [some(m * k, 7), some(k * n, 13)]
      const [got] = await evaluate(backend, product(m, k, n), [a, b])
      const error = errorOf(got as Float32Array, a, b, [m, k, n])
      // Two roundings of 2 ** -11 at most; on average they cancel. In float32 it would be 1e-6.
      expect(error).toBeLessThan(2 ** -10)
      expect(error).toBeGreaterThan(1e-5)
    })

    it('what float16 does not hold', async () => {
      const n = 64
      const cases: readonly (readonly [number, number])[] = [
        [65504, 65504],
        [-65519, -65504],
        [65520, Number.POSITIVE_INFINITY],
        [-70000, Number.NEGATIVE_INFINITY],
        [3e38, Number.POSITIVE_INFINITY],
        [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
        [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
        [Number.NaN, Number.NaN],
        [1e-8, 0],
        [-1e-40, 0],
        [1 + 2 ** -12, 1],
      ]
      const diagonal = (values: readonly number[]) =>
        Float32Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? (values[i / (n + 1)] ?? 1) : 0))
      const a = diagonal(cases.map(([given]) => given))
      const [got] = await evaluate(backend, product(n, n, n), [a, diagonal([])])
      for (const [i, [given, want]] of cases.entries())
        expect(Math.abs(want) === 0 ? Math.abs(got?.[i * (n + 1)] ?? 1) : got?.[i * (n + 1)], `of ${given}`).toBe(want)
    })
  })

it('a device without float16 computes as always, and says so', async () => {
  const [asked, plain] = [await openMedium((c) => ({ ...c, f16: false, precision: 'highest' })), await wgpu()]
  const data = [some(40 * 300, 3), some(300 * 50, 5)]
  const [a, b] = [asked, plain].map((backend) => evaluate(backend, product(40, 300, 50), data))
  expect(await a).toEqual(await b)
  expect(asked.precision).toBe('highest')
  asked.dispose()
  plain.dispose()
})
