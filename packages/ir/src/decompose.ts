import { make } from './make.ts'
import type { Node } from './ops.ts'
import type { BinaryFn, DecomposableBinaryFn, DecomposableUnaryFn, UnaryFn } from './scalar.ts'
import type { Dims } from './shape.ts'

const u = (fn: UnaryFn, x: Node): Node => make('unary', [x], { fn })
const b = (fn: BinaryFn, x: Node, y: Node): Node => make('binary', [x, y], { fn })
const where = (c: Node, x: Node, y: Node): Node => make('select', [c, x, y], {})

/** A scalar constant grown to the shape and dtype of `like`. */
export function constantLike(like: Node, value: number): Node {
  return filled(like.shape, make('constant', [], { value, dtype: like.dtype }))
}

function filled(shape: Dims, scalar: Node): Node {
  if (shape.length === 0) return scalar
  const flat = make('reshape', [scalar], { shape: shape.map(() => 1) })
  return make('expand', [flat], { shape })
}

const polynomial = (x: Node, coefficients: readonly number[]): Node => {
  let sum = constantLike(x, coefficients[0] as number)
  for (const c of coefficients.slice(1)) sum = b('add', b('mul', sum, x), constantLike(x, c))
  return sum
}

/** sign(x) * g(|x|) for an odd function. */
const odd = (x: Node, g: (a: Node) => Node): Node => {
  const y = g(u('abs', x))
  return where(b('lt', x, constantLike(x, 0)), u('neg', y), y)
}

/** Giles, "Approximating the erfinv function" (2012), single precision, with one Newton step on erf. */
function erfinv(x: Node): Node {
  const w = u('neg', u('log', b('mul', b('sub', constantLike(x, 1), x), b('add', constantLike(x, 1), x))))
  const near = polynomial(
    b('sub', w, constantLike(x, 2.5)),
    [
      2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 0.00021858087, -0.00125372503, -0.00417768164,
      0.246640727, 1.50140941,
    ],
  )
  const root = u('sqrt', b('max', w, constantLike(x, 0)))
  const far = polynomial(
    b('sub', root, constantLike(x, 3)),
    [
      -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047,
      1.00167406, 2.83297682,
    ],
  )
  const y = b('mul', where(b('lt', w, constantLike(x, 5)), near, far), x)
  const slope = b('mul', constantLike(x, 2 / Math.sqrt(Math.PI)), u('exp', u('neg', b('mul', y, y))))
  const refined = b('sub', y, b('div', b('sub', u('erf', y), x), slope))
  // Nearer to 1 the step would lose more to cancellation in erf(y) - x than it gains.
  const inside = b('lt', u('abs', x), constantLike(x, x.dtype === 'float64' ? 1 - 1e-8 : 0.99))
  const edge = b('div', x, b('sub', constantLike(x, 1), u('abs', x)))
  const beyond = b('ge', u('abs', x), constantLike(x, 1))
  // At +-1 the quotient is the infinity of the right sign; outside it must be NaN.
  const outside = where(b('gt', u('abs', x), constantLike(x, 1)), constantLike(x, Number.NaN), edge)
  return where(beyond, outside, where(inside, refined, y))
}

const LN2 = Math.LN2

const unary: { readonly [F in DecomposableUnaryFn]: (x: Node) => Node } = {
  reciprocal: (x) => b('div', constantLike(x, 1), x),
  rsqrt: (x) => b('div', constantLike(x, 1), u('sqrt', x)),
  exp2: (x) => b('pow', constantLike(x, 2), x),
  log2: (x) => b('mul', u('log', x), constantLike(x, 1 / LN2)),
  tan: (x) => b('div', u('sin', x), u('cos', x)),
  asin: (x) => b('atan2', x, u('sqrt', b('mul', b('sub', constantLike(x, 1), x), b('add', constantLike(x, 1), x)))),
  acos: (x) => b('atan2', u('sqrt', b('mul', b('sub', constantLike(x, 1), x), b('add', constantLike(x, 1), x))), x),
  // expm1 keeps the relative accuracy of small x; e = expm1(x): sinh = (e + e / (e + 1)) / 2.
  sinh: (x) =>
    odd(x, (a) => {
      const e = u('expm1', a)
      const half = u('exp', b('mul', a, constantLike(x, 0.5)))
      const small = b('mul', constantLike(x, 0.5), b('add', e, b('div', e, b('add', e, constantLike(x, 1)))))
      // Near overflow exp(a/2)^2/2 stays finite where exp(a) does not.
      return where(b('gt', a, constantLike(x, 80)), b('mul', b('mul', constantLike(x, 0.5), half), half), small)
    }),
  cosh: (x) => {
    const half = u('exp', b('mul', u('abs', x), constantLike(x, 0.5)))
    const e = u('exp', u('abs', x))
    const small = b('mul', constantLike(x, 0.5), b('add', e, b('div', constantLike(x, 1), e)))
    return where(b('gt', u('abs', x), constantLike(x, 80)), b('mul', b('mul', constantLike(x, 0.5), half), half), small)
  },
  // log1p(a + a^2 / (1 + sqrt(a^2 + 1))); large a would overflow a^2.
  asinh: (x) =>
    odd(x, (a) => {
      const square = b('mul', a, a)
      const root = u('sqrt', b('add', square, constantLike(x, 1)))
      const small = u('log1p', b('add', a, b('div', square, b('add', constantLike(x, 1), root))))
      return where(b('gt', a, constantLike(x, 1e9)), b('add', u('log', a), constantLike(x, LN2)), small)
    }),
  acosh: (x) => {
    const t = b('sub', x, constantLike(x, 1))
    const small = u('log1p', b('add', t, b('mul', u('sqrt', t), u('sqrt', b('add', x, constantLike(x, 1))))))
    return where(b('gt', x, constantLike(x, 1e9)), b('add', u('log', x), constantLike(x, LN2)), small)
  },
  atanh: (x) =>
    odd(x, (a) =>
      b(
        'mul',
        constantLike(x, 0.5),
        u('log1p', b('div', b('mul', constantLike(x, 2), a), b('sub', constantLike(x, 1), a))),
      ),
    ),
  sigmoid: (x) => b('div', constantLike(x, 1), b('add', constantLike(x, 1), u('exp', u('neg', x)))),
  erfinv,
  isInf: (x) => b('eq', u('abs', x), constantLike(x, Number.POSITIVE_INFINITY)),
  isFinite: (x) => b('lt', u('abs', x), constantLike(x, Number.POSITIVE_INFINITY)),
}

/** Quadrants from the signs; (0, 0) gives 0 or pi by the sign of x, as IEEE atan2 does. */
function atan2(y: Node, x: Node): Node {
  const c = (value: number) => constantLike(x, value)
  const ay = u('abs', y)
  const ax = u('abs', x)
  const steep = b('gt', ay, ax)
  const low = where(steep, ax, ay)
  const high = where(steep, ay, ax)
  const equal = b('eq', low, high)
  const ratio = where(equal, where(b('eq', high, c(0)), c(0), c(1)), b('div', low, high))
  const base = u('atan', ratio)
  const first = where(steep, b('sub', c(Math.PI / 2), base), base)
  // 1/x tells -0 from +0.
  const negative = (v: Node) => b('lt', where(b('eq', v, c(0)), b('div', c(1), v), v), c(0))
  const half = where(negative(x), b('sub', c(Math.PI), first), first)
  const signed = where(negative(y), u('neg', half), half)
  const nan = b('or', u('isNan', x), u('isNan', y))
  return where(nan, b('add', x, y), signed)
}

const binary: { readonly [F in DecomposableBinaryFn]: (x: Node, y: Node) => Node } = { atan2 }

export const isDecomposableUnary = (fn: UnaryFn): fn is DecomposableUnaryFn => fn in unary
export const isDecomposableBinary = (fn: BinaryFn): fn is DecomposableBinaryFn => fn in binary

/** The function written in core functions; results may need decomposing again (asin uses atan2). */
export const decomposeUnary = (fn: DecomposableUnaryFn, x: Node): Node => unary[fn](x)
export const decomposeBinary = (fn: DecomposableBinaryFn, x: Node, y: Node): Node => binary[fn](x, y)
