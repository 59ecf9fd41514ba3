import { build, isDecomposableUnary, type UnaryFn, unaryFacts } from '@tessella/ir'
import { exact, type Tolerance } from '../../tolerance.ts'
import type { Case, NonEmpty, Tolerances } from '../case.ts'
import { viewKinds } from '../inputs.ts'

interface UnaryRow {
  /** Where random elements come from. */
  readonly domain: readonly [number, number]
  /** Elements worth a look beside {@link specials}. */
  readonly points?: readonly number[]
  /** Specials of larger finite magnitude are left out: no accuracy is promised there. */
  readonly limit?: number
  readonly tolerance: Tolerances
}

const nothing: Tolerances = { float32: exact, float64: exact }
/** A bound of this many units in the last place, or absolute in units of the dtype's epsilon. */
const ulps = (ulp: number, epsilons = 0): Tolerances => ({
  float32: { ulp, absolute: epsilons * 2 ** -23 },
  float64: { ulp: 2 * ulp, absolute: epsilons * 2 ** -52 },
})
const relative = (float32: Tolerance, float64: Tolerance): Tolerances => ({ float32, float64 })

const tiny = [1e-3, -1e-3, 1e-5, -1e-5, 1e-8, -1e-8, 1e-20, -1e-20]
const halves = [0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.49999997, -0.49999997, 8388607.5, 8388609, -8388607.5, 1e10]

/** Every function on float32 and float64: the special values of all, then its own domain. */
const rows: { readonly [F in UnaryFn]: UnaryRow } = {
  neg: { domain: [-3, 3], tolerance: nothing },
  abs: { domain: [-3, 3], tolerance: nothing },
  sign: { domain: [-3, 3], tolerance: nothing },
  floor: { domain: [-9, 9], points: halves, tolerance: nothing },
  ceil: { domain: [-9, 9], points: halves, tolerance: nothing },
  round: { domain: [-9, 9], points: halves, tolerance: nothing },
  trunc: { domain: [-9, 9], points: halves, tolerance: nothing },
  sqrt: { domain: [0, 9], points: [4, 2, 1e30, 1e-30], tolerance: ulps(1) },
  exp: { domain: [-20, 20], points: [...tiny, 88, -87, 88.8], limit: 100, tolerance: ulps(4) },
  expm1: { domain: [-5, 5], points: [...tiny, 88, -87], limit: 100, tolerance: ulps(4) },
  log: { domain: [0.01, 20], points: [0.999, 1.001, 1.0000001, 1e-30, 1e30], tolerance: ulps(4) },
  log1p: { domain: [-0.99, 9], points: [...tiny, 1e10, -0.9999], tolerance: ulps(4) },
  sin: { domain: [-30, 30], points: [...tiny, Math.PI, 100, 1000], limit: 1e4, tolerance: ulps(4, 1) },
  cos: { domain: [-30, 30], points: [...tiny, Math.PI / 2, 100, 1000], limit: 1e4, tolerance: ulps(4, 1) },
  atan: { domain: [-5, 5], points: [...tiny, 1e10, -1e10], tolerance: ulps(4) },
  tanh: { domain: [-6, 6], points: [...tiny, 0.6, 9.1, 20, 44, 100, -100], tolerance: ulps(4) },
  erf: { domain: [-4, 4], points: [...tiny, 0.8437, 1.25, 6, -6, 30], tolerance: ulps(4) },
  not: { domain: [0, 1], tolerance: nothing },
  isNan: { domain: [-1, 1], tolerance: nothing },
  reciprocal: { domain: [0.1, 9], points: [-3, 1e30, -1e-30], tolerance: ulps(3) },
  rsqrt: { domain: [0.01, 9], points: [1e30, 1e-30], tolerance: ulps(4) },
  exp2: {
    domain: [-20, 20],
    points: [...tiny, 10, 127, -126],
    limit: 150,
    tolerance: relative({ relative: 4e-6 }, { relative: 1e-13 }),
  },
  log2: { domain: [0.01, 20], points: [0.999, 1.001, 8, 1e-30, 1e30], tolerance: ulps(6) },
  tan: { domain: [-1.5, 1.5], points: [...tiny, 10, 30], limit: 1e2, tolerance: ulps(10) },
  asin: { domain: [-1, 1], points: [...tiny, 0.999, -0.999], tolerance: ulps(8) },
  acos: { domain: [-1, 1], points: [...tiny, 0.999, -0.999], tolerance: ulps(8) },
  sinh: { domain: [-6, 6], points: [...tiny, 80, -80, 88, 89, -89], limit: 100, tolerance: ulps(10) },
  cosh: { domain: [-6, 6], points: [...tiny, 80, -80, 88, 89, -89], limit: 100, tolerance: ulps(10) },
  asinh: { domain: [-9, 9], points: [...tiny, 1e5, -1e5, 1e15, -1e15, 1e30], tolerance: ulps(8) },
  acosh: { domain: [1, 9], points: [1.001, 1e5, 1e15, 1e30, 0.5, -3], tolerance: ulps(8) },
  atanh: { domain: [-0.99, 0.99], points: [...tiny, 0.9999], tolerance: ulps(8) },
  sigmoid: { domain: [-15, 15], points: [...tiny, 80, -80], limit: 100, tolerance: ulps(6, 2 ** -100) },
  erfinv: {
    domain: [-0.99999, 0.99999],
    points: [...tiny, 0.9999995, -0.9999995],
    tolerance: relative({ relative: 1e-5 }, { relative: 1e-10 }),
  },
  isInf: { domain: [-1, 1], tolerance: nothing },
  isFinite: { domain: [-1, 1], tolerance: nothing },
}

/** Values at which float code goes wrong. Float32 rounds the last ones, which is as good. */
export const specials: readonly number[] = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  2,
  -2,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  Number.NaN,
  2 ** -126,
  -(2 ** -126),
  1e-40,
  -1e-40,
  2 ** 24,
  3.4028234663852886e38,
  -3.4028234663852886e38,
]

const integers: { readonly int32: readonly number[]; readonly uint32: readonly number[] } = {
  int32: [0, 1, -1, 2, -2, 7, 31, 32, 33, 2 ** 31 - 1, -(2 ** 31), 65537, -65537, 123456789],
  uint32: [0, 1, 2, 3, 7, 31, 32, 33, 2 ** 31, 2 ** 32 - 1, 65537, 4000000000],
}
export const integerSpecials = (dtype: 'int32' | 'uint32'): readonly number[] => integers[dtype]

const floats: readonly ('float32' | 'float64')[] = ['float32', 'float64']

function floatCases(fn: UnaryFn, row: UnaryRow, dtype: 'float32' | 'float64'): Case[] {
  const { domain, points = [], limit = Number.POSITIVE_INFINITY, tolerance } = row
  const chosen = [...specials, ...points].filter((v) => !Number.isFinite(v) || Math.abs(v) <= limit)
  return [
    { name: `${fn} ${dtype} at special values`, build: (i) => build.unary(fn, i.values(chosen, dtype)), tolerance },
    {
      name: `${fn} ${dtype} over its domain`,
      build: (i) => [1031, 1, 3].map((n) => build.unary(fn, i.random([n], dtype, domain))),
      tolerance,
    },
    // Decomposition happens in the compiler, so views below decomposed functions are a path of their own.
    {
      name: `${fn} ${dtype} of views`,
      build: (i) => {
        const kinds = isDecomposableUnary(fn) ? (['chained'] as const) : (['permuted', 'expanded'] as const)
        return kinds.map((kind) => build.unary(fn, i.viewed(kind, [3, 5, 2], dtype, domain)))
      },
      tolerance,
    },
  ]
}

function otherCases(fn: UnaryFn): Case[] {
  const { on } = unaryFacts[fn]
  const takesIntegers = on === 'number' || on === 'integer' || on === 'logical'
  const dtypes: readonly ('int32' | 'uint32')[] = takesIntegers ? ['int32', 'uint32'] : []
  const cases = dtypes.map(
    (dtype): Case => ({
      name: `${fn} ${dtype}`,
      build: (i) => [build.unary(fn, i.values(integerSpecials(dtype), dtype)), build.unary(fn, i.random([67], dtype))],
    }),
  )
  if (on !== 'logical') return cases
  return [...cases, { name: `${fn} bool`, build: (i) => build.unary(fn, i.random([67], 'bool')) }]
}

function casesOf(fn: UnaryFn): readonly Case[] {
  const inFloat = unaryFacts[fn].on !== 'logical'
  return [...(inFloat ? floats.flatMap((dtype) => floatCases(fn, rows[fn], dtype)) : []), ...otherCases(fn)]
}

export const unaryCases = new Map<UnaryFn, readonly Case[]>(
  (Object.keys(rows) as UnaryFn[]).map((fn) => [fn, casesOf(fn)]),
)

/** The structure around elementwise code, with one cheap function: ranks, sizes, views, empty tensors. */
export const unaryShapeCases: NonEmpty<Case> = [
  {
    name: 'unary on every rank',
    build: (i) =>
      [[], [1], [5], [4, 4], [3, 1, 5], [2, 3, 1, 5], [2, 1, 3, 2, 3], [1, 1, 1]].map((shape) =>
        build.neg(i.random(shape)),
      ),
  },
  { name: 'unary on empty tensors', build: (i) => [build.neg(i.random([0])), build.neg(i.random([3, 0, 2]))] },
  {
    name: 'unary on sizes around vector widths',
    build: (i) =>
      [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 65, 127, 255, 257].map((n) => build.neg(i.random([n]))),
  },
  { name: 'unary on 100003 elements', build: (i) => build.unary('abs', i.random([100003])) },
  ...viewKinds.map(
    (kind): Case => ({
      name: `unary of a ${kind} operand`,
      build: (i) => [[7], [4, 8], [3, 5, 7], [2, 3, 4, 5]].map((shape) => build.neg(i.viewed(kind, shape))),
    }),
  ),
  {
    name: 'a chain of unary functions shared by two outputs',
    build: (i) => {
      const x = build.unary('tanh', build.unary('sin', i.random([5, 9])))
      return [build.neg(x), build.unary('abs', build.permute(x, [1, 0])), x]
    },
    tolerance: { float32: { ulp: 8, absolute: 1e-6 } },
  },
]
