import { cpu } from '@tessella/backend-cpu'
import { type Backend, build, parameter } from '@tessella/ir'
import { evaluate } from '@tessella/testing'
import { useSwiftshader } from '@tessella/testing/swiftshader'
import { wgpu } from '../../src/index.ts'
import { lossesOf } from '../support/lenet.ts'

/*
 * Prints what precisions cost in exactness on this machine's driver; on lavapipe:
 * npx pnpm@12 exec node --conditions=@tessella/source lavapipe.ts packages/backend-wgpu/test/scripts/precisions.ts
 */

const precisions = ['highest', 'high', 'medium'] as const
const say = (text: string) => process.stdout.write(`${text}\n`)

/** Normally distributed, by Box and Muller's way from a congruential generator. */
function normal(length: number, seed: number, scale = 1): Float32Array<ArrayBuffer> {
  let state = seed
  const uniform = () => {
    state = (state * 1103515245 + 12345) % 2 ** 31
    return (state + 0.5) / 2 ** 31
  }
  const radius = () => scale * Math.sqrt(-2 * Math.log(uniform()))
  return Float32Array.from({ length }, () => radius() * Math.cos(2 * Math.PI * uniform()))
}

const rms = (values: Float64Array): number => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length)

/** The error of a product of n x n, of elements of about `scale` with elements of about 1, in parts of the result. */
async function errorOf(backend: Backend, n: number, scale: number): Promise<number> {
  const [a, b] = [normal(n * n, 1, scale), normal(n * n, 2)]
  const inputs = [parameter([n, n], 'float32'), parameter([n, n], 'float32')] as const
  const [got] = await evaluate(backend, { inputs, outputs: [build.matmul(...inputs)] }, [a, b])
  const want = new Float64Array(n * n)
  for (let r = 0; r < n; r++)
    for (let d = 0; d < n; d++)
      for (let c = 0; c < n; c++) want[r * n + c] = (want[r * n + c] ?? 0) + (a[r * n + d] ?? 0) * (b[d * n + c] ?? 0)
  return rms(want.map((v, i) => v - (got?.[i] ?? 0))) / rms(want)
}

const losses = (backend: Backend): Promise<number[]> => lossesOf(backend, 32, 50, 10)

await useSwiftshader()
const expected = await losses(cpu())
for (const precision of precisions) {
  const backend = await wgpu({ precision })
  const errors: string[] = []
  for (const [n, scale] of [
    [512, 1],
    [256, 1e-4],
    [256, 1e-6],
  ] as const)
    errors.push(`${(await errorOf(backend, n, scale)).toExponential(1)} (${n}, ${scale})`)
  say(`${precision} on ${backend.adapter}, in use: ${backend.precision}`)
  say(`  error of a product, by its size and the elements of one operand: ${errors.join(', ')}`)
  const worst = (await losses(backend)).map((loss, i) => Math.abs(loss / (expected[i] ?? 0) - 1))
  say(`  50 steps of LeNet with Adam: losses differ from the CPU's by at most ${Math.max(...worst).toExponential(1)}`)
}
