import type { Affine, Write } from '@tessella/compiler'
import { sizeOf } from '@tessella/ir'
import type { RoutineKernel } from '../../src/routines/index.ts'
import { planOf } from '../../src/routines/matmulPlan.ts'
import { unitsOf } from '../../src/routines/matmulUnits.ts'
import { shapeOf } from '../../src/routines/pooled/choice.ts'
import { spreadOf } from '../../src/routines/pooled/spread.ts'
import { placesBytes } from '../../src/routines/poolPlaces.ts'
import { isWinograd } from '../../src/routines/winograd/choice.ts'
import { binary, constant, contiguous, load, RoutineHarness, randomNumbers, result } from './routines.ts'
import { outputSizes } from './window.ts'

/*
 * Random routines in the form for engines that merge vectors in pairs, with the bits of their results. Run as a script
 * (node [flags] wideCases.ts FIRST COUNT) it prints one hash per case.
 */

interface Case {
  readonly kernel: RoutineKernel
  readonly lengths: readonly number[]
}

/** Bias and relu, or a residual, or nothing; dimension 1 has the bias. */
function epilogue(domain: readonly number[], choice: number): Write[] {
  const whole = contiguous(domain)
  const bias: Affine = { offset: 0, strides: domain.map((_, d) => (d === 1 ? 1 : 0)) }
  const values = [
    result,
    binary('max', binary('add', result, load(3, bias)), constant(0)),
    binary('sub', load(0, whole), binary('mul', constant(0.5), result)),
  ]
  return [{ buffer: 0, at: whole, value: values[choice % 3] ?? result }]
}

interface Product {
  /** Least and most of M, N and K. */
  readonly sizes: readonly (readonly [number, number])[]
  /** Whether the operands are transposed; by chance where it is not said. */
  readonly layout?: 'NN' | 'NT'
}

function productOf(choice: number): Product {
  switch (choice) {
    // So large that K goes in pieces.
    case 8:
      return {
        sizes: [
          [130, 150],
          [203, 230],
          [3000, 3200],
        ],
      }
    // A few rows and a large right operand.
    case 12:
      return {
        sizes: [
          [1, 4],
          [1500, 2500],
          [90, 130],
        ],
        layout: 'NN',
      }
    // Long dot products.
    case 4:
      return {
        sizes: [
          [1, 12],
          [1, 70],
          [64, 200],
        ],
        layout: 'NT',
      }
    default:
      return {
        sizes: [
          [1, 30],
          [1, 70],
          [1, 40],
        ],
      }
  }
}

const isMany = (seed: number): boolean => [1, 3, 6].includes(seed % 8)

/** Gradients by the elements of a pool. */
const isPooled = (seed: number): boolean => [2, 7].includes(seed % 16)

function caseOf(seed: number): Case {
  const random = randomNumbers(seed + 1)
  const pick = (low: number, high: number) => low + Math.floor(((random() + 1) / 2) * (high - low + 1))
  const kind = (['matmul', 'conv', 'convGradInput', 'convGradWeight'] as const)[seed % 4] ?? 'matmul'
  if (kind === 'matmul') {
    const { sizes, layout } = productOf(seed % 16)
    const [m, n, k] = sizes.map(([low, high]) => pick(low, high)) as [number, number, number]
    const nn = layout === undefined ? random() > 0 : layout[0] === 'N'
    const bn = layout === undefined ? random() > 0 : layout[1] === 'N'
    const kernel: RoutineKernel = {
      kind,
      domain: [m, n],
      k,
      dtype: 'float32',
      a: { buffer: 1, offset: 0, batchStrides: [], rowStride: nn ? k : 1, colStride: nn ? 1 : m },
      b: { buffer: 2, offset: 0, batchStrides: [], rowStride: bn ? n : 1, colStride: bn ? 1 : k },
      writes: epilogue([m, n], pick(0, 2)),
    }
    return { kernel, lengths: [m * n, m * k, k * n, n] }
  }
  // Some of them with so many channels that Winograd pays.
  const many = isMany(seed)
  const pooled = isPooled(seed)
  const kernelSize = many ? [3, 3] : pooled ? [pick(3, 5), 5] : [pick(1, 4), pick(1, 5)]
  const attrs = {
    stride: many || pooled ? [1, 1] : [pick(1, 2), pick(1, 2)],
    dilation: [1, 1],
    padding: [
      [pick(0, 1), pick(0, 1)],
      [pick(0, 1), pick(0, 1)],
    ] as const,
    groups: 1,
  }
  const input = kernelSize.map((s) => s + pick(1, 28))
  const x = [many ? 4 : pick(1, 3), many ? pick(18, 24) : pick(1, 7), ...input]
  const w = [many ? pick(18, 24) : pick(1, 13), x[1] as number, ...kernelSize]
  const y = [x[0] as number, w[0] as number, ...outputSizes(input, kernelSize, attrs)]
  const [a, b, domain] = kind === 'conv' ? [x, w, y] : kind === 'convGradInput' ? [y, w, x] : [x, y, w]
  const operands = { a: { buffer: 1, shape: a }, b: { buffer: 2, shape: b } }
  const kernel = {
    kind,
    domain,
    dtype: 'float32',
    attrs,
    ...operands,
    writes: epilogue(domain, pick(0, 2)),
  } as const
  const lengths = [sizeOf(domain), sizeOf(a), sizeOf(b), domain[1] as number]
  if (!pooled) return { kernel, lengths }
  // Any bytes are places.
  const windows = sizeOf(y.map((size, d) => (d < 2 ? size : Math.floor(size / 2))))
  const bytes = (y[0] as number) * (y[1] as number) * placesBytes(y)
  lengths.push(windows, Math.ceil(bytes / 4), spreadOf(shapeOf(kernel)).length)
  return { kernel: { ...kernel, pooled: { values: 4, places: 5, weights: 6 } }, lengths }
}

/** Whether a case is a gradient by the elements of a pool. */
export const isPooledCase = (seed: number): boolean => 'pooled' in caseOf(seed).kernel

/** Whether a case is computed by Winograd. */
export function isWinogradCase(seed: number): boolean {
  const { kernel } = caseOf(seed)
  return kernel.kind.startsWith('conv') && isWinograd(kernel as Parameters<typeof isWinograd>[0])
}

/** Whether a case is a product that goes over K in pieces. */
export function isInPieces(seed: number): boolean {
  const { kernel } = caseOf(seed)
  if (kernel.kind !== 'matmul') return false
  return unitsOf(planOf(kernel, { mergeable: () => true, apart: () => 0, repeatable: true })).pieces > 1
}

/** FNV-1a of the bits of the first buffer after one run. */
export function hashOf(seed: number): number {
  const { kernel, lengths } = caseOf(seed)
  const harness = new RoutineHarness(kernel, lengths, 0, { wide: true, accurate: seed % 3 === 0 })
  const random = randomNumbers(seed + 1)
  for (const array of harness.arrays) for (let i = 0; i < array.length; i++) array[i] = random()
  harness.run()
  const out = harness.arrays[0] as Float32Array
  let hash = 0x811c9dc5
  for (const bits of new Uint32Array(out.slice().buffer)) hash = Math.imul(hash ^ bits, 0x01000193)
  return hash >>> 0
}

const [, script, first, count] = process.argv
if (script?.endsWith('wideCases.ts')) {
  const hashes = Array.from({ length: Number(count) }, (_, i) => hashOf(Number(first) + i))
  process.stdout.write(JSON.stringify(hashes))
}
