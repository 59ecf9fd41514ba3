import { type Affine, accessOf, type BufferPlan, type Expr, type Kernel, type Program } from '@tessella/compiler'
import { type Dims, sameShape, stridesOf } from '@tessella/ir'
import { type GradientKernel, pooledPays, shapeOf } from '../routines/pooled/choice.ts'
import { spreadKernels, spreadOf } from '../routines/pooled/spread.ts'
import { none, placesBytes, placesRow } from '../routines/poolPlaces.ts'
import { aligned } from '../routines/workspace.ts'
import { overlap } from './footprint.ts'

type PoolGradient = Extract<Kernel, { kind: 'maxPoolGrad' | 'maxPoolPick' }> & { readonly places: number }
type Reduce = Extract<Kernel, { kind: 'reduce' }>

/**
 * Gradients of convolutions before pools that keep places read the pool's gradient, which has an element per window, where it
 * pays, and so do sums over what the pool's gradient would write. If nothing else reads that, it is not computed.
 */
export function pooledGradients(program: Program): Program {
  const kernels: (Kernel | undefined)[] = [...program.kernels]
  const buffers = [...program.buffers]
  /** Kernels to be inserted before the one with this number. */
  const inserted = new Map<number, Kernel[]>()
  let temporaryBytes = aligned(program.temporaryBytes)
  const spread = (kernel: GradientKernel, at: number): number => {
    const shape = shapeOf(kernel)
    const { length } = spreadOf(shape)
    const plan: BufferPlan = { dtype: 'float32', length, place: { kind: 'temporary', offset: temporaryBytes } }
    temporaryBytes += aligned(4 * length)
    const to = buffers.push(plan) - 1
    // Early, so that chains need not be brought forward over them.
    const after = program.kernels.slice(0, at).findLastIndex((k) => writes(program, k, kernel.b.buffer))
    inserted.set(after + 1, [...(inserted.get(after + 1) ?? []), ...spreadKernels(shape, kernel.b.buffer, to)])
    return to
  }
  for (const [i, pool] of program.kernels.entries()) {
    if (!isPlain(program, pool)) continue
    const made = pool.writes[0]?.buffer as number
    const { other, places } = pool
    for (let j = i + 1; j < kernels.length; j++) {
      const kernel = kernels[j] as Kernel
      if (readsGradient(kernel, made) && pooledPays(kernel) && isThere(program, pool, i, j)) {
        const weights = kernel.kind === 'convGradInput' ? { weights: spread(kernel, j) } : {}
        kernels[j] = { ...kernel, pooled: { values: other.buffer, places, ...weights } }
      } else if (kernel.kind === 'reduce' && isThere(program, pool, i, j)) {
        kernels[j] = sumOfWindows(kernel, pool, made) ?? kernel
      }
    }
    if (!kernels.some((k, j) => k && j !== i && touches(k, made))) kernels[i] = undefined
  }
  const all = kernels.flatMap((k, i) => [...(inserted.get(i) ?? []), ...(k ? [k] : [])])
  return { ...program, kernels: all, buffers, temporaryBytes }
}

/** Whether a kernel is the gradient of a pool by places that goes as it is to a buffer of its own. */
function isPlain(program: Program, kernel: Kernel): kernel is PoolGradient {
  if (kernel.kind !== 'maxPoolGrad' || kernel.places === undefined) return false
  const [write, ...more] = kernel.writes
  if (!write || more.length > 0 || write.value.kind !== 'result' || write.at.offset !== 0) return false
  const { place } = program.buffers[write.buffer] as BufferPlan
  const others = program.kernels.filter((k) => k !== kernel && writes(program, k, write.buffer))
  return place.kind === 'temporary' && others.length === 0 && sameShape(write.at.strides, stridesOf(kernel.domain))
}

function readsGradient(kernel: Kernel, buffer: number): kernel is GradientKernel {
  if (kernel.kind === 'convGradInput') return kernel.a.buffer === buffer && kernel.b.buffer !== buffer
  return kernel.kind === 'convGradWeight' && kernel.b.buffer === buffer && kernel.a.buffer !== buffer
}

/** Whether what the pool's gradient reads is still there when kernel `at` has written. */
const isThere = (program: Program, { other, places }: PoolGradient, from: number, at: number): boolean =>
  program.kernels
    .slice(from, at + 1)
    .every((k) => !writes(program, k, other.buffer) && (k.kind === 'maxPool' ? k.places !== places : true))

const writes = (program: Program, kernel: Kernel, buffer: number): boolean =>
  accessOf(kernel).writes.some((w) => overlap(program, w.buffer, buffer))

function touches(kernel: Kernel, buffer: number): boolean {
  const access = accessOf(kernel)
  return access.operands.has(buffer) || [...access.loads, ...access.writes].some((t) => t.buffer === buffer)
}

/** A sum over planes of the pool's gradient as one over the windows of those planes. */
function sumOfWindows(kernel: Reduce, { domain, places, other }: PoolGradient, made: number): Reduce | undefined {
  const [accumulator, ...more] = kernel.accumulators
  if (!accumulator || more.length > 0 || accumulator.fn !== 'sum') return undefined
  const { value } = accumulator
  if (value.kind !== 'load' || value.buffer !== made || value.at.offset !== 0) return undefined
  const [height, width] = domain.slice(2) as [number, number]
  const outside = kernel.domain.length
  const { strides } = value.at
  const planes = planeDimensions(kernel.inner, strides.slice(outside), height, width)
  const outer = strides.slice(0, strides.length - planes)
  if (planes === 0 || !outer.every((s) => s % (height * width) === 0)) return undefined
  const [rows, columns] = [Math.floor(height / 2), Math.floor(width / 2)]
  const row = placesRow(width)
  const even = row === columns
  const at = (plane: number, ofRow: number): Affine => ({
    offset: 0,
    strides: [...outer.map((s) => (s / (height * width)) * plane), ...(even ? [1] : [ofRow, 1])],
  })
  const place: Expr = { kind: 'load', dtype: 'uint8', buffer: places, at: at(placesBytes(domain), row) }
  const sum: Expr = {
    kind: 'select',
    dtype: 'float32',
    condition: {
      kind: 'binary',
      dtype: 'bool',
      fn: 'eq',
      a: { kind: 'cast', dtype: 'int32', x: place },
      b: { kind: 'constant', dtype: 'int32', value: none },
    },
    a: { kind: 'constant', dtype: 'float32', value: 0 },
    b: { kind: 'load', dtype: 'float32', buffer: other.buffer, at: at(rows * columns, columns) },
  }
  const inner = [...kernel.inner.slice(0, kernel.inner.length - planes), ...(even ? [rows * columns] : [rows, columns])]
  return { ...kernel, inner, accumulators: [{ ...accumulator, value: sum }] }
}

/** How many of the last dimensions go over the elements of a plane; 0 if they do not. */
function planeDimensions(sizes: Dims, strides: Dims, height: number, width: number): number {
  const [size, stride] = [sizes.at(-1), strides.at(-1)]
  if (stride !== 1) return 0
  if (size === height * width) return 1
  return size === width && sizes.at(-2) === height && strides.at(-2) === width ? 2 : 0
}
