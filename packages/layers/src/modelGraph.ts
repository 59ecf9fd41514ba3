import { nodeOf, type Shape } from '@tessella/tensor'
import { callsOf } from './inspect.ts'
import type { AnyLayer } from './types/index.ts'

/** A layer as it is called, an operation between layers, or an end of the model. */
export interface GraphNode {
  readonly kind: 'input' | 'layer' | 'operation' | 'output'
  /** The factory's name, or the operation's. */
  readonly name: string
  /** The prefix of the layer's names in the state dictionary; empty otherwise. */
  readonly path: string
  /** What it gives. */
  readonly shape: Shape
  /** Whose results it takes, by their place in the list; all of them come before it. */
  readonly from: readonly number[]
}

/** A model as a directed graph without cycles, in the order in which it runs. */
export type ModelGraph = readonly GraphNode[]

type Node = ReturnType<typeof nodeOf>

const nameOf = (node: Node): string =>
  node.op === 'unary' || node.op === 'binary' || node.op === 'reduce' ? node.attrs.fn : node.op

/** The known values that a value is made of, and nothing but unknown ones between. */
function frontier(node: Node, known: ReadonlyMap<Node, number>): number[] {
  const found = new Set<number>()
  const seen = new Set<Node>()
  const open = [...node.src]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (seen.has(next)) continue
    seen.add(next)
    const place = known.get(next)
    if (place === undefined) open.push(...next.src)
    else if (place >= 0) found.add(place)
  }
  return [...found].toSorted((a, b) => a - b)
}

/**
 * The graph of a model's layers for one input shape (batch included; it may be left out when the model starts with
 * `input(...)`): calls of layers, and what plain operations join between them. Nothing is computed.
 * @example modelGraph(residual(linear(4, 4)), [1, 4]).map((n) => n.name) // ['input', 'linear', 'add', 'output']
 */
export function modelGraph(model: AnyLayer, inputShape?: Shape): ModelGraph {
  const { calls, input, output, parameters } = callsOf('modelGraph', model, inputShape)
  const nodes: GraphNode[] = [{ kind: 'input', name: 'input', path: '', shape: input.shape, from: [] }]
  // Parameters are known, so that nobody looks behind them, but are not drawn.
  const known = new Map<Node, number>(parameters.map((p) => [p, -1]))
  known.set(nodeOf(input), 0)
  const placeOf = (value: Node): number | undefined => {
    const place = known.get(value)
    if (place !== undefined) return place < 0 ? undefined : place
    const from = frontier(value, known)
    if (from.length === 0) return undefined
    known.set(value, nodes.length)
    return nodes.push({ kind: 'operation', name: nameOf(value), path: '', shape: value.shape, from }) - 1
  }
  const placesOf = (values: readonly Node[]): number[] => [...new Set(values.flatMap((v) => placeOf(v) ?? []))]
  for (const call of calls) {
    // A declaration of sizes does nothing: the input stands there already.
    if (call.name === 'input' && call.given[0] === call.made) continue
    const from = placesOf(call.given.map(nodeOf))
    known.set(nodeOf(call.made), nodes.length)
    nodes.push({ kind: 'layer', name: call.name, path: call.path, shape: call.output, from })
  }
  const from = placesOf([nodeOf(output)])
  nodes.push({ kind: 'output', name: 'output', path: '', shape: output.shape, from })
  return nodes
}

/**
 * The graph as text, a line for each node: its number, path and name, what it gives and what it takes.
 * @example graphText(modelGraph(model, [1, 4])) // '0 input [1, 4]\n1 inner linear [1, 4] <- 0\n...'
 */
export const graphText = (graph: ModelGraph): string =>
  graph
    .map(({ name, path, shape, from }, i) =>
      [i, path, name, `[${shape.join(', ')}]`, ...(from.length > 0 ? [`<- ${from.join(', ')}`] : [])]
        .filter((word) => word !== '')
        .join(' '),
    )
    .join('\n')
