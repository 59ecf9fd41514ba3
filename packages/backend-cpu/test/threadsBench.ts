/*
 * Not a test: what two threads bring, as ratios of interleaved rounds. On Linux it says which rounds nobody disturbed.
 *   node --conditions=@tessella/source test/threadsBench.ts [pattern of names] [seconds per case] [always]
 */
import { readdirSync, readFileSync } from 'node:fs'
import { build, type Node, parameter } from '@tessella/ir'
import { adam, sgd, type Transform } from '@tessella/optimizers'
import { useBackend } from '@tessella/tensor'
import { CpuBackend } from '../src/backend.ts'
import { type NetworkName, training } from './support/lectures.ts'

const pattern = new RegExp(process.argv[2] ?? '.')
const milliseconds = 1000 * Number(process.argv[3] ?? 6)
const always = process.argv[4] === 'always'

type Once = () => Promise<void>
/** A training step, the loss read each time. */
const step = (name: NetworkName, n: number, transform: Transform) => async (backend: CpuBackend) => {
  const { step: train } = await training(backend, name, transform, n)
  return async (): Promise<void> => {
    await useBackend(backend)
    await train().item()
  }
}

const graph =
  (shapes: readonly (readonly number[])[], make: (...inputs: [Node, Node]) => Node) => async (backend: CpuBackend) => {
    const inputs = shapes.map((s) => parameter(s, 'float32'))
    const program = backend.prepare({ inputs, outputs: [make(...(inputs as [Node, Node]))] })
    const buffers = shapes.map((s) => {
      const length = s.reduce((a, b) => a * b, 1)
      return backend.upload(
        Float32Array.from({ length }, (_, i) => ((i * 7919) % 97) / 97),
        'float32',
      )
    })
    return async (): Promise<void> => {
      for (const b of program.run(buffers, [false, false])) backend.release(b)
    }
  }

const many = 2 ** 24
const cases: readonly (readonly [string, number, (backend: CpuBackend) => Promise<Once>])[] = [
  ['lenet sgd b64', 4, step('lenet', 64, sgd(0.1))],
  ['lenet sgd b1000', 1, step('lenet', 1000, sgd(0.1))],
  ['lenet adam b64', 4, step('lenet', 64, adam(1e-3))],
  ['mlp sgd b64', 10, step('mlp', 64, sgd(0.1))],
  ['mlp sgd b1000', 2, step('mlp', 1000, sgd(0.1))],
  [
    'matmul 1024',
    1,
    graph(
      [1, 2].map(() => [1024, 1024]),
      (a, b) => build.matmul(a, b),
    ),
  ],
  [
    'matmul 64x784x120',
    20,
    graph(
      [
        [64, 784],
        [784, 120],
      ],
      (a, b) => build.matmul(a, b),
    ),
  ],
  ['exp 16M', 1, graph([[many]], (x) => build.unary('exp', x))],
  ['add 16M', 1, graph([[many], [many]], (a, b) => build.add(a, b))],
  ['sum 16M', 2, graph([[many]], (x) => build.reduce('sum', x, [0]))],
]

/** Nanoseconds that this process's threads have waited for a processor. */
function waited(): number {
  return readdirSync('/proc/self/task').reduce((sum, task) => {
    try {
      return sum + Number(readFileSync(`/proc/self/task/${task}/schedstat`, 'utf8').split(' ')[1])
    } catch {
      return sum
    }
  }, 0)
}

const median = (xs: readonly number[]): number => xs.toSorted((a, b) => a - b)[xs.length >> 1] ?? Number.NaN

for (const [name, repeats, make] of cases) {
  if (!pattern.test(name)) continue
  const runs: { once: Once; all: number[]; quiet: number[] }[] = []
  for (const threads of [1, 2]) {
    const backend = new CpuBackend({ threads }, { always })
    await backend.startThreads()
    runs.push({ once: await make(backend), all: [], quiet: [] })
  }
  for (const { once } of runs) for (let i = 0; i < 4 + repeats; i++) await once()
  const end = performance.now() + milliseconds
  const ratios: number[] = []
  while (performance.now() < end) {
    const [alone = 0, together = 0] = [await round(runs[0]), await round(runs[1])]
    ratios.push(alone / together)
  }
  const [a, b] = [median(runs[0]?.quiet ?? []), median(runs[1]?.quiet ?? [])]
  const [c, d] = [median(runs[0]?.all ?? []), median(runs[1]?.all ?? [])]
  const quiet = `${a.toFixed(3)} ${b.toFixed(3)} = ${(a / b).toFixed(2)} (${runs.map((r) => r.quiet.length).join(' and ')})`
  console.log(
    `${name.padEnd(18)} ms alone, together: all ${c.toFixed(3)} ${d.toFixed(3)}, ratio ${median(ratios).toFixed(2)} (${ratios.length}); undisturbed ${quiet}`,
  )

  async function round(run: (typeof runs)[number] | undefined): Promise<number> {
    if (!run) return Number.NaN
    const before = waited()
    const start = performance.now()
    for (let i = 0; i < repeats; i++) await run.once()
    const took = performance.now() - start
    run.all.push(took / repeats)
    if ((waited() - before) / 1e6 < 0.03 * took) run.quiet.push(took / repeats)
    return took
  }
}
process.exit()
