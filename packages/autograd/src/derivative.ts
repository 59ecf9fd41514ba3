import { type BinaryFn, build, constantLike, type Node, type UnaryFn } from '@tessella/ir'
import { constantOf } from './constantOf.ts'

const { add, binary, div, mul, neg, scale, select, shift, sub, unary, zerosLike } = build

/**
 * Multiplies `g` by the partial derivative at the operands. The map is linear in `g` and built from nodes,
 * so it can be differentiated again; being diagonal, it serves reverse and forward mode alike.
 */
export type UnaryPull = (g: Node, x: Node, y: Node) => Node
export type BinaryPull = (g: Node, a: Node, b: Node, y: Node) => Node
/** One pull per operand; `undefined` where the derivative is zero or does not exist. */
export type BinaryPulls = readonly [BinaryPull | undefined, BinaryPull | undefined]

const square = (x: Node): Node => mul(x, x)
/** (1 - x)(1 + x): keeps its digits near +-1, where 1 - x^2 loses them. */
const oneMinusSquare = (x: Node): Node => mul(sub(constantLike(x, 1), x), shift(x, 1))

/** d fn(x) / dx times g, from the operand x and the result y. Kinks as in PyTorch: abs'(0) = 0, rounding has slope 0. */
export const unaryDerivatives: { readonly [F in UnaryFn]: UnaryPull | undefined } = {
  neg: (g) => neg(g),
  abs: (g, x) => mul(g, unary('sign', x)),
  sign: undefined,
  floor: undefined,
  ceil: undefined,
  round: undefined,
  trunc: undefined,
  sqrt: (g, _, y) => div(g, scale(y, 2)),
  exp: (g, _, y) => mul(g, y),
  expm1: (g, _, y) => mul(g, shift(y, 1)),
  log: (g, x) => div(g, x),
  log1p: (g, x) => div(g, shift(x, 1)),
  sin: (g, x) => mul(g, unary('cos', x)),
  cos: (g, x) => neg(mul(g, unary('sin', x))),
  atan: (g, x) => div(g, shift(square(x), 1)),
  tanh: (g, _, y) => mul(g, oneMinusSquare(y)),
  erf: (g, x) => mul(g, scale(unary('exp', neg(square(x))), 2 / Math.sqrt(Math.PI))),
  not: undefined,
  isNan: undefined,
  reciprocal: (g, _, y) => neg(mul(g, square(y))),
  rsqrt: (g, _, y) => mul(g, scale(mul(square(y), y), -0.5)),
  exp2: (g, _, y) => mul(g, scale(y, Math.LN2)),
  log2: (g, x) => div(g, scale(x, Math.LN2)),
  tan: (g, _, y) => mul(g, shift(square(y), 1)),
  asin: (g, x) => mul(g, unary('rsqrt', oneMinusSquare(x))),
  acos: (g, x) => neg(mul(g, unary('rsqrt', oneMinusSquare(x)))),
  sinh: (g, x) => mul(g, unary('cosh', x)),
  cosh: (g, x) => mul(g, unary('sinh', x)),
  asinh: (g, x) => mul(g, unary('rsqrt', shift(square(x), 1))),
  acosh: (g, x) => mul(g, unary('rsqrt', mul(shift(x, -1), shift(x, 1)))),
  atanh: (g, x) => div(g, oneMinusSquare(x)),
  sigmoid: (g, _, y) => mul(g, mul(y, sub(constantLike(y, 1), y))),
  erfinv: (g, _, y) => mul(g, scale(unary('exp', square(y)), Math.sqrt(Math.PI) / 2)),
  isInf: undefined,
  isFinite: undefined,
}

const isZero = (x: Node): Node => binary('eq', x, constantLike(x, 0))
const compare = (fn: 'lt' | 'le' | 'gt' | 'ge', a: Node, b: Node): Node => binary(fn, a, b)

/** b * a^(b - 1); 0 at a = b = 0. A constant exponent gives the power rule without the guard. */
const powBase: BinaryPull = (g, a, b) => {
  const c = constantOf(b)
  if (c === 0) return zerosLike(g)
  if (c === 1) return g
  if (c === 2) return mul(g, scale(a, 2))
  if (c !== undefined) return mul(g, scale(binary('pow', a, constantLike(a, c - 1)), c))
  // The guard sits on the exponent, not on the result: 0 times an infinity would be NaN one order higher.
  const corner = binary('and', isZero(a), isZero(b))
  return mul(g, mul(b, binary('pow', a, shift(select(corner, constantLike(b, 1), b), -1))))
}

/** y * log(a); 0 where a = 0 and b >= 0. */
const powExponent: BinaryPull = (g, a, b, y) => {
  const c = constantOf(a)
  if (c !== undefined && c > 0) return mul(g, scale(y, Math.log(c)))
  const flat = binary('and', isZero(a), compare('ge', b, constantLike(b, 0)))
  return mul(g, mul(y, unary('log', select(flat, constantLike(a, 1), a))))
}

/**
 * The share of an operand of max (`wins` = 'gt') or min ('lt'): all of g where it wins, half at a tie (torch.maximum).
 * Against a constant it is clamp, which keeps all of g at the bound; but max(x, 0) is relu, whose slope at 0 is 0.
 */
const extremum = (wins: 'gt' | 'lt', mine: Node, other: Node, y: Node, g: Node): Node => {
  const c = constantOf(other)
  const nothing = zerosLike(g)
  // From y and not from x: then nothing needs x after the forward pass.
  if (c === 0 && wins === 'gt') return select(compare('gt', y, other), g, nothing)
  if (c !== undefined) return select(compare(wins === 'gt' ? 'ge' : 'le', mine, other), g, nothing)
  const tie = binary('eq', mine, other)
  return select(compare(wins, mine, other), g, select(tie, scale(g, 0.5), nothing))
}

/** a^2 + b^2, or 1 at the origin, where atan2 gets the gradient 0. */
const radius = (a: Node, b: Node): Node => {
  const r = add(square(a), square(b))
  return select(isZero(r), constantLike(r, 1), r)
}

const none: BinaryPulls = [undefined, undefined]

/** d fn(a, b) / da and / db times g. Ties and corners are those of PyTorch. */
export const binaryDerivatives: { readonly [F in BinaryFn]: BinaryPulls } = {
  add: [(g) => g, (g) => g],
  sub: [(g) => g, (g) => neg(g)],
  mul: [(g, _, b) => mul(g, b), (g, a) => mul(g, a)],
  div: [(g, _, b) => div(g, b), (g, _, b, y) => neg(mul(g, div(y, b)))],
  pow: [powBase, powExponent],
  max: [(g, a, b, y) => extremum('gt', a, b, y, g), (g, a, b, y) => extremum('gt', b, a, y, g)],
  min: [(g, a, b, y) => extremum('lt', a, b, y, g), (g, a, b, y) => extremum('lt', b, a, y, g)],
  rem: [(g) => g, (g, a, b) => neg(mul(g, unary('trunc', div(a, b))))],
  eq: none,
  ne: none,
  lt: none,
  le: none,
  gt: none,
  ge: none,
  and: none,
  or: none,
  xor: none,
  shl: none,
  shr: none,
  atan2: [(g, a, b) => div(mul(g, b), radius(a, b)), (g, a, b) => neg(div(mul(g, a), radius(a, b)))],
}
