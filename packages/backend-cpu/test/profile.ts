/*
 * Where the time of a training step goes, kernel by kernel, as a share of what multiply-adds could do:
 *
 *   node --conditions=@tessella/source packages/backend-cpu/test/profile.ts [lenet|mlp|all] [batch,...] [--wide] [--json]
 */
import { parseArgs } from 'node:util'
import { type Kernel, type Program, printProgram } from '@tessella/compiler'
import { byteWidth, sizeOf } from '@tessella/ir'
import { sgd } from '@tessella/optimizers'
import type { Tensor } from '@tessella/tensor'
import { Heap } from '../src/heap.ts'
import { prepared } from '../src/kernels/prepare.ts'
import { buildModule } from '../src/module.ts'
import { probeFeatures } from '../src/wasm/features.ts'
import { type NetworkName, training } from './support/lectures.ts'
import { Recorder } from './support/recorder.ts'

const { positionals, values: flags } = parseArgs({
  allowPositionals: true,
  options: { wide: { type: 'boolean', default: false }, print: { type: 'boolean', default: false } },
})
const [which = 'all', sizes = '64,1000'] = positionals

const fastest = (xs: readonly number[]): number =>
  xs.toSorted((a, b) => a - b)[Math.floor(xs.length / 10)] ?? Number.NaN

/** Milliseconds that calls of some work take. */
class Stopwatch {
  readonly #walls: number[] = []
  #processor = 0

  time(work: () => void): void {
    const before = process.threadCpuUsage()
    const start = performance.now()
    work()
    this.#walls.push(performance.now() - start)
    const { user, system } = process.threadCpuUsage(before)
    this.#processor += (user + system) / 1000
  }

  /** Others' work on the machine only adds: the fastest tenth, or the processor's time (in ticks) for longer work. */
  get result(): number {
    const fast = fastest(this.#walls)
    return fast > 4 ? Math.min(this.#processor / this.#walls.length, fast) : fast
  }
}

/** Multiplies and adds of a kernel. */
function flopsOf(kernel: Kernel): number {
  switch (kernel.kind) {
    case 'matmul':
      return 2 * sizeOf(kernel.domain) * kernel.k
    case 'conv':
      return 2 * sizeOf(kernel.domain) * sizeOf(kernel.b.shape.slice(1))
    case 'convGradInput':
      return 2 * sizeOf(kernel.a.shape) * sizeOf(kernel.b.shape.slice(1))
    case 'convGradWeight':
      return 2 * sizeOf(kernel.b.shape) * sizeOf(kernel.domain.slice(1))
    default:
      return 0
  }
}

function nameOf(kernel: Kernel): string {
  if ('domain' in kernel) {
    const inner = 'inner' in kernel ? `/${kernel.inner}` : 'k' in kernel ? ` k=${kernel.k}` : ''
    return `${kernel.kind} [${kernel.domain}${inner}]`
  }
  return kernel.kind
}

/**
 * Times of the kernels of a program, each a module of its own, run in order over one memory, and of the
 * program.
 */
function profile(program: Program, wide: boolean, milliseconds: number): number[] {
  const heap = new Heap()
  const features = { ...probeFeatures(), wide }
  const scratch = 64 * 1024 * 1024
  const arena = heap.allocate(program.temporaryBytes + 64).block.address
  const scratchAt = heap.allocate(scratch).block.address
  const homes = program.buffers.map(({ dtype, length, place }) => {
    if (place.kind === 'temporary') return arena + place.offset
    const { address } = heap.allocate(length * byteWidth(dtype)).block
    for (let i = 0; i < length; i++)
      if (dtype === 'float32') new Float32Array(heap.memory.bytes.buffer, address, length)[i] = Math.sin(i * 7.1) * 0.05
      else heap.memory.bytes[address + i * byteWidth(dtype)] = length < 5000 ? i % 10 : (i * 97) % 256
    return address
  })
  const parts = [...program.kernels.map((kernel) => [kernel]), program.kernels]
  const runs = parts.map((kernels) => {
    const table = heap.allocate(4 * (homes.length + 1)).block.address
    const { bytes, scratchBytes, temporaries } = buildModule(
      { ...program, kernels },
      { features, constants: heap.constants, pointers: table },
    )
    if (scratchBytes > scratch) throw new Error(`a kernel needs ${scratchBytes} bytes of scratch`)
    const words = heap.memory.words
    for (const [i, home] of [...homes, scratchAt].entries()) words[table / 4 + i] = home
    if (kernels === program.kernels)
      for (const [buffer, offset] of temporaries.offsets) words[table / 4 + buffer] = arena + offset
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory: heap.memory.memory } })
    return instance.exports['run'] as () => void
  })
  const watches = runs.map(() => new Stopwatch())
  const end = performance.now() + milliseconds
  for (let round = 0; round < 20 || performance.now() < end; round++)
    for (const [i, run] of runs.entries()) {
      if (round < 10) run()
      else watches[i]?.time(run)
    }
  return watches.map((w) => w.result)
}

/** GFLOP/s of a product that fits the caches: the measured peak of multiply-adds. */
function peakOf(wide: boolean): number {
  const n = 192
  const strides = { batchStrides: [], offset: 0, rowStride: n, colStride: 1 }
  const result = { kind: 'result', dtype: 'float32', index: 0 } as const
  const kernel: Kernel = {
    kind: 'matmul',
    domain: [n, n],
    k: n,
    dtype: 'float32',
    a: { ...strides, buffer: 0 },
    b: { ...strides, buffer: 1 },
    writes: [{ buffer: 2, at: { offset: 0, strides: [n, 1] }, value: result }],
  }
  const [time = 0] = profile(
    {
      buffers: [0, 1, 2].map((index) => ({ dtype: 'float32', length: n * n, place: { kind: 'input', index } })),
      kernels: [kernel],
      inputs: [0, 1, 2],
      outputs: [],
      temporaryBytes: 0,
    },
    wide,
    300,
  )
  return (2 * n ** 3) / time / 1e6
}

async function measure(name: NetworkName, batch: number): Promise<void> {
  const backend = new Recorder({ threads: 1, wide: flags.wide })
  const { step } = await training(backend, name, sgd(0.1), batch)
  const began = performance.now()
  await step().item()
  const first = performance.now() - began
  const watch = new Stopwatch()
  const end = performance.now() + 1500
  while (performance.now() < end) {
    let loss: Tensor | undefined
    watch.time(() => {
      loss = step()
    })
    await loss?.item()
  }
  const program = prepared(backend.largest.program)
  if (flags.print) console.log(printProgram(program))
  const kernels = profile(program, backend.wide, 2000)
  const together = kernels.pop() as number
  const total = kernels.reduce((a, b) => a + b, 0)
  const whole = watch.result
  const peak = peakOf(backend.wide)
  const rate = (ms: number): string => `${(batch / ms).toFixed(1)}k images/s`
  const line = (label: string, ms: number, flops: number): void => {
    const speed = flops > 0 ? flops / ms / 1e6 : 0
    const share = flops > 0 ? `${speed.toFixed(0).padStart(6)} ${((100 * speed) / peak).toFixed(0).padStart(4)}%` : ''
    const us = (1000 * ms).toFixed(1).padStart(9)
    console.log(`${label.padEnd(44)} ${us} ${((100 * ms) / whole).toFixed(1).padStart(5)}% ${share}`)
  }
  console.log(
    `\n${name} b${batch}${backend.wide ? ' wide' : ''}: ${rate(whole)} as a compiled step, program alone ${rate(together)}, its kernels one by one ${rate(total)}; first step ${first.toFixed(1)} ms, peak ${peak.toFixed(0)} GFLOP/s`,
  )
  console.log(`${'kernel'.padEnd(44)} ${'us'.padStart(9)}  step  GFLOP/s of peak`)
  for (const [i, kernel] of program.kernels.entries())
    line(`${i}. ${nameOf(kernel)}`, kernels[i] as number, flopsOf(kernel))
  line('outside of the program', whole - together, 0)
  line(
    'all',
    whole,
    program.kernels.reduce((sum, k) => sum + flopsOf(k), 0),
  )
}

for (const name of ['lenet', 'mlp'] as const)
  for (const batch of sizes.split(',')) if (which === 'all' || which === name) await measure(name, Number(batch))
