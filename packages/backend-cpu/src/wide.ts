import { compileGraph } from '@tessella/compiler'
import { build, type Dims, type Graph, type Node, parameter, sizeOf } from '@tessella/ir'
import { CpuExecutable } from './executable.ts'
import { Heap } from './heap.ts'
import { target } from './target.ts'
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
  return testGraphs().every((graph) => {
    const heap = new Heap()
    const executable = new CpuExecutable(heap, features, compileGraph(graph, target), () => '')
    const inputs = graph.inputs.map(({ shape }) => {
      const length = sizeOf(shape)
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

/** A matrix product with bias and activation, a chain of functions, and column sums. */
function testGraphs(): Graph[] {
  const graph = (shapes: readonly Dims[], make: (...inputs: Node[]) => Node): Graph => {
    const inputs = shapes.map((shape) => parameter(shape, 'float32'))
    return { inputs, outputs: [make(...inputs)] }
  }
  const [m, n, k] = [37, 52, 29]
  const product = (a: Node, b: Node, bias: Node): Node => {
    const sum = build.add(build.matmul(a, b), bias)
    return build.binary('max', sum, build.zerosLike(sum))
  }
  const functions = (x: Node, row: Node): Node =>
    build.mul(build.unary('tanh', x), build.unary('exp', build.sub(x, row)))
  return [
    graph([[m, k], [k, n], [n]], product),
    graph([[m, n], [n]], functions),
    graph([[m, n]], (x) => build.reduce('sum', x, [0])),
  ]
}
