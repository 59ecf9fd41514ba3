import { type BinaryFn, binaryFacts, build, type DType } from '@tessella/ir'
import { exact } from '../../tolerance.ts'
import type { Case, NonEmpty, Tolerances } from '../case.ts'
import { type Inputs, viewKinds } from '../inputs.ts'
import { integerSpecials, specials } from './unaryCases.ts'

type Pair = readonly [number, number]

interface BinaryRow {
  readonly a: Pair
  readonly b: Pair
  readonly pairs?: readonly Pair[]
  /** Special pairs on which the language makes no promise. */
  readonly leaveOut?: (a: number, b: number) => boolean
  readonly tolerance?: Tolerances
}

const nothing: Tolerances = { float32: exact, float64: exact }
const wide: BinaryRow = { a: [-4, 4], b: [-4, 4], tolerance: nothing }
const integral: readonly Pair[] = [
  [0, 1],
  [5, 5],
  [6, 3],
]
const near: Tolerances = { float32: { ulp: 3 }, float64: { ulp: 3 } }
const quarters: readonly Pair[] = Array.from({ length: 64 }, (_, i) => [(i - 32) / 4, 0.25 + (i % 7) / 4])

/** Powers of one, of the infinities and of zero by NaN differ between standards; we promise nothing there. */
const unclearPower = (a: number, b: number): boolean =>
  Number.isNaN(a) || Number.isNaN(b) || (Math.abs(a) === 1 && !Number.isFinite(b))

const rows: { readonly [F in BinaryFn]: BinaryRow } = {
  add: wide,
  sub: wide,
  mul: wide,
  div: { ...wide, tolerance: near },
  pow: {
    a: [0.1, 4],
    b: [-3, 3],
    pairs: [
      [-2, 3],
      [-2, 2],
      [-1.5, -3],
      [-8, 1 / 3],
      [2, 10],
      [10, -2],
      [0.3, 0],
      [0.999, 1000],
      [-1, 5],
    ],
    leaveOut: unclearPower,
    tolerance: { float32: { relative: 1e-5 }, float64: { relative: 1e-12 } },
  },
  max: wide,
  min: wide,
  // Quarters make every quotient and product exact, so an answer off by a whole divisor is a mistake.
  rem: {
    a: [-4, 4],
    b: [1, 2],
    pairs: quarters,
    tolerance: { float32: { absolute: 2e-6 }, float64: { absolute: 1e-14 } },
  },
  eq: { ...wide, pairs: integral },
  ne: { ...wide, pairs: integral },
  lt: { ...wide, pairs: integral },
  le: { ...wide, pairs: integral },
  gt: { ...wide, pairs: integral },
  ge: { ...wide, pairs: integral },
  and: wide,
  or: wide,
  xor: wide,
  shl: wide,
  shr: wide,
  atan2: { ...wide, tolerance: { float32: { ulp: 6 }, float64: { ulp: 10 } } },
}

const cross = (values: readonly number[]): Pair[] => values.flatMap((a) => values.map((b): Pair => [a, b]))

function pairsCase(name: string, fn: BinaryFn, dtype: DType, pairs: readonly Pair[], tolerance?: Tolerances): Case {
  const make = (i: Inputs) => {
    const a = pairs.map((p) => p[0])
    const b = pairs.map((p) => p[1])
    return build.binary(fn, i.values(a, dtype), i.values(b, dtype))
  }
  return tolerance ? { name, build: make, tolerance } : { name, build: make }
}

function floatCases(fn: BinaryFn, row: BinaryRow, dtype: 'float32' | 'float64'): Case[] {
  const chosen = [...cross(specials), ...(row.pairs ?? [])].filter(([a, b]) => !row.leaveOut?.(a, b))
  // The remainder of random operands may sit on either side of a jump.
  const operands = (i: Inputs, n: number) =>
    fn === 'rem'
      ? ([i.random([n], dtype, [-8, 8]), build.shift(build.unary('floor', i.random([n], dtype, [0, 5])), 9)] as const)
      : ([i.random([n], dtype, row.a), i.random([n], dtype, row.b)] as const)
  return [
    pairsCase(`${fn} ${dtype} at special values`, fn, dtype, chosen, row.tolerance),
    {
      name: `${fn} ${dtype} over its domain`,
      build: (i) => [1031, 1, 3].map((n) => build.binary(fn, ...operands(i, n))),
      ...(row.tolerance ? { tolerance: row.tolerance } : {}),
    },
  ]
}

function casesOf(fn: BinaryFn): readonly Case[] {
  const { on } = binaryFacts[fn]
  const row = rows[fn]
  const cases: Case[] = []
  if (on === 'float' || on === 'number' || on === 'ordered')
    for (const dtype of ['float32', 'float64'] as const) cases.push(...floatCases(fn, row, dtype))
  if (on !== 'float')
    for (const dtype of ['int32', 'uint32'] as const) {
      cases.push(pairsCase(`${fn} ${dtype} at special values`, fn, dtype, cross(integerSpecials(dtype))))
      cases.push({
        name: `${fn} ${dtype} at random`,
        build: (i) => build.binary(fn, i.random([517], dtype), i.random([517], dtype)),
      })
    }
  if (on === 'logical' || on === 'ordered') {
    cases.push(pairsCase(`${fn} bool truth table`, fn, 'bool', cross([0, 1])))
    cases.push({ name: `${fn} bool`, build: (i) => build.binary(fn, i.random([83], 'bool'), i.random([83], 'bool')) })
  }
  return cases
}

export const binaryCases = new Map<BinaryFn, readonly Case[]>(
  (Object.keys(rows) as BinaryFn[]).map((fn) => [fn, casesOf(fn)]),
)

export const binaryShapeCases: NonEmpty<Case> = [
  {
    name: 'binary with broadcast operands',
    build: (i) =>
      (
        [
          [[5], []],
          [[4, 5], [5]],
          [
            [4, 5],
            [4, 1],
          ],
          [
            [4, 1, 3],
            [5, 1],
          ],
          [
            [2, 3, 4, 5],
            [3, 1, 1],
          ],
          [
            [1, 3, 1, 5],
            [2, 1, 4, 1],
          ],
          [[257], [1]],
        ] as const
      ).map(([a, b]) => build.sub(i.random(a), i.random(b))),
  },
  {
    name: 'binary of one operand with its transpose',
    build: (i) => {
      const x = i.random([33, 33])
      return build.sub(x, build.transpose(x))
    },
  },
  { name: 'binary on empty tensors', build: (i) => build.add(i.random([2, 0, 3]), i.random([2, 0, 3])) },
  ...viewKinds.map(
    (kind): Case => ({
      name: `binary of plain and ${kind} operands`,
      build: (i) =>
        [[9], [4, 8], [3, 5, 7], [2, 3, 4, 5]].map((shape) => build.sub(i.random(shape), i.viewed(kind, shape))),
    }),
  ),
  {
    name: 'comparison, logic and selection together',
    build: (i) => {
      const x = i.random([7, 9])
      const y = i.random([9])
      const low = build.binary('lt', x, y)
      const small = build.binary('lt', build.unary('abs', x), build.constant(1))
      const both = build.binary('and', low, build.unary('not', small))
      return [both, build.select(both, x, build.broadcastTo(y, [7, 9])), build.cast(both, 'float32')]
    },
  },
]
