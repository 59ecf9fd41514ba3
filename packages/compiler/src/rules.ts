import type { Attrs, Node, OpName, Sources } from '@tessella/ir'
import type { Rewriter } from './rewriter.ts'
import { gatherRule, scatterAddRule } from './rulesIndex.ts'
import { argReduceRule, matmulRule, reduceRule } from './rulesReduce.ts'
import { binaryRule, castRule, constantRule, selectRule, unaryRule } from './rulesScalar.ts'
import { concatRule, expandRule, flipRule, padRule, permuteRule, reshapeRule, sliceRule } from './rulesView.ts'

export type Rule<K extends OpName> = (r: Rewriter, src: Sources[K], attrs: Attrs[K]) => Node | undefined
export type Rules = { readonly [K in OpName]: Rule<K> }

const keep = (): undefined => undefined
const first = (_: Rewriter, [x]: readonly [Node, ...Node[]]): Node => x

/** Each operation's simpler forms; `undefined` keeps it. */
export const rules: Rules = {
  constant: constantRule,
  parameter: keep,
  iota: keep,
  unary: unaryRule,
  binary: binaryRule,
  select: selectRule,
  cast: castRule,
  reduce: reduceRule,
  argReduce: argReduceRule,
  cumulative: keep,
  matmul: matmulRule,
  conv: keep,
  convGradInput: keep,
  convGradWeight: keep,
  maxPool: keep,
  maxPoolGrad: keep,
  maxPoolPick: keep,
  gather: gatherRule,
  scatterAdd: scatterAddRule,
  argsort: keep,
  reshape: reshapeRule,
  permute: permuteRule,
  expand: expandRule,
  slice: sliceRule,
  flip: flipRule,
  pad: padRule,
  concat: concatRule,
  randomBits: keep,
  alias: first,
  stopGradient: first,
  after: (_, [x]) => (x.op === 'constant' ? x : undefined),
  custom: first,
}
