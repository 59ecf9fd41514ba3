import type { FunctionBuilder, Local } from '../wasm/assembler.ts'

/** `total` cut into pieces of at most `most`, as equal as possible: the first `large` ones have one more than the rest. */
export interface Split {
  readonly pieces: number
  readonly large: number
  /** Length of a piece that is not large; 0 when all are. */
  readonly small: number
}

export function splitEvenly(total: number, most: number): Split {
  const pieces = Math.max(1, Math.ceil(total / most))
  const small = Math.floor(total / pieces)
  return { pieces, large: total - small * pieces, small }
}

/** index = rest % size; rest = rest / size. */
export function takeDigit(f: FunctionBuilder, rest: Local, size: number): Local | number {
  if (size === 1) return 0
  const index = f.local('i32')
  f.push(rest, size, 'i32.rem_u')
  f.set(index)
  f.push(rest, size, 'i32.div_u')
  f.set(rest)
  return index
}

/** The row-major indices of a point number; consumes `rest`. The first index needs no division. */
export function takeIndices(f: FunctionBuilder, rest: Local, sizes: readonly number[]): (Local | number)[] {
  const indices: (Local | number)[] = sizes.map(() => 0)
  const first = sizes.findIndex((n) => n > 1)
  for (let d = sizes.length - 1; d >= 0; d--) {
    if (d === first) {
      const index = f.local('i32')
      f.get(rest)
      f.set(index)
      indices[d] = index
    } else if (d > first) indices[d] = takeDigit(f, rest, sizes[d] as number)
  }
  return indices
}

export function releaseIndices(f: FunctionBuilder, indices: readonly (Local | number)[]): void {
  for (const index of indices) if (typeof index !== 'number') f.release(index)
}

/** start = part * length, end = min(start + length, total). */
export function rangeOf(
  f: FunctionBuilder,
  part: Local | number,
  length: number,
  total: number,
  [start, end]: readonly [Local, Local],
): void {
  f.push(part, length, 'i32.mul')
  f.tee(start)
  f.push(length, 'i32.add')
  f.set(end)
  limit(f, end, total)
}

/** x = min(x, most), without signs. */
export function limit(f: FunctionBuilder, x: Local, most: number): void {
  f.get(x)
  f.i32(most)
  f.get(x)
  f.i32(most)
  f.op('i32.lt_u')
  f.select('i32')
  f.set(x)
}
