import {
  type Backend,
  type DeviceBuffer,
  type DType,
  type Graph,
  type HostArray,
  isFloat,
  type Node,
  topological,
} from '@tessella/ir'
import { Rng } from '../rng.ts'
import { mismatch, type Tolerance } from '../tolerance.ts'
import { Inputs } from './inputs.ts'

/** One program with data, compared between a backend and the reference. */
export interface Case {
  readonly name: string
  /** Builds the outputs out of inputs taken from `inputs`. */
  readonly build: (inputs: Inputs) => Node | readonly Node[]
  /** Of float outputs, by the dtype of each. */
  readonly tolerance?: Tolerances
}
export type NonEmpty<T> = readonly [T, ...T[]]

/** Bounds for outputs of each float dtype; what is left out is exact. */
export interface Tolerances {
  readonly float32?: Tolerance
  readonly float64?: Tolerance
}

export interface BuiltCase {
  readonly graph: Graph
  readonly data: readonly HostArray[]
  readonly dtypes: ReadonlySet<DType>
}

/** The case's graph and data, the same every time: the generator is seeded by the name. */
export function buildCase(c: Case): BuiltCase {
  const inputs = new Inputs(new Rng(c.name))
  const built = c.build(inputs)
  const outputs = 'op' in built ? [built] : built
  const graph: Graph = { inputs: inputs.parameters, outputs }
  const dtypes = new Set(topological([...graph.inputs, ...outputs]).map((node) => node.dtype))
  return { graph, data: inputs.data, dtypes }
}

/** Uploads, runs, reads and releases; the inputs marked in `donated` are given to the run. */
export async function evaluate(
  backend: Backend,
  graph: Graph,
  data: readonly HostArray[],
  donated: readonly boolean[] = data.map(() => false),
): Promise<HostArray[]> {
  const program = backend.prepare(graph)
  try {
    const inputs = data.map((d, i) => backend.upload(d, (graph.inputs[i] as Node).dtype))
    const outputs = program.run(inputs, donated)
    const values = await Promise.all(outputs.map((b, i) => backend.read(b, (graph.outputs[i] as Node).dtype)))
    const own: DeviceBuffer[] = inputs.filter((_, i) => !donated[i])
    for (const buffer of [...own, ...outputs]) backend.release(buffer)
    return values
  } finally {
    program.dispose()
  }
}

/** Deviations from IEEE arithmetic that a backend declares; its results may be those of the adjusted inputs. */
export type Relaxation = 'denormals' | 'signedZeros'

const adjust: { readonly [R in Relaxation]: (value: number, dtype: DType) => number } = {
  // Devices that flush keep the sign.
  denormals: (v, dtype) => (Math.abs(v) < (dtype === 'float64' ? 2 ** -1022 : 2 ** -126) ? v * 0 : v),
  signedZeros: (v) => v + 0,
}

/** The inputs as a backend with these relaxations may see them. */
export function relaxed(graph: Graph, data: readonly HostArray[], relaxations: readonly Relaxation[]): HostArray[] {
  return data.map((array, i) => {
    const { dtype } = graph.inputs[i] as Node
    if (!isFloat(dtype) || dtype === 'float16') return array
    const copy = array.slice()
    for (const r of relaxations) for (let j = 0; j < copy.length; j++) copy[j] = adjust[r](copy[j] as number, dtype)
    return copy
  })
}

/** A message for the first output that is out of tolerance, or undefined. */
export function compareOutputs(
  graph: Graph,
  actual: readonly HostArray[],
  expected: readonly (readonly HostArray[])[],
  tolerances: Tolerances,
  flush: boolean,
): string | undefined {
  for (const [i, node] of graph.outputs.entries()) {
    const { dtype } = node
    const own = dtype === 'float32' || dtype === 'float64' ? (tolerances[dtype] ?? {}) : {}
    const tolerance = flush ? { ...own, absolute: Math.max(own.absolute ?? 0, 2 ** -126) } : own
    const found = mismatch(
      actual[i] as HostArray,
      expected.map((e) => e[i] as HostArray),
      dtype,
      tolerance,
    )
    if (found !== undefined) return `output ${i}: ${found}`
  }
  return undefined
}
