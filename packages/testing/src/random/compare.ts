import {
  type Backend,
  type Graph,
  type HostArray,
  type Node,
  parameter,
  printGraph,
  substitute,
  topological,
} from '@tessella/ir'
import { evaluate } from '../conformance/case.ts'
import { reference } from '../reference/reference.ts'
import { mismatch } from '../tolerance.ts'
import { type RandomGraph, randomGraph } from './randomGraph.ts'

/** A graph with bound data, small enough to run again and again while shrinking. */
interface Failing {
  readonly graph: Graph
  readonly data: readonly HostArray[]
  readonly donated: readonly boolean[]
  readonly errors: readonly number[]
}

const exception = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error))

/** What is wrong with the backend's results, if anything; an exception counts. */
async function differs(backend: Backend, { graph, data, donated, errors }: Failing): Promise<string | undefined> {
  const expected = await evaluate(reference(), graph, data)
  let actual: HostArray[]
  try {
    actual = await evaluate(backend, graph, data, donated)
  } catch (error) {
    return `the backend threw ${exception(error)}`
  }
  for (const [i, output] of graph.outputs.entries()) {
    const error = errors[i] as number
    // Error estimates are first order; four times that is still far from a wrong answer.
    const found = mismatch(actual[i] as HostArray, [expected[i] as HostArray], output.dtype, { absolute: 4 * error })
    if (found !== undefined) return `output ${i}: ${found}`
  }
  return undefined
}

/** Drops outputs and updates, then cuts off history: a node becomes an input with the reference's value. */
async function shrink(backend: Backend, start: Failing): Promise<Failing> {
  let best = start
  const keepIfFails = async (candidate: Failing) => {
    if ((await differs(backend, candidate)) === undefined) return false
    best = candidate
    return true
  }
  await keepIfFails({ ...best, graph: { inputs: best.graph.inputs, outputs: best.graph.outputs } })
  for (const [i, output] of best.graph.outputs.entries()) {
    const single = { inputs: best.graph.inputs, outputs: [output] }
    if (await keepIfFails({ ...best, graph: single, errors: [best.errors[i] as number] })) break
  }
  if (best.graph.updates?.length) return best
  for (const node of topological(best.graph.outputs).reverse()) {
    if (node.op === 'parameter' || best.graph.outputs.includes(node)) continue
    if (!topological(best.graph.outputs).includes(node)) continue
    const { graph, data } = best
    const [value] = await evaluate(reference(), { inputs: graph.inputs, outputs: [node] }, data)
    const leaf = parameter(node.shape, node.dtype)
    const outputs = substitute(graph.outputs, new Map<Node, Node>([[node, leaf]]))
    await keepIfFails({
      ...best,
      graph: { inputs: [...graph.inputs, leaf], outputs },
      data: [...data, value as HostArray],
      donated: [...best.donated, false],
    })
  }
  return withoutUnused(best)
}

function withoutUnused(f: Failing): Failing {
  const used = new Set(topological(f.graph.outputs))
  const keep = f.graph.inputs.map((input) => used.has(input))
  return {
    ...f,
    graph: { ...f.graph, inputs: f.graph.inputs.filter((_, i) => keep[i]) },
    data: f.data.filter((_, i) => keep[i]),
    donated: f.donated.filter((_, i) => keep[i]),
  }
}

const showData = (data: readonly HostArray[]): string =>
  data.map((d, i) => `input ${i}: [${[...d.subarray(0, 16)].join(', ')}${d.length > 16 ? ', ...' : ''}]`).join('\n')

/**
 * Runs random graphs with seeds `seed`, `seed + 1`, ... on a backend and on the reference. Throws at the first
 * difference, with the seed and the shrunk graph.
 *
 * @example
 * it('agrees on random graphs', () => compareOnRandomGraphs(backend, { count: 100, seed: 1 }))
 */
export async function compareOnRandomGraphs(
  backend: Backend,
  options: { readonly count: number; readonly seed: number },
): Promise<void> {
  for (let seed = options.seed; seed < options.seed + options.count; seed++)
    await compareOnGraph(backend, randomGraph(seed))
}

/** The same for one graph. */
export async function compareOnGraph(backend: Backend, random: RandomGraph): Promise<void> {
  const found = await differs(backend, random)
  if (found === undefined) return
  const small = await shrink(backend, random)
  const now = (await differs(backend, small)) ?? found
  throw new Error(
    [
      `${backend.name} differs from the reference on randomGraph(${random.seed}): ${found}`,
      `Shrunk to: ${now}`,
      printGraph(small.graph),
      `donated: ${small.donated.join(', ')}`,
      showData(small.data),
    ].join('\n'),
  )
}
