import { build, type Dims, make, type Node, type NodeOf, type Table } from '@tessella/ir'
import type { BatchRule, Lanes } from './lanes.ts'
import { batchedCustom, batchedRandomBits } from './vmapCustom.ts'
import { batchedConv, batchedConvGradInput, batchedConvGradWeight, batchedPool, batchedPoolPair } from './vmapWindow.ts'

const lead = (axes: Dims): number[] => axes.map((a) => a + 1)

const batchedMatmul: BatchRule<NodeOf<'matmul'>> = (node, lanes) => {
  const [a, b] = lanes.src as readonly [Node, Node]
  if (lanes.isBatched(0) && !lanes.isBatched(1) && node.shape.length === 2) {
    // One weight for all lanes: their rows form one tall matrix.
    const [size = 0, m = 0, k = 0] = a.shape
    return build.reshape(build.matmul(build.reshape(a, [size * m, k]), b), [size, ...node.shape])
  }
  if (!lanes.isBatched(0) && lanes.isBatched(1) && node.shape.length === 2) {
    const [size = 0, k = 0, n = 0] = b.shape
    const tall = build.reshape(build.transpose(b), [size * n, k])
    return build.transpose(build.reshape(build.matmul(tall, build.transpose(a)), [size, n, node.shape[0] as number]))
  }
  return build.matmul(lanes.all(0), lanes.all(1))
}

const unreachable: BatchRule = (node) => node

/** One row per operation: the same computation in every lane, as one operation wherever the language has it. */
export const batchRules: Table<Lanes, Node> = {
  constant: unreachable,
  parameter: unreachable,
  iota: unreachable,
  unary: ({ attrs }, { all }) => make('unary', [all(0)], attrs),
  binary: ({ attrs }, { all }) => make('binary', [all(0), all(1)], attrs),
  select: (_, { all }) => make('select', [all(0), all(1), all(2)], {}),
  cast: ({ attrs }, { all }) => build.cast(all(0), attrs.dtype),
  reduce: ({ attrs }, { all }) => build.reduce(attrs.fn, all(0), lead(attrs.axes)),
  argReduce: ({ attrs }, { all }) => build.argReduce(attrs.fn, all(0), attrs.axis + 1),
  cumulative: ({ attrs }, { all }) => build.cumulative(attrs.fn, all(0), attrs.axis + 1, attrs.reverse),
  matmul: batchedMatmul,
  conv: batchedConv,
  convGradInput: batchedConvGradInput,
  convGradWeight: batchedConvGradWeight,
  maxPool: batchedPool,
  maxPoolGrad: batchedPoolPair,
  maxPoolPick: batchedPoolPair,
  gather: ({ attrs }, { all }) => build.gather(all(0), all(1), attrs.axis + 1),
  scatterAdd: ({ attrs }, { all }) => build.scatterAdd(all(0), all(1), attrs.axis + 1, attrs.size),
  argsort: ({ attrs }, { all }) => build.argsort(all(0), attrs.axis + 1, attrs.descending),
  reshape: ({ attrs }, { all, size }) => build.reshape(all(0), [size, ...attrs.shape]),
  permute: ({ attrs }, { all }) => build.permute(all(0), [0, ...lead(attrs.perm)]),
  expand: ({ attrs }, { all, size }) => build.expand(all(0), [size, ...attrs.shape]),
  slice: ({ attrs }, { all, size }) =>
    build.slice(all(0), [0, ...attrs.start], [size, ...attrs.size], [1, ...attrs.step]),
  flip: ({ attrs }, { all }) => build.flip(all(0), lead(attrs.axes)),
  pad: ({ attrs }, { all }) =>
    build.pad(all(0), [0, ...attrs.lo], [0, ...attrs.hi], attrs.value, [0, ...attrs.interior]),
  concat: ({ attrs, src }, { all }) =>
    build.concat(
      src.map((_, i) => all(i)),
      attrs.axis + 1,
    ),
  randomBits: batchedRandomBits,
  alias: (_, { all }) => build.alias(all(0)),
  stopGradient: (_, { all }) => build.stopGradient(all(0)),
  after: (_, { all, src }) => build.after(all(0), src[1] as Node),
  custom: batchedCustom,
}
