import { type Node, printGraph, topological } from '@tessella/ir'
import { initialize, linear, sequential, tanh } from '@tessella/layers'
import { mse } from '@tessella/losses'
import { foldIn, key, namedVariables, nodeOf, normal, type Tensor, tensor } from '@tessella/tensor'
import { formulas } from '../pages/formula.ts'
import { snippet } from '../pages/snippet.ts'
import type { Context, Page, Topic } from '../pages/topic.ts'
import { html, type Markup, px } from '../report/html.ts'

interface Placed {
  readonly node: Node
  readonly x: number
  readonly y: number
}

const gap = { x: 112, y: 52 } as const
const box = { width: 96, height: 36 } as const

/** What a node does, as it is called in tables of operations. */
const title = (node: Node): string => {
  if ('fn' in node.attrs && typeof node.attrs.fn === 'string') return node.attrs.fn
  return node.op === 'parameter' ? 'value' : node.op
}

/** Columns by the longest way from a source; what has no source stands right before its first user. */
function layered(order: readonly Node[]): readonly Placed[] {
  const column = new Map<Node, number>()
  for (const node of order) column.set(node, Math.max(-1, ...node.src.map((s) => column.get(s) as number)) + 1)
  for (const node of [...order].reverse())
    if (node.src.length === 0) {
      const users = order.filter((n) => (n.src as readonly Node[]).includes(node)).map((n) => column.get(n) as number)
      column.set(node, Math.max(0, Math.min(...users) - 1))
    }
  const rows: number[] = []
  return order.map((node) => {
    const c = column.get(node) as number
    const row = rows[c] ?? 0
    rows[c] = row + 1
    return { node, x: c * gap.x, y: row * gap.y }
  })
}

/** The graph as a drawing: values flow from left to right. */
export function drawGraph(root: Tensor): Markup {
  const placed = layered(topological([nodeOf(root)]))
  const at = new Map(placed.map((p) => [p.node, p]))
  const width = Math.max(...placed.map((p) => p.x)) + box.width + 4
  const height = Math.max(...placed.map((p) => p.y)) + box.height + 4
  const edges = placed.flatMap((to) =>
    to.node.src.map((s) => {
      const from = at.get(s) as Placed
      const [x1, y1, x2, y2] = [from.x + box.width, from.y + box.height / 2, to.x, to.y + box.height / 2]
      const bend = (x2 - x1) / 2
      return html`<path d="M${px(x1)},${px(y1)}C${px(x1 + bend)},${px(y1)} ${px(x2 - bend)},${px(y2)} ${px(x2)},${px(y2)}"/>`
    }),
  )
  return html`<div class="graph"><svg viewBox="-2 -2 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="A graph of ${placed.length} values">${edges}${placed.map(
    ({ node, x, y }) =>
      html`<g class="${node.src.length === 0 ? 't1' : 't0'}"><rect x="${x}" y="${y}" width="${box.width}" height="${box.height}" rx="6"/><text x="${x + box.width / 2}" y="${y + 15}" text-anchor="middle">${title(node)}</text><text class="shape" x="${x + box.width / 2}" y="${y + 29}" text-anchor="middle">[${node.shape.join(', ')}]</text></g>`,
  )}</svg></div>`
}

/** Two linear layers without anything between them against the one that they are; with tanh between, the best line. */
export async function collapse(seed: number): Promise<{ readonly linear: number; readonly tanh: number }> {
  // show: collapse
  const one = linear(5, 7)
  const two = linear(7, 3)
  initialize({ one, two }, { seed })
  const weight = two.weight.value.matmul(one.weight.value)
  const bias = two.weight.value.matmul(one.bias.value.unsqueeze(1)).squeeze(1).add(two.bias.value)
  const x: Tensor<[number, 5], 'float32'> = normal(foldIn(key(seed), 3), [64, 5])
  const single = x.matmul(weight.T).add(bias)
  const apart = two(one(x)).sub(single).abs().max()
  const bent = two(one(x).tanh()).sub(single).abs().max()
  // end
  return { linear: await apart.item(), tanh: await bent.item() }
}

async function run(context: Context): Promise<Page> {
  const apart = await collapse(context.seed)
  // show: graph
  const net = sequential(linear(2, 3), tanh(), linear(3, 1))
  // Weights are drawn when they are first read; once they are, they are values.
  await Promise.all(Object.values(namedVariables(net)).map((v) => v.value.data()))
  const x = tensor(new Float32Array(8), [4, 2])
  const y = tensor(new Float32Array(4), [4, 1])
  const loss = mse(net(x), y)
  // end
  const order = topological([nodeOf(loss)])
  const inputs = order.filter((n): n is Node & { op: 'parameter' } => n.op === 'parameter')
  const text = printGraph({ inputs, outputs: [nodeOf(loss)] })
  return {
    found: `Two linear layers without a nonlinearity are one: they differ by ${apart.linear.toExponential(1)} on 64 inputs. With tanh between them the difference is ${apart.tanh.toPrecision(2)}.`,
    picture: drawGraph(loss),
    caption: `The loss of a network 2-3-1 as the graph that the library keeps: ${order.length} values, from left to right; it scrolls. Blue: where nothing flows in.`,
    claims: [
      {
        said: 'Two linear layers in a row are no better than one.',
        row: 'F2',
        measured: `largest difference ${apart.linear.toExponential(1)}; with tanh between ${apart.tanh.toPrecision(2)}`,
        agrees: apart.linear < 1e-5 && apart.tanh > 1e-2,
      },
      {
        said: 'A network is a graph of computations on the features.',
        row: 'F2',
        measured: `${order.length} values, each after those it needs`,
        agrees: order.every((n, i) => n.src.every((s) => order.indexOf(s) < i)),
      },
    ],
    numbers: { linear: apart.linear, tanh: apart.tanh, values: order.length },
    sections: [
      {
        title: 'Formula',
        lede: 'The product of two matrices is a matrix.',
        body: formulas([String.raw`V(Wx + b) + c = (VW)\,x + (Vb + c)`, 'so a nonlinear function must stand between']),
      },
      {
        title: 'Code',
        lede: 'The network that is drawn; and the collapse.',
        body: html`${snippet(import.meta.url, 'graph')}${snippet(import.meta.url, 'collapse')}`,
      },
      {
        title: 'The graph as text',
        lede: 'One line per value, as the library prints it.',
        body: html`<pre class="code" tabindex="0"><code>${text}</code></pre>`,
      },
    ],
  }
}

/** F2: the computation graph, printed and drawn, and the collapse of linear layers. */
export const graph: Topic = {
  name: 'graph',
  title: 'A network is a graph',
  about: 'A loss drawn as its computation graph; two linear layers collapse into one.',
  rows: ['F1', 'F2'],
  run,
}
