import { type BinaryFn, binaryFns, build, parameter, type UnaryFn, unaryFns } from '@tessella/ir'
import { describe, expect, it } from 'vitest'
import { binaryDerivatives, unaryDerivatives, vjpNodes } from '../src/index.ts'
import { checkGradient, gradientOf } from './support/checkGradient.ts'
import { draw, program } from './support/program.ts'

/** Where a function is smooth; `undefined` where it has no derivative to check. */
const unaryDomain: { readonly [F in UnaryFn]: readonly [number, number] | undefined } = {
  neg: [-2, 2],
  abs: [-2, 2],
  sign: undefined,
  floor: undefined,
  ceil: undefined,
  round: undefined,
  trunc: undefined,
  sqrt: [0.2, 3],
  exp: [-2, 2],
  expm1: [-2, 2],
  log: [0.2, 3],
  log1p: [-0.8, 3],
  sin: [-3, 3],
  cos: [-3, 3],
  atan: [-3, 3],
  tanh: [-3, 3],
  erf: [-2, 2],
  not: undefined,
  isNan: undefined,
  reciprocal: [0.3, 2],
  rsqrt: [0.3, 2],
  exp2: [-2, 2],
  log2: [0.3, 3],
  tan: [-1.2, 1.2],
  asin: [-0.9, 0.9],
  acos: [-0.9, 0.9],
  sinh: [-2, 2],
  cosh: [-2, 2],
  asinh: [-3, 3],
  acosh: [1.3, 3],
  atanh: [-0.9, 0.9],
  sigmoid: [-4, 4],
  erfinv: [-0.9, 0.9],
  isInf: undefined,
  isFinite: undefined,
}

const binaryDomain: { readonly [F in BinaryFn]: readonly [number, number] | undefined } = {
  add: [-2, 2],
  sub: [-2, 2],
  mul: [-2, 2],
  div: [0.3, 2],
  pow: [0.3, 2],
  max: [-2, 2],
  min: [-2, 2],
  rem: [0.5, 3],
  eq: undefined,
  ne: undefined,
  lt: undefined,
  le: undefined,
  gt: undefined,
  ge: undefined,
  and: undefined,
  or: undefined,
  xor: undefined,
  shl: undefined,
  shr: undefined,
  atan2: [-2, 2],
}

const within = ([lo, hi]: readonly [number, number], seed: number) =>
  draw(6, seed).map((v) => lo + ((v + 1) / 2) * (hi - lo))

describe('derivatives of every scalar function', () => {
  it.each(unaryFns)('%s', async (fn) => {
    const domain = unaryDomain[fn]
    expect(unaryDerivatives[fn] !== undefined).toBe(domain !== undefined)
    if (domain === undefined) return
    const inputs = [{ shape: [6], data: within(domain, 5) }]
    await checkGradient((x) => build.unary(fn, x), inputs)
    await checkGradient(
      gradientOf((x) => build.unary(fn, x)),
      inputs,
      { tolerance: 1e-5 },
    )
  })

  it.each(binaryFns)('%s', async (fn) => {
    const domain = binaryDomain[fn]
    expect(binaryDerivatives[fn].every((d) => d !== undefined)).toBe(domain !== undefined)
    if (domain === undefined) return
    const inputs = [
      { shape: [6], data: within(domain, 5) },
      { shape: [6], data: within(domain, 9) },
    ]
    await checkGradient((a, b) => build.binary(fn, a, b), inputs)
    await checkGradient(
      gradientOf((a, b) => build.binary(fn, a, b)),
      inputs,
      { tolerance: 1e-5 },
    )
  })

  it.each([-2, -1, 0.5, 1, 2, 3])('pow with the constant exponent %d', async (exponent) => {
    const inputs = [{ shape: [6], data: within([0.3, 2], 3) }]
    const f = (x: Parameters<typeof build.neg>[0]) => build.binary('pow', x, build.constant(exponent, 'float64'))
    await checkGradient(f, inputs)
    await checkGradient(gradientOf(f), inputs, { tolerance: 1e-5 })
  })
})

/** Gradients at one point each, where PyTorch makes a choice. */
const unaryKinks: readonly (readonly [UnaryFn, number, number])[] = [
  ['abs', 0, 0],
  ['sign', 0, 0],
  ['floor', 0.5, 0],
  ['round', 0.5, 0],
  ['sqrt', 0, Number.POSITIVE_INFINITY],
  ['sigmoid', 800, 0],
  ['sigmoid', -800, 0],
  ['tanh', 400, 0],
  ['erf', 30, 0],
]

const binaryKinks: readonly (readonly [BinaryFn, number, number, number, number])[] = [
  ['max', 1, 1, 0.5, 0.5],
  ['min', 1, 1, 0.5, 0.5],
  ['pow', 0, 0, 0, 0],
  ['pow', 0, 2, 0, 0],
  ['pow', 0, 1, 1, 0],
  ['pow', 3, 0, 0, Math.log(3)],
  ['pow', -2, 3, 12, Number.NaN],
  ['atan2', 0, 0, 0, 0],
  ['rem', 7, 2, 1, -3],
]

describe('kinks and corners are those of PyTorch', () => {
  it.each(unaryKinks)("%s'(%d) = %d", async (fn, at, expected) => {
    const x = parameter([1], 'float64')
    const y = build.unary(fn, x)
    const [out] = await program([x], vjpNodes([y], [build.onesLike(y)], [x]))([[at]])
    expect(out?.[0]).toBeCloseTo(expected, 12)
  })

  it.each(binaryKinks)('%s at (%d, %d): %d and %d', async (fn, a, b, da, db) => {
    const xs = [parameter([], 'float64'), parameter([], 'float64')] as const
    const y = build.binary(fn, xs[0], xs[1])
    const grads = await program(xs, vjpNodes([y], [build.onesLike(y)], xs))([[a], [b]])
    // Adding 0 makes -0 into 0.
    expect(grads.map((g) => (g[0] as number) + 0)).toEqual([da, db])
  })

  const against = (fn: 'max' | 'min', c: number, at: number) => {
    const x = parameter([], 'float64')
    const y = build.binary(fn, x, build.constant(c, 'float64'))
    return program([x], vjpNodes([y], [build.onesLike(y)], [x]))([[at]])
  }

  it('relu has slope 0 at 0; clamp keeps the gradient at its bounds', async () => {
    expect(await against('max', 0, 0)).toEqual([[0]])
    expect(await against('max', 0, 2)).toEqual([[1]])
    expect(await against('min', 0, 0)).toEqual([[1]])
    expect(await against('max', -0.5, -0.5)).toEqual([[1]])
    expect(await against('min', 6, 6)).toEqual([[1]])
    expect(await against('min', 6, 7)).toEqual([[0]])
  })

  it('a zero gradient does not meet the infinity of a corner one order higher', async () => {
    const a = parameter([], 'float64')
    const b = parameter([], 'float64')
    const y = build.binary('pow', a, b)
    const first = vjpNodes([y], [build.onesLike(y)], [a, b])
    const second = first.flatMap((g) => vjpNodes([g], [build.onesLike(g)], [a]))
    expect(await program([a, b], second)([[0], [2]])).toEqual([[2], [0]])
  })

  it('amax and amin share the gradient among equals', async () => {
    const x = parameter([2, 3], 'float64')
    const y = build.reduce('max', x, [1])
    const g = vjpNodes([y], [build.onesLike(y)], [x])
    expect(await program([x], g)([[1, 2, 2, 3, 3, 3]])).toEqual([[0, 0.5, 0.5, 1 / 3, 1 / 3, 1 / 3]])
  })

  it('cummax gives the gradient to the latest of equals', async () => {
    const x = parameter([4], 'float64')
    const y = build.cumulative('max', x, 0)
    const g = vjpNodes([y], [build.onesLike(y)], [x])
    expect(await program([x], g)([[1, 3, 3, 2]])).toEqual([[1, 1, 2, 0]])
  })
})
