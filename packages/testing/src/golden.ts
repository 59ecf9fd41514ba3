/** The fixture files: cases computed in float64 by PyTorch from inputs that are exact in float32. */
export const goldenFiles = [
  'activations',
  'conv',
  'layers',
  'losses',
  'norm',
  'optimizers',
  'pool',
  'schedules',
  'sequence',
  'tensor',
  'transforms',
] as const
export type GoldenFile = (typeof goldenFiles)[number]

export interface GoldenTensor {
  readonly shape: readonly number[]
  readonly dtype: 'float32' | 'int32' | 'bool'
  readonly data: readonly number[]
}
type Tensors = Readonly<Record<string, GoldenTensor>>

/** One call of an operation: what went in, what came out, and the gradients for the cotangent `inputs.dy`. */
export interface GoldenCase {
  readonly name: string
  readonly op: string
  readonly attrs: Readonly<Record<string, unknown>>
  readonly inputs: Tensors
  readonly outputs: Tensors
  /** Empty where the file has none. */
  readonly grads: Tensors
}

/** Bounds for float32 results, relative to the largest expected magnitude of the tensor. */
export const goldenTolerance = 1e-5

type Raw = Readonly<Record<string, GoldenTensor | readonly number[]>>
interface RawCase {
  readonly name: string
  readonly op: string
  readonly attrs: Readonly<Record<string, unknown>>
  readonly inputs: Raw
  readonly outputs: Raw
  readonly grads?: Raw
}

/** Schedules are written as plain lists: tensors of one dimension. */
function tensors(raw: Raw = {}): Tensors {
  return Object.fromEntries(
    Object.entries(raw).map(([name, t]) => [name, 'shape' in t ? t : { shape: [t.length], dtype: 'float32', data: t }]),
  )
}

async function load(file: GoldenFile): Promise<{ readonly cases: readonly RawCase[] }> {
  const url = new URL(`../golden/${file}.json`, import.meta.url)
  if (url.protocol !== 'file:') return (await fetch(url)).json()
  const { readFile } = await import('node:fs/promises')
  return JSON.parse(await readFile(url, 'utf8'))
}

/**
 * The cases of one fixture file, in Node or in a browser that is served this package's folder.
 *
 * @example
 * for (const c of await golden('losses')) it(c.name, () => check(c))
 */
export async function golden(file: GoldenFile): Promise<readonly GoldenCase[]> {
  const { cases } = await load(file)
  return cases.map(({ name, op, attrs, inputs, outputs, grads }) => ({
    name,
    op,
    attrs,
    inputs: tensors(inputs),
    outputs: tensors(outputs),
    grads: tensors(grads),
  }))
}

/**
 * A description of how `actual` differs from a golden tensor, or undefined: elements may be off by `tolerance` times the
 * largest expected magnitude (at least 1e-6).
 */
export function goldenMismatch(
  actual: ArrayLike<number>,
  expected: GoldenTensor,
  tolerance = goldenTolerance,
): string | undefined {
  if (actual.length !== expected.data.length) return `${actual.length} elements instead of ${expected.data.length}`
  const scale = expected.data.reduce((top, v) => Math.max(top, Math.abs(v)), 0)
  const allowed = Math.max(tolerance * scale, 1e-6)
  for (const [i, want] of expected.data.entries()) {
    const got = actual[i] as number
    if (!(Math.abs(got - want) <= allowed)) return `element ${i} is ${got} instead of ${want}`
  }
  return undefined
}
