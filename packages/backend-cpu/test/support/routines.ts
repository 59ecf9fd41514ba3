import type { Affine, Expr, Write } from '@tessella/compiler'
import { type Dims, stridesOf } from '@tessella/ir'
import type { KernelContext } from '../../src/kernels/context.ts'
import { emitRoutine, type RoutineKernel } from '../../src/routines/index.ts'
import { ModuleBuilder } from '../../src/wasm/assembler.ts'
import { ConstantTable } from '../../src/wasm/constants.ts'
import { type Features, probeFeatures } from '../../src/wasm/features.ts'
import { evaluate, points, valueAt } from './interpret.ts'

const constantsAt = 64
const pointersAt = 32768
const heapAt = 65536

/** A routine over float32 buffers in a memory of its own; buffer `last` ends where the memory ends. */
export class RoutineHarness {
  readonly run: () => void
  readonly arrays: Float32Array<ArrayBuffer>[]

  constructor(
    kernel: RoutineKernel,
    lengths: readonly number[],
    last = 0,
    features: Partial<Features> = {},
    emit: typeof emitRoutine = emitRoutine,
  ) {
    const memory = new WebAssembly.Memory({ initial: 1 })
    const words: [number, number][] = []
    const module = new ModuleBuilder()
    module.importMemory({ module: 'env', name: 'memory', minimum: 1 })
    let scratchBytes = 0
    let ownBytes = 0
    const context: KernelContext = {
      module,
      features: { ...probeFeatures(), ...features },
      constants: new ConstantTable(constantsAt, 16384, (a, bits) => words.push([a, bits])),
      dtypeOf: () => 'float32',
      slot: (buffer) => pointersAt + 4 * buffer,
      scratch: (bytes) => {
        scratchBytes = Math.max(scratchBytes, bytes)
        return pointersAt + 4 * lengths.length
      },
      own: (bytes) => {
        ownBytes = Math.max(ownBytes, bytes)
        return (f) => {
          f.i32(0)
          f.load('i32.load', pointersAt + 4 * lengths.length + 4)
        }
      },
    }
    const codes = emit(context, kernel)
    for (const [i, c] of codes.entries()) module.export(`k${i}`, c.f)
    const up = (n: number) => Math.ceil(n / 64) * 64
    const ownAt = heapAt + up(scratchBytes)
    let total = ownAt + up(ownBytes)
    const bufferBytes = lengths.map((n) => up(4 * n))
    total += bufferBytes.reduce((a, b) => a + b, 0)
    memory.grow(Math.ceil(total / 65536) - 1)
    const view = new DataView(memory.buffer)
    let top = Math.floor((memory.buffer.byteLength - 4 * (lengths[last] ?? 0)) / 64) * 64
    const addresses = lengths.map((n, i) => {
      const at = i === last ? memory.buffer.byteLength - 4 * n : top - up(4 * n)
      if (i !== last) top = at
      return at
    })
    for (const [i, a] of [...addresses, heapAt, ownAt].entries()) words.push([pointersAt + 4 * i, a])
    for (const [a, bits] of words) view.setUint32(a, bits, true)
    const instance = new WebAssembly.Instance(new WebAssembly.Module(module.build()), { env: { memory } })
    const calls = codes.map((c, i) => ({ ...c, call: instance.exports[`k${i}`] as (b: number, e: number) => void }))
    this.arrays = lengths.map((n, i) => new Float32Array(memory.buffer, addresses[i], n))
    // Scratch starts dirty.
    new Float32Array(memory.buffer, heapAt, (ownAt - heapAt + ownBytes) >>> 2).fill(Number.NaN)
    this.run = () => {
      for (const { call, units, grain } of calls)
        for (let u = 0; u < units; u += grain) call(u, Math.min(units, u + grain))
    }
  }
}

export const contiguous = (shape: Dims, offset = 0): Affine => ({ offset, strides: stridesOf(shape) })
export const result: Expr = { kind: 'result', dtype: 'float32', index: 0 }
export const load = (buffer: number, at: Affine): Expr => ({ kind: 'load', dtype: 'float32', buffer, at })
export const constant = (value: number): Expr => ({ kind: 'constant', dtype: 'float32', value })
export const binary = (fn: 'add' | 'sub' | 'mul' | 'max', a: Expr, b: Expr): Expr => ({
  kind: 'binary',
  dtype: 'float32',
  fn,
  a,
  b,
})

/** Evaluates the writes with plain loops; `value` gives result 0 at each point. */
export function plainWrites(
  kernel: { readonly domain: Dims; readonly writes: readonly Write[] },
  arrays: readonly Float32Array<ArrayBuffer>[],
  value: (index: readonly number[], flat: number) => number,
): void {
  let flat = 0
  for (const index of points(kernel.domain)) {
    const results = [value(index, flat++)]
    const values = kernel.writes.map((w) => evaluate(w.value, index, arrays, results))
    for (const [k, w] of kernel.writes.entries())
      (arrays[w.buffer] as Float32Array)[valueAt(w.at, index)] = values[k] as number
  }
}

/** Deterministic numbers in [-1, 1). */
export function randomNumbers(seed: number): () => number {
  let s = (seed * 2654435761) >>> 0 || 1
  return () => {
    s ^= s << 13
    s >>>= 0
    s ^= s >>> 17
    s ^= s << 5
    s >>>= 0
    return s / 2147483648 - 1
  }
}

/** Engines of every kind, by turns. */
export const featuresOf = (seed: number): Partial<Features> =>
  seed % 7 === 3 ? { relaxed: false } : seed % 2 === 0 ? { wide: true } : {}
