import type { GraphNode, ModelGraph } from './modelGraph.ts'

/** A node with its place in the picture; x is the middle of the box, y its upper edge. */
interface Box {
  readonly node: GraphNode
  readonly row: number
  readonly width: number
  readonly x: number
  readonly y: number
}

const HEIGHT = 40
const ROW = 68
const GAP = 24
const MARGIN = 16
/** A character of the 12-pixel monospaced type, a little generous. */
const CHARACTER = 7.4

const titleOf = ({ path, name }: GraphNode): string => (path === '' ? name : `${path}: ${name}`)
const shapeText = ({ shape }: GraphNode): string => `[${shape.join(', ')}]`
const widthOf = (node: GraphNode): number =>
  Math.ceil(Math.max(titleOf(node).length, shapeText(node).length) * CHARACTER) + 20

const sum = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0)

/** Every node below all it takes from; those of one row side by side, near what they take from. */
function layOut(graph: ModelGraph): readonly Box[] {
  const rows: number[] = []
  for (const [i, { from }] of graph.entries()) rows[i] = 1 + Math.max(-1, ...from.map((j) => rows[j] as number))
  const placed: Box[] = []
  const count = Math.max(...rows) + 1
  for (let row = 0; row < count; row++) {
    const members = [...graph.keys()].filter((i) => rows[i] === row)
    const wish = new Map(
      members.map((i) => {
        const parents = (graph[i] as GraphNode).from.map((j) => (placed[j] as Box).x)
        return [i, parents.length === 0 ? 0 : sum(parents) / parents.length]
      }),
    )
    members.sort((a, b) => (wish.get(a) as number) - (wish.get(b) as number) || a - b)
    const widths = members.map((i) => widthOf(graph[i] as GraphNode))
    const total = sum(widths) + GAP * (members.length - 1)
    let left = sum([...wish.values()]) / members.length - total / 2
    for (const [k, i] of members.entries()) {
      const width = widths[k] as number
      placed[i] = { node: graph[i] as GraphNode, row, width, x: left + width / 2, y: MARGIN + row * ROW }
      left += width + GAP
    }
  }
  return placed
}

/** How far right an edge over several rows must go to pass the boxes between: each further one a little more. */
function detours(boxes: readonly Box[]): Map<string, number> {
  const right = new Map<string, number>()
  const taken: number[] = []
  for (const [i, { node, row }] of boxes.entries())
    for (const j of node.from) {
      const above = (boxes[j] as Box).row
      if (row - above < 2) continue
      const between = boxes.filter((b) => b.row > above && b.row < row)
      const clear = Math.max(...between.map((b) => b.x + b.width / 2)) + GAP
      const lane = Math.max(clear, ...taken.filter((x) => Math.abs(x - clear) < GAP).map((x) => x + GAP / 2))
      taken.push(lane)
      right.set(`${j}-${i}`, lane)
    }
  return right
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

const fills: Readonly<Record<GraphNode['kind'], string>> = {
  input: '#e8eaed',
  layer: '#dbe9fb',
  operation: '#fdecc8',
  output: '#e8eaed',
}

const round = (x: number): number => Math.round(x * 10) / 10

function boxSvg({ node, x, y, width }: Box, dx: number): string {
  const middle = round(x + dx)
  const line = (text: string, below: number, colour: string): string =>
    `<text x="${middle}" y="${y + below}" fill="${colour}">${escaped(text)}</text>`
  return (
    `<rect x="${round(x + dx - width / 2)}" y="${y}" width="${width}" height="${HEIGHT}" rx="6" ` +
    `fill="${fills[node.kind]}" stroke="#5f6b7a"/>${line(titleOf(node), 17, '#111')}${line(shapeText(node), 32, '#555')}`
  )
}

function edgeSvg(from: Box, to: Box, lane: number | undefined, dx: number): string {
  const [x1, y1, x2, y2] = [round(from.x + dx), from.y + HEIGHT, round(to.x + dx), to.y]
  if (lane === undefined) {
    const half = (y1 + y2) / 2
    return `M${x1} ${y1}C${x1} ${half} ${x2} ${half} ${x2} ${y2}`
  }
  // Out to the lane, straight down past the boxes, and back.
  const [x, bend] = [round(lane + dx), ROW - HEIGHT]
  const down = `C${x1} ${y1 + bend} ${x} ${y1} ${x} ${y1 + bend}L${x} ${y2 - bend}`
  return `M${x1} ${y1}${down}C${x} ${y2} ${x2} ${y2 - bend} ${x2} ${y2}`
}

/**
 * A picture of a model's graph as SVG text: a box for each call of a layer with its name, path and shape, an arrow for each
 * result that is used. Rows follow the longest way from the input.
 * @example await writeFile('model.svg', drawGraph(modelGraph(model, [1, 1, 28, 28])))
 */
export function drawGraph(graph: ModelGraph): string {
  const boxes = layOut(graph)
  const lanes = detours(boxes)
  const left = Math.min(...boxes.map((b) => b.x - b.width / 2))
  const right = Math.max(...boxes.map((b) => b.x + b.width / 2), ...lanes.values())
  const dx = MARGIN - left
  const width = Math.ceil(right + dx + MARGIN)
  const height = Math.max(...boxes.map((b) => b.y)) + HEIGHT + MARGIN
  const edges = boxes.flatMap((to, i) =>
    to.node.from.map((j) => edgeSvg(boxes[j] as Box, to, lanes.get(`${j}-${i}`), dx)),
  )
  const paths = edges.map((d) => `<path d="${d}" marker-end="url(#arrow)"/>`)
  const layers = graph.filter((n) => n.kind === 'layer').length
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" ` +
      `role="img" aria-label="Graph of a model with ${layers} layers">`,
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">' +
      '<path d="M0 0L8 4L0 8z" fill="#5f6b7a"/></marker></defs>',
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<g fill="none" stroke="#5f6b7a" stroke-width="1.2">${paths.join('')}</g>`,
    `<g font-family="ui-monospace, monospace" font-size="12" text-anchor="middle">`,
    ...boxes.map((box) => boxSvg(box, dx)),
    '</g></svg>',
  ].join('\n')
}
