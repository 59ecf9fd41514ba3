import { conv1d, conv2d, conv3d, eye, fromNode, type nodeOf, pad, type Tensor } from '@tessella/tensor'

export type Node = ReturnType<typeof nodeOf>

/** One use of a layer's weight: what meets it, as rows, and how the slopes of the result become rows. */
export interface Product<L> {
  readonly layer: L
  /** The result, without the bias. */
  readonly node: Node
  /** What one unit sees, [n * places, inputs]. */
  readonly inputs: () => Tensor
  /** Slopes by the result as [n * places, units], in the order of `inputs`. */
  readonly slopes: (slope: Tensor) => Tensor
  /** Places of the output at which an example uses the weight: 1 for a matrix. */
  readonly places: number
}

/** Every node of a graph, those in `ends` without what is behind them. */
export function nodesOf(root: Node, ends: ReadonlySet<Node>): Set<Node> {
  const seen = new Set<Node>()
  const open = [root]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (seen.has(node)) continue
    seen.add(node)
    if (!ends.has(node)) open.push(...node.src)
  }
  return seen
}

const isTransposed = (node: Node, of: Node): boolean =>
  node.op === 'permute' && node.src[0] === of && node.attrs.perm.join() === '1,0'

/** [n, features, places] as rows. */
const rowsOf = (x: Tensor): Tensor => x.permute([0, 2, 1]).reshape([-1, x.shape[1] as number]) as Tensor

/** The patches that a convolution's filters lie on, [n, channels * kernel, places], in the order of the weight's numbers. */
export function patches(node: Node & { readonly op: 'conv' }): Tensor {
  const [x, weight] = node.src
  const { stride, dilation, padding } = node.attrs
  const [n, channels] = x.shape as readonly [number, number]
  const kernel = weight.shape.slice(2)
  const area = kernel.reduce((a, b) => a * b, 1)
  const padded = pad(fromNode(x) as Tensor, [[0, 0], [0, 0], ...padding] as never) as Tensor
  // A filter that is 1 at one place copies that place.
  const copies = eye(area).reshape([area, 1, ...kernel]) as Tensor
  const planes = padded.reshape([n * channels, 1, ...padded.shape.slice(2)]) as Tensor
  const conv = { 1: conv1d, 2: conv2d, 3: conv3d }[kernel.length as 1 | 2 | 3] as unknown as (
    x: Tensor,
    weight: Tensor,
    options: { readonly stride: readonly number[]; readonly dilation: readonly number[] },
  ) => Tensor
  return conv(planes, copies, { stride, dilation }).reshape([n, channels * area, -1]) as Tensor
}

/** A node as the use of one of these weights, found as x W^T or as a convolution in one group. */
export function productOf<L>(node: Node, weights: ReadonlyMap<Node, L>): Product<L> | undefined {
  if (node.op === 'matmul' && node.shape.length === 2) {
    const [a, w] = node.src
    const layer = [...weights].find(([weight]) => isTransposed(w, weight))?.[1]
    if (layer === undefined) return undefined
    return { layer, node, inputs: () => fromNode(a) as Tensor, slopes: (slope) => slope, places: 1 }
  }
  if (node.op !== 'conv' || node.attrs.groups !== 1) return undefined
  const layer = weights.get(node.src[1])
  if (layer === undefined) return undefined
  const [n, units, ...out] = node.shape as readonly [number, number, ...number[]]
  const places = out.reduce((a, b) => a * b, 1)
  const slopes = (slope: Tensor): Tensor => rowsOf(slope.reshape([n, units, places]) as Tensor)
  return { layer, node, inputs: () => rowsOf(patches(node)), slopes, places }
}
