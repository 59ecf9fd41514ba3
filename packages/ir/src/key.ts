import type { Node, NodeOf } from './ops.ts'
import { topological } from './walk.ts'

/** A graph in canonical order with the text that equals another's exactly when the graphs are the same program. */
export interface Canonical {
  readonly key: string
  readonly order: readonly Node[]
  /** Parameters in order of first appearance. */
  readonly inputs: readonly NodeOf<'parameter'>[]
}

function attrsKey(value: unknown): string {
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value)
  if (typeof value === 'string' || typeof value === 'boolean') return String(value)
  if (Array.isArray(value)) return `[${value.map(attrsKey).join()}]`
  // A gradient rule is spent by the time a graph is keyed: it does not change what is computed.
  if (typeof value === 'function' || value === undefined || value === null) return ''
  let text = ''
  for (const [name, entry] of Object.entries(value)) text += `${name}:${attrsKey(entry)};`
  return text
}

/** The structural key of the values `outputs`; settled values do not take part. */
export function canonical(outputs: readonly Node[], leading: readonly NodeOf<'parameter'>[] = []): Canonical {
  const order = topological([...leading, ...outputs])
  const index = new Map<Node, number>()
  const inputs: NodeOf<'parameter'>[] = []
  const lines: string[] = []
  for (const node of order) {
    index.set(node, index.size)
    if (node.op === 'parameter') inputs.push(node)
    let line = `${node.op} ${attrsKey(node.attrs)}`
    for (const s of node.src) line += ` ${index.get(s)}`
    lines.push(line)
  }
  lines.push(`-> ${outputs.map((o) => index.get(o)).join()}`)
  return { key: lines.join('\n'), order, inputs }
}
