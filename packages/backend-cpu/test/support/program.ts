import type { Affine, BufferPlan, Expr, Kernel, Program } from '@tessella/compiler'
import { type DType, type HostArray, type HostArrays, hostArray } from '@tessella/ir'
import { CpuExecutable } from '../../src/executable.ts'
import { Heap } from '../../src/heap.ts'
import { probeFeatures } from '../../src/wasm/features.ts'

export interface TestBuffer<D extends DType = DType> {
  readonly dtype: D
  readonly length: number
  /** Inputs have data; outputs have none. */
  readonly data?: HostArrays[D] | readonly number[]
}

/** Runs kernels over buffers: those with data are inputs, the others outputs, which are returned in order. */
export function runKernels(buffers: readonly TestBuffer[], kernels: readonly Kernel[]): HostArray[] {
  const inputs: number[] = []
  const outputs: number[] = []
  const plans = buffers.map((b, i): BufferPlan => {
    const list = b.data ? inputs : outputs
    const index = list.push(i) - 1
    const place = b.data ? { kind: 'input' as const, index } : { kind: 'output' as const, index, reuses: undefined }
    return { dtype: b.dtype, length: b.length, place }
  })
  const program: Program = { buffers: plans, kernels, inputs, outputs, temporaryBytes: 0 }
  const heap = new Heap()
  const run = new CpuExecutable(heap, probeFeatures(), program, () => '')
  const uploaded = inputs.map((i) => {
    const { dtype, data } = buffers[i]!
    const host = hostArray(dtype, buffers[i]!.length)
    host.set(data as ArrayLike<number>)
    const buffer = heap.allocate(host.byteLength)
    heap.memory.bytes.set(new Uint8Array(host.buffer), buffer.block.address)
    return buffer
  })
  const results = run.run(
    uploaded,
    uploaded.map(() => true),
  )
  const read = results.map((r, k) => {
    const { dtype, length } = buffers[outputs[k]!]!
    const host = hostArray(dtype, length)
    const { address } = heap.own(r, 'result').block
    new Uint8Array(host.buffer).set(heap.memory.bytes.subarray(address, address + host.byteLength))
    return host
  })
  return read
}

export const at = (offset: number, ...strides: number[]): Affine => ({ offset, strides })
export const load = (dtype: DType, buffer: number, where: Affine): Expr => ({ kind: 'load', dtype, buffer, at: where })
export const constant = (dtype: DType, value: number): Expr => ({ kind: 'constant', dtype, value })
