import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { flopsPerIteration, peakModule, type Width } from './peakModule.ts'

/** What one process can measure. */
export interface CpuCeilings {
  readonly fma: number
  readonly fmaAll: number
  readonly copy: number
}

const mebi = 2 ** 20
const copied = 64 * mebi
const pageBytes = 65536

interface Kernels {
  fma(iterations: number): void
  copy(to: number, from: number, bytes: number): void
}

const kernels = (width: Width, bytes: number): Kernels =>
  new WebAssembly.Instance(peakModule(width, bytes / pageBytes)).exports as unknown as Kernels

/** On a busy machine a short time box holds too few rounds. */
const leastRounds = 20

/** The best rate of `work` per second in a time box: a ceiling is what was reached once. */
function best(seconds: number, amount: number, work: () => void): number {
  const end = performance.now() + seconds * 1000
  let rate = 0
  for (let round = 0; round < leastRounds || performance.now() < end; round++) {
    const start = performance.now()
    work()
    rate = Math.max(rate, amount / ((performance.now() - start) / 1000))
  }
  return rate
}

/** GFLOP/s of one core, in rounds of about a millisecond; the engine compiles it for good during the first ones. */
function fmaPeak(width: Width, seconds: number): number {
  const { fma } = kernels(width, pageBytes)
  const iterations = 500_000
  return best(seconds, (iterations * flopsPerIteration(width)) / 1e9, () => fma(iterations))
}

function copyPeak(seconds: number): number {
  const { copy } = kernels('narrow', 2 * copied)
  return best(seconds, (2 * copied) / 1e9, () => copy(copied, 0, copied))
}

/** The sum over one thread per core, all at the same time. */
async function fmaAllCores(width: Width, seconds: number): Promise<number> {
  const options = { argv: [width, String(seconds)] }
  const start = (): Worker => new Worker(fileURLToPath(import.meta.url), options)
  const workers = Array.from({ length: availableParallelism() }, start)
  const next = (worker: Worker): Promise<number> =>
    new Promise((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
  try {
    // They say that they are there, and begin together.
    await Promise.all(workers.map(next))
    const rates = workers.map(next)
    for (const worker of workers) worker.postMessage(null)
    return (await Promise.all(rates)).reduce((a, b) => a + b, 0)
  } finally {
    for (const w of workers) void w.terminate()
  }
}

const width: Width = process.argv[2] === 'wide' ? 'wide' : 'narrow'
const seconds = Number(process.argv[3])

if (!isMainThread) {
  parentPort?.on('message', () => parentPort?.postMessage(fmaPeak(width, seconds)))
  parentPort?.postMessage(null)
} else {
  // Before the first kernel is compiled; threads share it.
  if (width === 'wide') setFlagsFromString('--experimental-wasm-revectorize')
  const fma = fmaPeak(width, seconds)
  const copy = width === 'wide' ? 0 : copyPeak(seconds)
  process.send?.({ fma, copy, fmaAll: await fmaAllCores(width, seconds) } satisfies CpuCeilings)
}
