import type { Affine } from '@tessella/compiler'

/** One loop of a nest: a run of adjacent domain dimensions that all affine forms walk evenly. */
export interface Loop {
  readonly size: number
  /** The domain dimension whose strides it has (the innermost of the run). */
  readonly dimension: number
}

/** The domain as loops: sizes of 1 are left out, adjacent dimensions are merged where every form allows it. */
export function collapse(loops: readonly Loop[], forms: readonly Affine[]): Loop[] {
  const out: Loop[] = []
  for (const loop of loops) {
    if (loop.size === 1) continue
    const last = out.at(-1)
    const even = last !== undefined && forms.every((at) => strideOf(at, last) === strideOf(at, loop) * loop.size)
    if (even && last) out[out.length - 1] = { size: last.size * loop.size, dimension: loop.dimension }
    else out.push(loop)
  }
  return out
}

/** Dimensions `from` to `to` of a domain, as loops. */
export function loopsOf(domain: readonly number[], from = 0): Loop[] {
  return domain.map((size, i) => ({ size, dimension: from + i }))
}

/** Forms over fewer dimensions (epilogues of reductions) do not move in the others. */
export const strideOf = (at: Affine, loop: Loop): number => at.strides[loop.dimension] ?? 0

/** `loops` with the loop at `index` moved to the end. */
export function innermost(loops: readonly Loop[], index: number): Loop[] {
  const chosen = loops[index]
  if (!chosen) return [...loops]
  return [...loops.slice(0, index), ...loops.slice(index + 1), chosen]
}
