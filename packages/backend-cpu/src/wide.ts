import type { Program } from '@tessella/compiler'
import { CpuExecutable } from './executable.ts'
import { Heap } from './heap.ts'
import type { Features } from './wasm/features.ts'

/** The V8 versions whose merging of vectors is known: emission rules and self-test were made with them. */
const knownMajor = '14.'

const flag = 'experimental-wasm-revectorize'

/** Said once by a backend that was asked for wide vectors and does not use them. */
const refusal = (why: string): string =>
  `wide vectors are off: ${why}. Kernels use 128 bits, which is slower and as right.`

/**
 * Lets V8 merge neighbouring 128-bit operations into 256-bit ones, in this process, from now on. Answers whether it is
 * on and computes right; warns through `process.emitWarning` when it cannot be had.
 */
export function enableWide(features: Features): boolean {
  const { process } = globalThis
  const builtin = process?.getBuiltinModule
  if (!builtin) return false
  const v8 = builtin('node:v8')
  if (!process.versions.v8.startsWith(knownMajor) || process.arch !== 'x64') {
    process.emitWarning(refusal(`V8 ${process.versions.v8} on ${process.arch} is not known to do them right`))
    return false
  }
  v8.setFlagsFromString(`--${flag}`)
  if (selfTest({ ...features, wide: true })) return true
  v8.setFlagsFromString(`--no-${flag}`)
  process.emitWarning(refusal('the self-test found wrong numbers'))
  return false
}

/** Milliseconds that each kernel runs, so that the optimising compiler takes over. */
const testMilliseconds = 4

/**
 * Runs kernels of every kind that merges until the optimised code has taken over, and compares the bits of the first
 * run, whose code is never merged, with those of the last.
 */
export function selfTest(features: Features): boolean {
  return testPrograms().every((program) => {
    const heap = new Heap()
    const executable = new CpuExecutable(heap, features, program, () => '')
    const inputs = program.inputs.map((buffer) => {
      const { length } = program.buffers[buffer] as Program['buffers'][number]
      const made = heap.allocate(4 * length)
      const data = Float32Array.from({ length }, (_, i) => ((i * 7919) % 97) / 31 - 1.5)
      heap.memory.bytes.set(new Uint8Array(data.buffer), made.block.address)
      return made
    })
    const run = (): Uint8Array => {
      const [output] = executable.run(
        inputs,
        inputs.map(() => false),
      )
      const { block, byteLength } = heap.own(output as NonNullable<typeof output>, 'the result')
      const bytes = heap.memory.bytes.slice(block.address, block.address + byteLength)
      heap.release(output as Parameters<Heap['release']>[0])
      return bytes
    }
    const first = run()
    const start = performance.now()
    let last = first
    while (performance.now() - start < testMilliseconds) last = run()
    executable.dispose()
    return first.every((byte, i) => byte === last[i])
  })
}

/**
 * A matrix product with bias and activation, a chain of functions, and column sums. Programs, not graphs: as graphs they
 * would warm the compiler up while the backend is made, which the first step should pay for (10 ms).
 */
function testPrograms(): Program[] {
  const [m, n, k] = [37, 52, 29]
  const row = { offset: 0, strides: [n, 1] }
  const column = { offset: 0, strides: [0, 1] }
  const f32 = 'float32' as const
  const input = (length: number, index: number) => ({ dtype: f32, length, place: { kind: 'input', index } as const })
  const output = (length: number) => ({
    dtype: f32,
    length,
    place: { kind: 'output', index: 0, reuses: undefined } as const,
  })
  const bias = { kind: 'load', dtype: f32, buffer: 1, at: column } as const
  const sum = { kind: 'binary', dtype: f32, fn: 'add', a: { kind: 'result', dtype: f32, index: 0 }, b: bias } as const
  const zero = { kind: 'constant', dtype: f32, value: 0 } as const
  const x = { kind: 'load', dtype: f32, buffer: 0, at: row } as const
  const chain = {
    kind: 'binary',
    dtype: f32,
    fn: 'mul',
    a: { kind: 'unary', dtype: f32, fn: 'tanh', x },
    b: { kind: 'unary', dtype: f32, fn: 'exp', x: { kind: 'binary', dtype: f32, fn: 'sub', a: x, b: bias } },
  } as const
  return [
    {
      buffers: [input(m * k, 0), input(k * n, 1), output(m * n)],
      kernels: [
        {
          kind: 'matmul',
          domain: [m, n],
          k,
          dtype: f32,
          a: { buffer: 0, offset: 0, batchStrides: [], rowStride: k, colStride: 1 },
          b: { buffer: 1, offset: 0, batchStrides: [], rowStride: n, colStride: 1 },
          writes: [{ buffer: 2, at: row, value: { kind: 'binary', dtype: f32, fn: 'max', a: sum, b: zero } }],
        },
      ],
      inputs: [0, 1],
      outputs: [2],
      temporaryBytes: 0,
    },
    {
      buffers: [input(m * n, 0), input(n, 1), output(m * n)],
      kernels: [{ kind: 'map', domain: [m, n], writes: [{ buffer: 2, at: row, value: chain }] }],
      inputs: [0, 1],
      outputs: [2],
      temporaryBytes: 0,
    },
    {
      buffers: [input(m * n, 0), output(n)],
      kernels: [
        {
          kind: 'reduce',
          domain: [n],
          inner: [m],
          accumulators: [{ fn: 'sum', value: { ...x, at: { offset: 0, strides: [1, n] } } }],
          writes: [{ buffer: 1, at: { offset: 0, strides: [1] }, value: { kind: 'result', dtype: f32, index: 0 } }],
        },
      ],
      inputs: [0],
      outputs: [1],
      temporaryBytes: 0,
    },
  ]
}
