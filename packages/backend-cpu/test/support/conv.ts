import type { Write } from '@tessella/compiler'
import { type ConvAttrs, sizeOf } from '@tessella/ir'
import { expect } from 'vitest'
import type { RoutineKernel } from '../../src/routines/index.ts'
import type { Features } from '../../src/wasm/features.ts'
import { contiguous, featuresOf, plainWrites, RoutineHarness, randomNumbers, result } from './routines.ts'
import { convProducts, outputSizes } from './window.ts'

export type ConvKind = 'conv' | 'convGradInput' | 'convGradWeight'
export interface ConvCase {
  readonly n: number
  /** Input and output channels of a group. */
  readonly c: number
  readonly o: number
  readonly input: readonly number[]
  readonly kernel: readonly number[]
  readonly attrs: ConvAttrs
}

export const plainAttrs = (rank: number): ConvAttrs => ({
  stride: new Array(rank).fill(1),
  dilation: new Array(rank).fill(1),
  padding: new Array(rank).fill([0, 0]),
  groups: 1,
})

interface Special {
  readonly writes?: ((domain: number[]) => Write[]) | undefined
  readonly features?: Partial<Features>
  readonly emit?: ConstructorParameters<typeof RoutineHarness>[4]
}

/** Compares a routine with plain loops in float64. Buffer 0 is the output, 1 and 2 the operands, 3 a bias, 4 like the output. */
export function checkConv(
  kind: ConvKind,
  test: ConvCase,
  seed: number,
  { writes, features, emit }: Special = {},
): void {
  const { attrs } = test
  const x = [test.n, test.c * attrs.groups, ...test.input]
  const w = [test.o * attrs.groups, test.c, ...test.kernel]
  const y = [test.n, test.o * attrs.groups, ...outputSizes(test.input, test.kernel, attrs)]
  const [a, b, domain] = kind === 'conv' ? [x, w, y] : kind === 'convGradInput' ? [y, w, x] : [x, y, w]
  const kernel: RoutineKernel = {
    kind,
    domain,
    dtype: 'float32',
    attrs,
    a: { buffer: 1, shape: a },
    b: { buffer: 2, shape: b },
    writes: writes?.(domain) ?? [{ buffer: 0, at: contiguous(domain), value: result }],
  }
  const size = sizeOf(domain)
  const lengths = [size, sizeOf(a), sizeOf(b), domain[1]!, size]
  const harness = new RoutineHarness(kernel, lengths, seed % 3, { ...featuresOf(seed), ...features }, emit)
  const random = randomNumbers(seed)
  for (const array of harness.arrays) for (let i = 0; i < array.length; i++) array[i] = random()
  const expected = harness.arrays.map((array) => array.slice())
  const sums = new Float64Array(size)
  const [p, q] = [expected[1]!, expected[2]!]
  let terms = 0
  convProducts(x, w, y, attrs, (xi, wi, yi) => {
    terms++
    if (kind === 'conv') sums[yi]! += p[xi]! * q[wi]!
    else if (kind === 'convGradInput') sums[xi]! += p[yi]! * q[wi]!
    else sums[wi]! += p[xi]! * q[yi]!
  })
  plainWrites(kernel, expected, (_, flat) => sums[flat]!)
  harness.run()
  const tolerance = 1e-6 * (terms / size + 8)
  for (const [i, e] of expected.entries())
    for (let j = 0; j < e.length; j++)
      if (!(Math.abs(harness.arrays[i]![j]! - e[j]!) <= tolerance))
        expect.fail(
          `buffer ${i} element ${j}: ${harness.arrays[i]![j]} instead of ${e[j]} in ${JSON.stringify(kernel)}`,
        )
}
