import { type BinaryFn, build, constantLike, type Node, type UnaryFn } from '@tessella/ir'
import { constantOf } from './constantOf.ts'

/**
 * Multiplies `g` by the partial derivative at the operands. The map is linear in `g` and built from nodes,
 * so it can be differentiated again; being diagonal, it serves reverse and forward mode alike.
 */
export type UnaryPull = (g: Node, x: Node, y: Node) => Node
export type BinaryPull = (g: Node, a: Node, b: Node, y: Node) => Node
/** One pull per operand; `undefined` where the derivative is zero or does not exist. */
export type BinaryPulls = readonly [BinaryPull | undefined, BinaryPull | undefined]

const square = (x: Node): Node => build.mul(x, x)
/** (1 - x)(1 + x): keeps its digits near +-1, where 1 - x^2 loses them. */
const oneMinusSquare = (x: Node): Node => build.mul(build.sub(constantLike(x, 1), x), build.shift(x, 1))

/** d fn(x) / dx times g, from the operand x and the result y. Kinks as in PyTorch: abs'(0) = 0, rounding has slope 0. */
export const unaryDerivatives: { readonly [F in UnaryFn]: UnaryPull | undefined } = {
  neg: (g) => build.neg(g),
  abs: (g, x) => build.mul(g, build.unary('sign', x)),
  sign: undefined,
  floor: undefined,
  ceil: undefined,
  round: undefined,
  trunc: undefined,
  sqrt: (g, _, y) => build.div(g, build.scale(y, 2)),
  exp: (g, _, y) => build.mul(g, y),
  expm1: (g, _, y) => build.mul(g, build.shift(y, 1)),
  log: (g, x) => build.div(g, x),
  log1p: (g, x) => build.div(g, build.shift(x, 1)),
  sin: (g, x) => build.mul(g, build.unary('cos', x)),
  cos: (g, x) => build.neg(build.mul(g, build.unary('sin', x))),
  atan: (g, x) => build.div(g, build.shift(square(x), 1)),
  tanh: (g, _, y) => build.mul(g, oneMinusSquare(y)),
  erf: (g, x) => build.mul(g, build.scale(build.unary('exp', build.neg(square(x))), 2 / Math.sqrt(Math.PI))),
  not: undefined,
  isNan: undefined,
  reciprocal: (g, _, y) => build.neg(build.mul(g, square(y))),
  rsqrt: (g, _, y) => build.mul(g, build.scale(build.mul(square(y), y), -0.5)),
  exp2: (g, _, y) => build.mul(g, build.scale(y, Math.LN2)),
  log2: (g, x) => build.div(g, build.scale(x, Math.LN2)),
  tan: (g, _, y) => build.mul(g, build.shift(square(y), 1)),
  asin: (g, x) => build.mul(g, build.unary('rsqrt', oneMinusSquare(x))),
  acos: (g, x) => build.neg(build.mul(g, build.unary('rsqrt', oneMinusSquare(x)))),
  sinh: (g, x) => build.mul(g, build.unary('cosh', x)),
  cosh: (g, x) => build.mul(g, build.unary('sinh', x)),
  asinh: (g, x) => build.mul(g, build.unary('rsqrt', build.shift(square(x), 1))),
  acosh: (g, x) => build.mul(g, build.unary('rsqrt', build.mul(build.shift(x, -1), build.shift(x, 1)))),
  atanh: (g, x) => build.div(g, oneMinusSquare(x)),
  sigmoid: (g, _, y) => build.mul(g, build.mul(y, build.sub(constantLike(y, 1), y))),
  erfinv: (g, _, y) => build.mul(g, build.scale(build.unary('exp', square(y)), Math.sqrt(Math.PI) / 2)),
  isInf: undefined,
  isFinite: undefined,
}

const isZero = (x: Node): Node => build.binary('eq', x, constantLike(x, 0))
const compare = (fn: 'lt' | 'le' | 'gt' | 'ge', a: Node, b: Node): Node => build.binary(fn, a, b)

/** b * a^(b - 1); 0 at a = b = 0. A constant exponent gives the power rule without the guard. */
const powBase: BinaryPull = (g, a, b) => {
  const c = constantOf(b)
  if (c === 0) return build.zerosLike(g)
  if (c === 1) return g
  if (c === 2) return build.mul(g, build.scale(a, 2))
  if (c !== undefined) return build.mul(g, build.scale(build.binary('pow', a, constantLike(a, c - 1)), c))
  // The guard sits on the exponent, not on the result: 0 times an infinity would be NaN one order higher.
  const corner = build.binary('and', isZero(a), isZero(b))
  return build.mul(
    g,
    build.mul(b, build.binary('pow', a, build.shift(build.select(corner, constantLike(b, 1), b), -1))),
  )
}

/** y * log(a); 0 where a = 0 and b >= 0. */
const powExponent: BinaryPull = (g, a, b, y) => {
  const c = constantOf(a)
  if (c !== undefined && c > 0) return build.mul(g, build.scale(y, Math.log(c)))
  const flat = build.binary('and', isZero(a), compare('ge', b, constantLike(b, 0)))
  return build.mul(g, build.mul(y, build.unary('log', build.select(flat, constantLike(a, 1), a))))
}

/**
 * The share of an operand of max (`wins` = 'gt') or min ('lt'): all of g where it wins, half at a tie (torch.maximum).
 * Against a constant it is clamp, which keeps all of g at the bound; but max(x, 0) is relu, whose slope at 0 is 0.
 */
const extremum = (wins: 'gt' | 'lt', mine: Node, other: Node, y: Node, g: Node): Node => {
  const c = constantOf(other)
  const nothing = build.zerosLike(g)
  // From y and not from x: then nothing needs x after the forward pass.
  if (c === 0 && wins === 'gt') return build.select(compare('gt', y, other), g, nothing)
  if (c !== undefined) return build.select(compare(wins === 'gt' ? 'ge' : 'le', mine, other), g, nothing)
  const tie = build.binary('eq', mine, other)
  return build.select(compare(wins, mine, other), g, build.select(tie, build.scale(g, 0.5), nothing))
}

/** a^2 + b^2, or 1 at the origin, where atan2 gets the gradient 0. */
const radius = (a: Node, b: Node): Node => {
  const r = build.add(square(a), square(b))
  return build.select(isZero(r), constantLike(r, 1), r)
}

const none: BinaryPulls = [undefined, undefined]

/** d fn(a, b) / da and / db times g. Ties and corners are those of PyTorch. */
export const binaryDerivatives: { readonly [F in BinaryFn]: BinaryPulls } = {
  add: [(g) => g, (g) => g],
  sub: [(g) => g, (g) => build.neg(g)],
  mul: [(g, _, b) => build.mul(g, b), (g, a) => build.mul(g, a)],
  div: [(g, _, b) => build.div(g, b), (g, _, b, y) => build.neg(build.mul(g, build.div(y, b)))],
  pow: [powBase, powExponent],
  max: [(g, a, b, y) => extremum('gt', a, b, y, g), (g, a, b, y) => extremum('gt', b, a, y, g)],
  min: [(g, a, b, y) => extremum('lt', a, b, y, g), (g, a, b, y) => extremum('lt', b, a, y, g)],
  rem: [(g) => g, (g, a, b) => build.neg(build.mul(g, build.unary('trunc', build.div(a, b))))],
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
  atan2: [
    (g, a, b) => build.div(build.mul(g, b), radius(a, b)),
    (g, a, b) => build.neg(build.div(build.mul(g, a), radius(a, b))),
  ],
}
