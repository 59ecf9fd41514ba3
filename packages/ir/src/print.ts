import type { Graph, Node } from './ops.ts'
import { topological } from './walk.ts'

function showValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(showValue).join(', ')}]`
  return typeof value === 'function' ? 'fn' : String(value)
}

function showAttrs(node: Node): string {
  if (node.op === 'parameter') return ''
  const entries = Object.entries(node.attrs).map(([k, v]) => `${k}=${showValue(v)}`)
  return entries.length ? `{${entries.join(', ')}}` : ''
}

/** A stable text form of a graph: one line per value in evaluation order. */
export function printGraph(graph: Graph): string {
  const order = topological([...graph.inputs, ...graph.outputs])
  const name = new Map<Node, string>()
  const lines: string[] = []
  for (const node of order) {
    name.set(node, `%${name.size}`)
    const src = node.src.map((s) => name.get(s)).join(', ')
    lines.push(`${name.get(node)} = ${node.op}${showAttrs(node)}(${src}): ${node.dtype}[${node.shape.join(', ')}]`)
  }
  lines.push(`return ${graph.outputs.map((o) => name.get(o)).join(', ')}`)
  for (const u of graph.updates ?? [])
    lines.push(`update ${name.get(graph.inputs[u.input] as Node)} <- ${name.get(graph.outputs[u.output] as Node)}`)
  return lines.join('\n')
}
