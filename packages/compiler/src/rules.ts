import { type Attrs, BackendError, internalError, type Node, type OpName, type Sources } from '@tessella/ir'
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

/** A dtype that the device does not have, named with the operation that needs it. */
export function checkDtype(r: Rewriter['target'], node: Node): void {
  if (r.dtypes.has(node.dtype)) return
  const what = node.op === 'unary' || node.op === 'binary' ? node.attrs.fn : node.op
  throw new BackendError(
    r.name,
    'unsupported-dtype',
    `[${what}] ${node.dtype} does not exist on this device; it has ${[...r.dtypes].join(', ')}. Cast first: x.cast('float32').`,
  )
}

export const missing = (name: string, fn: string): Error =>
  internalError(`the backend ${name} lacks the core function ${fn}`)
