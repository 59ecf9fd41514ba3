import type { Affine, Write } from '@tessella/compiler'
import { sizeOf } from '@tessella/ir'
import { describe, expect, it } from 'vitest'
import type { RoutineKernel } from '../src/routines/index.ts'
import { planOf } from '../src/routines/matmulPlan.ts'
import { unitsOf } from '../src/routines/matmulUnits.ts'
import {
  binary,
  constant,
  contiguous,
  featuresOf,
  load,
  plainWrites,
  RoutineHarness,
  randomNumbers,
  result,
} from './support/routines.ts'

type Matmul = Extract<RoutineKernel, { kind: 'matmul' }>
type Layout = 'NN' | 'NT' | 'TN' | 'TT'

interface Case {
  readonly batch?: readonly number[]
  readonly m: number
  readonly n: number
  readonly k: number
  readonly layout: Layout
  /** The right operand is the same for the whole batch. */
  readonly shared?: boolean
  readonly gap?: number
}

/** Buffer 0 is the output, then a, b and two epilogue operands. */
function build({ batch = [], m, n, k, layout, shared = false, gap = 0 }: Case, writes?: (domain: number[]) => Write[]) {
  const domain = [...batch, m, n]
  const lda = (layout[0] === 'N' ? k : m) + gap
  const ldb = (layout[1] === 'N' ? n : k) + gap
  const sizeA = (layout[0] === 'N' ? m : k) * lda
  const sizeB = (layout[1] === 'N' ? k : n) * ldb
  const strides = (size: number) => contiguous(batch).strides.map((s) => s * size)
  const kernel: Matmul = {
    kind: 'matmul',
    domain,
    k,
    dtype: 'float32',
    a: {
      buffer: 1,
      offset: 1,
      batchStrides: strides(sizeA),
      rowStride: layout[0] === 'N' ? lda : 1,
      colStride: layout[0] === 'N' ? 1 : lda,
    },
    b: {
      buffer: 2,
      offset: 0,
      batchStrides: shared ? batch.map(() => 0) : strides(sizeB),
      rowStride: layout[1] === 'N' ? ldb : 1,
      colStride: layout[1] === 'N' ? 1 : ldb,
    },
    writes: writes?.(domain) ?? [{ buffer: 0, at: contiguous(domain), value: result }],
  }
  const batches = sizeOf(batch)
  const last = layout[1] === 'N' ? (k - 1) * ldb + n : (n - 1) * ldb + k
  const lengths = [sizeOf(domain), 1 + sizeA * batches, (shared ? 0 : sizeB * (batches - 1)) + last, n, sizeOf(domain)]
  return { kernel, lengths }
}

function check({ kernel, lengths }: ReturnType<typeof build>, seed: number): void {
  const harness = new RoutineHarness(kernel, lengths, seed % 3, featuresOf(seed))
  const random = randomNumbers(seed)
  for (const a of harness.arrays) for (let i = 0; i < a.length; i++) a[i] = random()
  const expected = harness.arrays.map((a) => a.slice())
  const { a, b, k, domain } = kernel
  const rank = domain.length
  plainWrites(kernel, expected, (index) => {
    let at = a.offset + index[rank - 2]! * a.rowStride
    let bt = b.offset + index[rank - 1]! * b.colStride
    for (let d = 0; d < rank - 2; d++) {
      at += index[d]! * a.batchStrides[d]!
      bt += index[d]! * b.batchStrides[d]!
    }
    let sum = 0
    for (let i = 0; i < k; i++) sum += expected[1]![at + i * a.colStride]! * expected[2]![bt + i * b.rowStride]!
    return sum
  })
  harness.run()
  for (const [i, e] of expected.entries()) {
    const actual = harness.arrays[i]!
    for (let j = 0; j < e.length; j++)
      if (!(Math.abs(actual[j]! - e[j]!) <= 1e-6 * (k + 4)))
        expect.fail(`buffer ${i} element ${j}: ${actual[j]} instead of ${e[j]} in ${JSON.stringify(kernel)}`)
  }
}

describe('matmul', () => {
  it('multiplies any sizes in any layout', () => {
    const random = randomNumbers(7)
    const pick = (most: number) => 1 + Math.floor(((random() + 1) / 2) * most)
    const layouts = ['NN', 'NT', 'TN', 'TT'] as const
    for (let i = 0; i < 120; i++) {
      const size = { m: pick(i % 3 ? 14 : 4), n: pick(i % 5 ? 19 : 60), k: pick(12) }
      check(build({ ...size, layout: layouts[i % 4]!, gap: i % 2 ? 0 : 3 }), i)
    }
  })

  it('multiplies batches, also with one right operand', () => {
    for (const layout of ['NN', 'NT', 'TN', 'TT'] as const) {
      check(build({ batch: [3], m: 7, n: 5, k: 6, layout }), 1)
      check(build({ batch: [2, 3], m: 5, n: 9, k: 3, layout, shared: true }), 2)
      check(build({ batch: [2, 1, 2], m: 1, n: 8, k: 4, layout }), 3)
    }
  })

  it('copies row tiles of a transposed operand', () => {
    check(build({ m: 27, n: 33, k: 5, layout: 'TN' }), 1)
    check(build({ batch: [2], m: 20, n: 40, k: 3, layout: 'TN' }), 2)
    check(build({ m: 40, n: 21, k: 4, layout: 'TT' }), 3)
  })

  it('does few rows as dot products', () => {
    for (let m = 1; m <= 5; m++)
      for (const n of [1, 3, 4, 8, 11]) {
        check(build({ m, n, k: 8 + ((m * n) % 9), layout: 'NT' }), m * n)
        check(build({ batch: [2], m: n, n: 1, k: 11, layout: 'NN', gap: 2 }), m)
      }
  })

  it('goes over large matrices in strips', () => {
    for (const layout of ['NN', 'TN', 'NT'] as const) check(build({ m: 130, n: 300, k: 700, layout }), 1)
    check(build({ batch: [2], m: 29, n: 130, k: 1500, layout: 'TN' }), 2)
  })

  it('goes over a long K in pieces, with sums in memory in between', () => {
    const plain = (domain: number[]): Write[] => [{ buffer: 0, at: contiguous(domain), value: result }]
    const biased = (domain: number[]): Write[] => {
      const at = contiguous(domain)
      return [{ buffer: 0, at, value: binary('max', binary('sub', load(4, at), result), constant(0)) }]
    }
    const cases = [
      [1, { m: 131, n: 203, k: 3000, layout: 'NN' }, plain],
      [2, { m: 130, n: 203, k: 3001, layout: 'TN' }, plain],
      [2, { m: 130, n: 205, k: 3000, layout: 'NT' }, biased],
      [1, { batch: [2], m: 130, n: 303, k: 3000, layout: 'NN', gap: 3 }, biased],
    ] as const
    for (const [seed, sizes, writes] of cases) {
      const built = build(sizes, writes)
      const wide = seed === 2
      const plan = planOf(built.kernel, { mergeable: () => wide, apart: () => 0, repeatable: writes === plain })
      expect(unitsOf(plan).pieces).toBe(6)
      check(built, seed)
    }
  })

  it('is cut so that every row tile and every strip is in one unit', () => {
    for (const [m, n, k] of [
      [2048, 2048, 2048],
      [512, 512, 512],
      [120, 784, 1000],
      [4096, 64, 4096],
      [256, 10000, 64],
      [6, 3000, 3000],
    ] as const) {
      const plan = planOf(build({ m, n, k, layout: 'NN' }).kernel, {
        mergeable: () => true,
        apart: () => 0,
        repeatable: true,
      })
      const u = unitsOf(plan)
      const full = Math.floor(plan.lanes / (4 * plan.width))
      expect(u.blocks).toBe(Math.ceil(plan.rowSplit.pieces / u.rowTiles))
      expect(u.parts).toBe(Math.ceil(u.strips / u.perPart))
      expect(u.strips).toBe(Math.floor(full / u.tiles))
      expect((u.pieces - 1) * u.size + u.last).toBe(k)
      expect(u.blocks * u.parts).toBeGreaterThan(1)
    }
  })

  it('packs rows that are multiples of 4096 bytes apart', () => {
    check(build({ m: 50, n: 1024, k: 3, layout: 'NN' }), 1)
  })

  it('has pairs of vectors overlap at the end of rows, unless results replace what they were made from', () => {
    const plain = (domain: number[]): Write[] => [{ buffer: 0, at: contiguous(domain), value: result }]
    const inPlace = (domain: number[]): Write[] => {
      const at = contiguous(domain)
      return [{ buffer: 0, at, value: binary('sub', load(0, at), result) }]
    }
    const wide = 2
    for (const layout of ['NN', 'NT', 'TN', 'TT'] as const)
      for (const n of [9, 10, 12, 15, 17, 20, 28, 31])
        for (const writes of [plain, inPlace]) check(build({ batch: [2], m: 13, n, k: 9, layout }, writes), wide)
    check(build({ m: 130, n: 303, k: 700, layout: 'NN' }, plain), wide)
    check(build({ m: 130, n: 299, k: 700, layout: 'NT' }, plain), wide)
  })

  it('applies bias, relu and residual, and writes transposed and twice', () => {
    const writes = (domain: number[]): Write[] => {
      const row: Affine = { offset: 0, strides: domain.map((_, d) => (d === domain.length - 1 ? 1 : 0)) }
      const biased = binary('max', binary('add', result, load(3, row)), constant(0))
      const whole = contiguous(domain)
      const turned: Affine = { offset: 0, strides: [1, domain[0]!] }
      return [
        { buffer: 0, at: turned, value: biased },
        { buffer: 4, at: whole, value: binary('sub', load(4, whole), binary('mul', constant(0.5), result)) },
      ]
    }
    for (const layout of ['NN', 'NT', 'TN', 'TT'] as const)
      for (const [m, n] of [
        [13, 11],
        [6, 8],
        [1, 50],
        [9, 1],
        [4, 3],
      ] as const)
        check(build({ m, n, k: 5, layout }, writes), m)
  })

  it('applies long epilogues apart, along their own rows', () => {
    /** Much arithmetic with an operand that lies like the results, or across them. */
    const writes =
      (across: boolean) =>
      (domain: number[]): Write[] => {
        const [rows, columns] = domain.slice(-2) as [number, number]
        const own = contiguous(domain)
        const turned = [...own.strides.slice(0, -2), 1, rows]
        const at = across && columns > 0 ? { offset: 0, strides: turned } : own
        let value = result
        for (let i = 0; i < 9; i++) value = binary('mul', binary('add', value, load(4, at)), constant(0.5 + i / 16))
        return [{ buffer: 0, at, value }]
      }
    for (const layout of ['NN', 'NT', 'TN'] as const)
      for (const [m, n] of [
        [1, 1],
        [5, 7],
        [13, 30],
        [48, 21],
      ] as const)
        for (const across of [false, true]) check(build({ m, n, k: 5, layout }, writes(across)), m + n)
    check(build({ batch: [3], m: 6, n: 10, k: 4, layout: 'NN' }, writes(false)), 1)
  })

  it('writes backwards', () => {
    const writes = (domain: number[]): Write[] => {
      const { strides } = contiguous(domain)
      return [{ buffer: 0, at: { offset: sizeOf(domain) - 1, strides: strides.map((s) => -s) }, value: result }]
    }
    check(build({ m: 8, n: 14, k: 3, layout: 'NN' }, writes), 1)
  })
})
