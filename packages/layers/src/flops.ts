import type { nodeOf, Shape } from '@tessella/tensor'

type Node = ReturnType<typeof nodeOf>

const size = (shape: Shape): number => shape.reduce((a, b) => a * b, 1)
const isFloat = ({ dtype }: Node): boolean => dtype === 'float32' || dtype === 'float64'

/** What one value costs by itself: a product and an addition are two, a scalar function of any kind is one. */
function costOf(node: Node): number {
  const made = size(node.shape)
  switch (node.op) {
    case 'unary':
    case 'binary':
    case 'select':
    case 'cumulative':
      return isFloat(node) ? made : 0
    case 'reduce':
    case 'argReduce':
      return isFloat(node.src[0]) ? size(node.src[0].shape) - made : 0
    case 'matmul':
      return 2 * made * (node.src[0].shape.at(-1) as number)
    case 'conv':
      return 2 * made * size(node.src[1].shape.slice(1))
    case 'convGradInput':
      return 2 * size(node.src[0].shape) * size(node.src[1].shape.slice(1))
    case 'maxPool':
      return made * (size(node.attrs.kernel) - 1)
    default:
      return 0
  }
}

/**
 * Counts the floating-point operations of graphs as they are written, before a backend simplifies them: each value once,
 * those in `given` (inputs and parameters) not at all. Every call answers what is new in its graph.
 */
export function flopCounter(given: Iterable<Node>): (output: Node) => number {
  const seen = new Set<Node>(given)
  return (output) => {
    let total = 0
    const open = [output]
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (seen.has(node)) continue
      seen.add(node)
      total += costOf(node)
      open.push(...node.src)
    }
    return total
  }
}
