import {
  type Backend,
  BackendError,
  byteWidth,
  type DeviceBuffer,
  type DType,
  dispatch,
  dtypes,
  type Executable,
  type Graph,
  type HostArray,
  type HostArrays,
  hostArray,
  internalError,
  irVersion,
  type MemoryReport,
  printGraph,
  sizeOf,
  topological,
} from '@tessella/ir'
import type { Compute } from './elementwise.ts'
import { rows } from './interpret.ts'

const name = 'reference'

class ReferenceBuffer implements DeviceBuffer {
  readonly owner: Reference
  readonly dtype: DType
  readonly byteLength: number
  data: HostArray | undefined

  constructor(owner: Reference, dtype: DType, data: HostArray) {
    this.owner = owner
    this.dtype = dtype
    this.byteLength = data.byteLength
    this.data = data
  }
}

/** One node of a prepared graph, by position: sources, result size, and the values nobody needs after it. */
interface Step {
  readonly compute: Compute
  readonly src: readonly number[]
  readonly bytes: number
  readonly dead: readonly number[]
}

interface Plan {
  readonly inputs: readonly { readonly at: number | undefined; readonly dtype: DType; readonly length: number }[]
  readonly outputs: readonly { readonly at: number; readonly dtype: DType }[]
  readonly steps: readonly (Step | undefined)[]
}

/** Everything a run needs, copied out of the nodes: they may settle and forget their sources later. */
function planOf(graph: Graph): Plan {
  const order = topological(graph.outputs)
  const index = new Map(order.map((node, i) => [node, i]))
  const lastUse = new Map<number, number>()
  for (const [i, node] of order.entries()) for (const s of node.src) lastUse.set(index.get(s) as number, i)
  for (const output of graph.outputs) lastUse.delete(index.get(output) as number)
  const deadAfter = new Map<number, number[]>()
  for (const [value, user] of lastUse) deadAfter.set(user, [...(deadAfter.get(user) ?? []), value])
  const steps = order.map((node, i): Step | undefined => {
    if (node.op === 'parameter') {
      if (!graph.inputs.includes(node)) throw internalError('a graph uses a parameter that is not among its inputs')
      return undefined
    }
    return {
      compute: dispatch(rows, node, undefined),
      src: node.src.map((s) => index.get(s) as number),
      bytes: sizeOf(node.shape) * byteWidth(node.dtype),
      dead: deadAfter.get(i) ?? [],
    }
  })
  return {
    inputs: graph.inputs.map((node) => ({ at: index.get(node), dtype: node.dtype, length: sizeOf(node.shape) })),
    outputs: graph.outputs.map((node) => ({ at: index.get(node) as number, dtype: node.dtype })),
    steps,
  }
}

class Reference implements Backend {
  readonly name = name
  readonly irVersion = irVersion
  readonly dtypes: ReadonlySet<DType> = new Set(dtypes)
  #live = new Set<ReferenceBuffer>()
  #bytes = 0
  #peak = 0
  #disposed = false

  prepare(graph: Graph): Executable {
    this.#check()
    const plan = planOf(graph)
    const text = printGraph(graph)
    let disposed = false
    return {
      kernels: 0,
      run: (inputs, donated) => {
        if (disposed) throw new BackendError(name, 'disposed', 'this program was disposed')
        return this.#run(plan, inputs, donated)
      },
      print: () => text,
      dispose: () => {
        disposed = true
      },
    }
  }

  #run(plan: Plan, inputs: readonly DeviceBuffer[], donated: readonly boolean[]): DeviceBuffer[] {
    this.#check()
    if (inputs.length !== plan.inputs.length)
      throw internalError(`a program of ${plan.inputs.length} inputs was run with ${inputs.length}`)
    const values = new Array<HostArray | undefined>(plan.steps.length)
    for (const [i, { at, dtype, length }] of plan.inputs.entries()) {
      const data = this.#dataOf(inputs[i] as DeviceBuffer, dtype)
      if (data.length !== length)
        throw internalError(`input ${i} of a program has ${data.length} elements instead of ${length}`)
      if (at !== undefined) values[at] = data
    }
    let intermediate = 0
    for (const [i, step] of plan.steps.entries()) {
      if (step === undefined) continue
      values[i] = step.compute(step.src.map((s) => values[s] as HostArray))
      intermediate += step.bytes
      this.#peak = Math.max(this.#peak, this.#bytes + intermediate)
      for (const d of step.dead) {
        values[d] = undefined
        intermediate -= plan.steps[d]?.bytes ?? 0
      }
    }
    // Values may be shared between outputs, views and inputs; every output gets elements of its own.
    const outputs = plan.outputs.map(({ at, dtype }) => this.#keep(dtype, (values[at] as HostArray).slice()))
    const given = new Set(inputs.filter((_, i) => donated[i]))
    for (const buffer of given) this.release(buffer)
    return outputs
  }

  upload(data: HostArray, dtype: DType): DeviceBuffer {
    this.#check()
    const expected = hostArray(dtype, 0).constructor
    if (data.constructor !== expected)
      throw new BackendError(
        name,
        'bad-option',
        `${dtype} elements come in ${expected.name}, got ${data.constructor.name}`,
      )
    return this.#keep(dtype, data.slice())
  }

  async read<D extends DType>(buffer: DeviceBuffer, dtype: D): Promise<HostArrays[D]> {
    this.#check()
    return this.#dataOf(buffer, dtype).slice() as HostArrays[D]
  }

  release(buffer: DeviceBuffer): void {
    this.#check()
    const own = this.#own(buffer)
    this.#live.delete(own)
    own.data = undefined
    this.#bytes -= own.byteLength
  }

  async synchronize(): Promise<void> {
    this.#check()
  }

  memory(): MemoryReport {
    this.#check()
    return { bytes: this.#bytes, buffers: this.#live.size, peakBytes: this.#peak, reservedBytes: this.#bytes }
  }

  dispose(): void {
    for (const buffer of this.#live) buffer.data = undefined
    this.#live.clear()
    this.#bytes = 0
    this.#disposed = true
  }

  #check(): void {
    if (this.#disposed) throw new BackendError(name, 'disposed', 'this backend was disposed')
  }

  #keep(dtype: DType, data: HostArray): ReferenceBuffer {
    const buffer = new ReferenceBuffer(this, dtype, data)
    this.#live.add(buffer)
    this.#bytes += buffer.byteLength
    this.#peak = Math.max(this.#peak, this.#bytes)
    return buffer
  }

  #own(buffer: DeviceBuffer): ReferenceBuffer {
    if (!(buffer instanceof ReferenceBuffer) || buffer.owner !== this)
      throw new BackendError(name, 'wrong-backend', 'this buffer belongs to another backend')
    if (buffer.data === undefined) throw new BackendError(name, 'disposed', 'this buffer was released')
    return buffer
  }

  #dataOf(buffer: DeviceBuffer, dtype: DType): HostArray {
    const own = this.#own(buffer)
    if (own.dtype !== dtype) throw internalError(`a ${own.dtype} buffer was used as ${dtype}`)
    return own.data as HostArray
  }
}

/**
 * The reference backend: interprets a graph node by node with plain loops, float64 inside, every result
 * rounded to its dtype. Slow and obviously right; all dtypes; no dependence on time, threads or devices.
 *
 * @example
 * const backend = reference()
 * const x = build.constant(2)
 * const [out] = backend.prepare({ inputs: [], outputs: [build.mul(x, x)] }).run([], [])
 */
export const reference = (): Backend => new Reference()
