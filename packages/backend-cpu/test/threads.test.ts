import { spawnSync } from 'node:child_process'
import { grad, valueAndGrad } from '@tessella/autograd'
import type { Program } from '@tessella/compiler'
import { BackendError, build, type DeviceBuffer, parameter } from '@tessella/ir'
import { conv2d, flatten, linear, maxPool2d, relu, sequential } from '@tessella/layers'
import { crossEntropy } from '@tessella/losses'
import { adam, optimizer } from '@tessella/optimizers'
import {
  compile,
  conv2d as convolve,
  disposeBackend,
  key,
  normal,
  randint,
  type Tensor,
  tensor,
  useBackend,
} from '@tessella/tensor'
import { compareOnRandomGraphs } from '@tessella/testing'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { cpu } from '../src/index.ts'
import { Choice } from '../src/threads/choice.ts'
import { chunkBits, control, ticketBytes } from '../src/threads/control.ts'
import { eagerBackend, threadTwins } from './support/threads.ts'

describe('the number of threads does not change a bit', () => {
  it.each([2, 3])('of random graphs (%d threads)', async (threads) => {
    const { twins, many } = await threadTwins(threads)
    await compareOnRandomGraphs(twins, { count: 60, seed: threads })
    expect(many.helped).toBeGreaterThan(0)
    twins.dispose()
  })

  it('of a training step', async () => {
    const { twins, many } = await threadTwins(2)
    await useBackend(twins)
    const layers = [conv2d(1, 6, 5), relu(), maxPool2d(2), conv2d(6, 16, 5), relu(), maxPool2d(2), flatten()] as const
    const model = sequential(...layers, linear(256, 120), relu(), linear(120, 84), relu(), linear(84, 10))
    const opt = optimizer(adam(1e-3), model)
    const step = compile((images: Tensor<[64, 1, 28, 28]>, labels: Tensor<[64], 'int32'>) => {
      const [loss, grads] = valueAndGrad(() => crossEntropy(model(images.div(255)), labels), model)
      opt.update(grads)
      return loss
    })
    const losses: number[] = []
    for (let i = 0; i < 6; i++) {
      const images = randint(key(i), [64, 1, 28, 28], 0, 256).cast('float32')
      losses.push(await step(images, randint(key(100 + i), [64], 0, 10)).item())
    }
    expect(new Set(losses).size).toBe(6)
    expect(many.helped).toBeGreaterThan(0)
    disposeBackend()
  })
})

describe('convolutions by Winograd', () => {
  it.each([2, 3])('and their gradients have the same bits with %d threads', async (threads) => {
    const { twins, many } = await threadTwins(threads)
    await useBackend(twins)
    const gradients = grad((x: Tensor, w: Tensor) => convolution(x, w).square().sum() as Tensor<[], 'float32'>, [0, 1])
    const convolution = (x: Tensor, w: Tensor): Tensor => convolve(x, w, { padding: 1 }) as Tensor
    for (const [n, c, size] of [
      [3, 32, 21],
      [17, 24, 8],
      [1, 16, 30],
    ] as const) {
      const x = normal(key(n), [n, c, size, size]) as Tensor
      const w = normal(key(c), [c + 5, c, 3, 3]) as Tensor
      for (const value of [convolution(x, w), ...(gradients(x, w) as readonly Tensor[])])
        expect((await value.data()).every(Number.isFinite)).toBe(true)
    }
    expect(many.helped).toBeGreaterThan(0)
    disposeBackend()
  })
})

describe('products of a few rows', () => {
  it.each([2, 3])('have the same bits with %d threads', async (threads) => {
    const { twins, many } = await threadTwins(threads)
    await useBackend(twins)
    for (const [m, k, n] of [
      [1, 300, 500],
      [4, 257, 1031],
      [2, 40, 9000],
      [3, 1000, 200],
    ] as const) {
      const x = normal(key(m), [m, k]) as Tensor
      const helped = many.helped
      for (const product of [
        x.matmul(normal(key(k), [k, n]) as Tensor),
        x.matmul((normal(key(n), [n, k]) as Tensor).transpose(0, 1) as Tensor),
      ])
        expect((await (product as Tensor).relu().data()).some((v) => v > 0)).toBe(true)
      expect(many.helped).toBeGreaterThan(helped)
    }
    disposeBackend()
  })
})

describe('the place of an extreme along one long axis', () => {
  it.each([2, 3])('is the same with %d threads, the first of equals, and NaN before all', async (threads) => {
    const { twins, many } = await threadTwins(threads)
    await useBackend(twins)
    const data = Float32Array.from({ length: 200_003 }, (_, i) => (i * 7919) % 1000)
    const find = async (x: Float32Array) => {
      const t = tensor(x, [x.length]) as Tensor
      return [await (t.argmax(0) as Tensor).item(), await (t.argmin(0) as Tensor).item()]
    }
    expect(await find(data)).toEqual([data.indexOf(999), data.indexOf(0)])
    data[150_000] = data[199_999] = Number.NaN
    expect(await find(data)).toEqual([150_000, 150_000])
    expect(await find(new Float32Array(100_000))).toEqual([0, 0])
    expect(many.helped).toBeGreaterThan(0)
    disposeBackend()
  })
})

/** Programs whose kernel reads far beyond the memory. */
const trapping = (length: number): Program => ({
  buffers: [
    { dtype: 'float32', length: 16, place: { kind: 'input', index: 0 } },
    { dtype: 'float32', length: 64 * 16, place: { kind: 'output', index: 0, reuses: undefined } },
  ],
  kernels: [
    {
      kind: 'map',
      domain: [64, 16],
      writes: [
        {
          buffer: 1,
          at: { offset: 0, strides: [16, 1] },
          value: { kind: 'load', dtype: 'float32', buffer: 0, at: { offset: 0, strides: [length, 0] } },
        },
      ],
    },
  ],
  inputs: [0],
  outputs: [1],
  temporaryBytes: 0,
})

describe('workers', () => {
  it('turn a trap into an error, and the backend goes on', async () => {
    const backend = await eagerBackend(2)
    const x = backend.upload(new Float32Array(16).fill(3), 'float32')
    const bad = backend.prepareProgram(trapping(2 ** 22))
    const good = backend.prepareProgram(trapping(0))
    for (let i = 0; i < 20; i++) {
      let thrown: unknown
      try {
        bad.run([x], [false])
      } catch (error) {
        thrown = error
      }
      expect(thrown).toBeInstanceOf(BackendError)
      expect((thrown as BackendError).code).toBe('lost')
      const [y] = good.run([x], [false])
      expect(new Set(await backend.read(y as DeviceBuffer, 'float32'))).toEqual(new Set([3]))
      backend.release(y as DeviceBuffer)
    }
    backend.dispose()
  })

  it('compute right while programs come and go and the memory grows', async () => {
    const backend = await eagerBackend(4)
    for (let n = 1; n < 120; n++) {
      const x = parameter([n, 100], 'float32')
      const program = backend.prepare({ inputs: [x], outputs: [build.scale(x, 2), build.reduce('sum', x, [1])] })
      const data = Float32Array.from({ length: n * 100 }, (_, i) => i % 13)
      const input = backend.upload(data, 'float32')
      const big = n % 40 === 0 ? backend.upload(new Float32Array(2 ** 23), 'float32') : undefined
      for (let i = 0; i < 4; i++) {
        const [doubled, sums] = program.run([input], [false]) as [DeviceBuffer, DeviceBuffer]
        expect(await backend.read(doubled, 'float32')).toEqual(data.map((v) => 2 * v))
        const rows = Float32Array.from({ length: n }, (_, r) =>
          data.slice(r * 100, r * 100 + 100).reduce((a, b) => a + b),
        )
        expect(await backend.read(sums, 'float32')).toEqual(rows)
        for (const b of [doubled, sums]) backend.release(b)
      }
      program.dispose()
      for (const b of big ? [input, big] : [input]) backend.release(b)
    }
    expect(backend.helped).toBeGreaterThan(0)
    backend.dispose()
  })

  it('are not started by small work, nor by making backends', async () => {
    const backends = Array.from({ length: 200 }, () => cpu({ threads: 4 }))
    const x = parameter([100], 'float32')
    for (const b of backends) {
      const program = b.prepare({ inputs: [x], outputs: [build.neg(x)] })
      for (const out of program.run([b.upload(new Float32Array(100), 'float32')], [true])) b.release(out)
      expect(b.workers).toBe(0)
      b.dispose()
    }
  })
})

describe('a place without shared memory', () => {
  afterEach(() => {
    vi.unstubAllGlobals()
  })

  it.each([
    ['SharedArrayBuffer is missing', 'SharedArrayBuffer', undefined],
    ['the page is not isolated', 'crossOriginIsolated', false],
  ])('has one thread: %s', async (_, name, value) => {
    vi.stubGlobal(name, value)
    const backend = cpu({ threads: 4 })
    expect(backend.threads).toBe(1)
    const x = parameter([4], 'float32')
    const [y] = backend
      .prepare({ inputs: [x], outputs: [build.neg(x)] })
      .run([backend.upload(Float32Array.of(1, 2, 3, 4), 'float32')], [true])
    expect([...(await backend.read(y as DeviceBuffer, 'float32'))]).toEqual([-1, -2, -3, -4])
  })
})

/** Runs a program in a process of its own; answers its output and how it ended. */
function child(lines: readonly string[]): { text: string; status: number | null } {
  const source = [
    `import { CpuBackend } from ${JSON.stringify(new URL('../src/backend.ts', import.meta.url).href)}`,
    `import { build, parameter } from '@tessella/ir'`,
    'const x = parameter([512, 512], "float32")',
    'const multiply = (b) => {',
    '  const program = b.prepare({ inputs: [x], outputs: [build.matmul(x, x)] })',
    '  const input = b.upload(new Float32Array(2 ** 18).fill(1), "float32")',
    '  return () => { for (const out of program.run([input], [false])) b.release(out) }',
    '}',
    ...lines,
  ].join('\n')
  const args = ['--conditions=@tessella/source', '--input-type=module', '-e', source]
  const ended = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 30_000, cwd: import.meta.dirname })
  return { text: `${ended.stdout}${ended.stderr}`, status: ended.status }
}

describe('a process', { timeout: 60_000 }, () => {
  it('ends by itself with workers that sleep, and with workers at work', () => {
    const start = 'const b = new CpuBackend({ threads: 3 }, { always: true }); const run = multiply(b); run(); run()'
    const finished = child([start, 'await b.startThreads(); run(); console.log(b.workers)'])
    expect(finished).toEqual({ text: '2\n', status: 0 })
    expect(child([start, 'await b.startThreads(); run(); process.exit(7)'])).toEqual({ text: '', status: 7 })
    expect(child([start, 'process.exit(8)'])).toEqual({ text: '', status: 8 })
  })

  it('ends after dispose and with backends that nobody disposed', () => {
    const many = child([
      'for (let i = 0; i < 6; i++) {',
      '  const b = new CpuBackend({ threads: 2 }, { always: true })',
      '  multiply(b)()',
      '  await b.startThreads()',
      '  if (i % 2) b.dispose()',
      '}',
      'console.log("done")',
    ])
    expect(many).toEqual({ text: 'done\n', status: 0 })
  })

  it('hears of a worker that died with a part of a kernel, and goes on alone', () => {
    const claims = [
      `const ticket = new BigInt64Array(memory.buffer, base + ${control.tickets} + thread * ${ticketBytes}, 1)`,
      'const seen = Atomics.load(ticket, 0)',
      `const taken = (seen & ${2 ** chunkBits - 1}n) !== 0n && Atomics.compareExchange(ticket, 0, seen, seen - 1n) === seen`,
      'if (taken) process.exit(3)',
      'return 0',
    ].join('; ')
    const bereft = child([
      'const wt = process.getBuiltinModule("node:worker_threads")',
      'const { Worker } = wt',
      `const dies = (source) => source.replace('return run(thread)', ${JSON.stringify(claims)})`,
      'wt.Worker = class { constructor(source, options) { return new Worker(dies(source), options) } }',
      'const b = new CpuBackend({ threads: 2 }, { always: true, patience: 200 })',
      'const run = multiply(b); await b.startThreads()',
      'for (let i = 0; i < 1000; i++) try { run() } catch (e) { console.log(e.name, e.code, e.message.slice(0, 45)); break }',
      'run(); await new Promise((next) => setTimeout(next, 50)); run()',
      'console.log("done", b.workers, b.memory().buffers)',
    ])
    expect(bereft.text).toMatch(/BackendError lost .*a worker thread ended/)
    expect(bereft.text).toContain('done 0 1')
    expect(bereft.status).toBe(0)
  })

  it('goes on alone where workers are forbidden', () => {
    const lonely = child([
      'const wt = process.getBuiltinModule("node:worker_threads")',
      'wt.Worker = class { constructor() { throw new Error("no workers here") } }',
      'const b = new CpuBackend({ threads: 2 })',
      'const run = multiply(b); run(); run()',
      'console.log("done", b.workers)',
    ])
    expect(lonely.text).toContain('done 0')
    expect(lonely.text).toContain('fewer threads than asked for')
    expect(lonely.status).toBe(0)
  })
})

describe('the choice between alone and together', () => {
  /** Runs with times that depend on the way; answers the share of runs together, and the time against the better way. */
  const simulate = (alone: number, together: number) => {
    const choice = new Choice(false)
    let [time, shared] = [0, 0]
    const runs = 2000
    for (let i = 0; i < runs; i++) {
      const way = choice.together
      const took = way ? together : alone
      time += took
      shared += way ? 1 : 0
      choice.took(took)
    }
    return { shared: shared / runs, loss: time / runs / Math.min(alone, together) }
  }

  it.each([
    [2, 1],
    [1, 1.3],
    [1, 2],
    [1, 10],
    [1.1, 1],
  ])('costs little whichever is faster: alone %d, together %d', (alone, together) => {
    const { shared, loss } = simulate(alone, together)
    expect(loss).toBeLessThan(1.12)
    if (together < alone) expect(shared).toBeGreaterThan(0.9)
    else expect(shared).toBeLessThan(0.2)
  })

  it('is together again soon after a disturbance', () => {
    const choice = new Choice(false)
    const run = (together: number, runs: number): number => {
      let shared = 0
      for (let i = 0; i < runs; i++) {
        if (choice.together) shared++
        choice.took(choice.together ? together : 2)
      }
      return shared
    }
    run(1.1, 400)
    run(4, 200)
    run(1.1, 35)
    expect(run(1.1, 100)).toBeGreaterThan(70)
  })

  it('changes its mind when times change', () => {
    const choice = new Choice(false)
    const run = (alone: number, together: number, runs: number) => {
      for (let i = 0; i < runs; i++) choice.took(choice.together ? together : alone)
      let shared = 0
      for (let i = 0; i < 100; i++) {
        if (choice.together) shared++
        choice.took(choice.together ? together : alone)
      }
      return shared
    }
    expect(run(2, 1, 400)).toBeGreaterThan(90)
    expect(run(1, 3, 400)).toBeLessThan(30)
    expect(run(2, 1, 400)).toBeGreaterThan(90)
  })
})
