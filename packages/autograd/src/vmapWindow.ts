import { build, type ConvAttrs, make, type Node, type NodeOf } from '@tessella/ir'
import type { BatchRule, Lanes } from './lanes.ts'

/** [lanes, N, ...] as [lanes * N, ...]. */
const mergeLeading = (x: Node): Node =>
  build.reshape(x, [(x.shape[0] as number) * (x.shape[1] as number), ...x.shape.slice(2)])

const splitLeading = (y: Node, size: number): Node =>
  build.reshape(y, [size, (y.shape[0] as number) / size, ...y.shape.slice(1)])

const swapFirst = (x: Node): Node => build.permute(x, [1, 0, ...x.shape.slice(2).map((_, i) => i + 2)])

/** [lanes, N, C, ...] as [N, lanes * C, ...]: with as many groups more, each lane has its own filters. */
function intoChannels(x: Node): Node {
  const [size = 0, n = 0, c = 0, ...spatial] = x.shape
  return build.reshape(swapFirst(x), [n, size * c, ...spatial])
}

function fromChannels(y: Node, size: number): Node {
  const [n = 0, c = 0, ...spatial] = y.shape
  return swapFirst(build.reshape(y, [n, size, c / size, ...spatial]))
}

const onlyFirst = ({ isBatched }: Lanes): boolean => isBatched(0) && !isBatched(1)
const onlySecond = ({ isBatched }: Lanes): boolean => !isBatched(0) && isBatched(1)

const grouped = ({ stride, padding, dilation, groups }: ConvAttrs, lanes: number): ConvAttrs => ({
  stride,
  padding,
  dilation,
  groups: groups * lanes,
})

export const batchedConv: BatchRule<NodeOf<'conv'>> = ({ attrs }, lanes) => {
  const { all, size, src } = lanes
  const [x, w] = src as readonly [Node, Node]
  if (onlyFirst(lanes)) return splitLeading(build.conv(mergeLeading(x), w, attrs), size)
  if (onlySecond(lanes) && attrs.groups === 1) return fromChannels(build.conv(x, mergeLeading(w), attrs), size)
  return fromChannels(build.conv(intoChannels(all(0)), mergeLeading(all(1)), grouped(attrs, size)), size)
}

export const batchedConvGradInput: BatchRule<NodeOf<'convGradInput'>> = ({ attrs }, lanes) => {
  const { all, size, src } = lanes
  const [dy, w] = src as readonly [Node, Node]
  if (onlyFirst(lanes)) return splitLeading(build.convGradInput(mergeLeading(dy), w, attrs, attrs.inputSize), size)
  const dx = build.convGradInput(intoChannels(all(0)), mergeLeading(all(1)), grouped(attrs, size), attrs.inputSize)
  return fromChannels(dx, size)
}

export const batchedConvGradWeight: BatchRule<NodeOf<'convGradWeight'>> = ({ attrs }, lanes) => {
  const { all, size, src } = lanes
  const [x, dy] = src as readonly [Node, Node]
  if (onlySecond(lanes) && attrs.groups === 1)
    return splitLeading(build.convGradWeight(x, intoChannels(dy), attrs, attrs.kernelSize), size)
  const dw = build.convGradWeight(intoChannels(all(0)), intoChannels(all(1)), grouped(attrs, size), attrs.kernelSize)
  return splitLeading(dw, size)
}

export const batchedPool: BatchRule<NodeOf<'maxPool'>> = ({ attrs }, { all, size }) =>
  splitLeading(build.maxPool(mergeLeading(all(0)), attrs), size)

export const batchedPoolPair: BatchRule<NodeOf<'maxPoolGrad'> | NodeOf<'maxPoolPick'>> = (
  { op, attrs },
  { all, size },
) => splitLeading(make(op, [mergeLeading(all(0)), mergeLeading(all(1))], attrs), size)
