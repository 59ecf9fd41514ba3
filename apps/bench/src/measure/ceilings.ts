import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import type { Ceilings } from '../contract.ts'
import { flopsPerIteration, peakModule } from './peakModule.ts'

const mebi = 2 ** 20
const copied = 64 * mebi
const pageBytes = 65536

interface Kernels {
  fma(iterations: number): void
  copy(to: number, from: number, bytes: number): void
}

const kernels = (bytes: number): Kernels =>
  new WebAssembly.Instance(peakModule(bytes / pageBytes)).exports as unknown as Kernels

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
function fmaPeak(seconds: number): number {
  const { fma } = kernels(pageBytes)
  const iterations = 500_000
  return best(seconds, (iterations * flopsPerIteration) / 1e9, () => fma(iterations))
}

function copyPeak(seconds: number): number {
  const { copy } = kernels(2 * copied)
  return best(seconds, (2 * copied) / 1e9, () => copy(copied, 0, copied))
}

/** The sum over one thread per core, all at the same time. */
async function fmaAllCores(seconds: number): Promise<number> {
  const workers = Array.from({ length: availableParallelism() }, () => new Worker(fileURLToPath(import.meta.url)))
  const once = (worker: Worker, send?: number): Promise<number> =>
    new Promise((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
      if (send !== undefined) worker.postMessage(send)
    })
  try {
    await Promise.all(workers.map((w) => once(w)))
    const rates = await Promise.all(workers.map((w) => once(w, seconds)))
    return rates.reduce((a, b) => a + b, 0)
  } finally {
    for (const w of workers) void w.terminate()
  }
}

/** Measures what the machine can do at most; undefined on an engine without relaxed SIMD. */
export async function measureCeilings(seconds: number): Promise<Ceilings | undefined> {
  try {
    return { fma: fmaPeak(seconds), copy: copyPeak(seconds), fmaAll: await fmaAllCores(seconds) }
  } catch (error) {
    if (error instanceof WebAssembly.CompileError) return undefined
    throw error
  }
}

if (!isMainThread && parentPort) {
  const port = parentPort
  port.on('message', (seconds: number) => port.postMessage(fmaPeak(seconds)))
  port.postMessage(0)
}
