import {
  type Accumulator,
  type Affine,
  type Kernel,
  type MatrixOperand,
  mapLeaves,
  type Write,
} from '@tessella/compiler'

/** Kernels over a domain that can be taken in parts. */
export type DomainKernel = Extract<Kernel, { kind: 'map' | 'reduce' | 'rows' | 'matmul' }>

/** Where a dimension is cut: parts that begin at whole words and quads where it is long. */
export const middleOf = (n: number): number => (n >= 512 ? Math.round(n / 512) * 256 : Math.ceil(n / 2))

/** The two halves of a range of this length. */
export const halvesOf = (n: number): readonly (readonly [first: number, length: number])[] => [
  [0, middleOf(n)],
  [middleOf(n), n - middleOf(n)],
]

/** The affine form counted from another first index of a dimension. */
const movedAffine = (at: Affine, dim: number, first: number): Affine => ({
  ...at,
  offset: at.offset + first * (at.strides[dim] ?? 0),
})

/** A function that counts all addresses of expressions and stores from another first index of a dimension. */
export function mover(dim: number, first: number) {
  const value = mapLeaves((leaf) => ({ ...leaf, at: movedAffine(leaf.at, dim, first) }))
  const write = (w: Write): Write => ({ ...w, at: movedAffine(w.at, dim, first), value: value(w.value) })
  return { value, write }
}

/** The kernel at part of a dimension of its domain. */
export function restrict(kernel: DomainKernel, dim: number, first: number, length: number): DomainKernel {
  const domain = kernel.domain.with(dim, length)
  const { value, write } = mover(dim, first)
  const writes = kernel.writes.map(write)
  const accumulator = (a: Accumulator): Accumulator => ({ ...a, value: value(a.value) })
  switch (kernel.kind) {
    case 'map':
      return { ...kernel, domain, writes }
    case 'reduce':
      return { ...kernel, domain, writes, accumulators: kernel.accumulators.map(accumulator) }
    case 'rows': {
      const passes = kernel.passes.map((pass) => ({
        accumulators: pass.accumulators.map(accumulator),
        writes: pass.writes.map(write),
      }))
      return { ...kernel, domain, writes, passes }
    }
    case 'matmul': {
      const rank = domain.length
      const by = (matrix: MatrixOperand, stride: number) => ({ ...matrix, offset: matrix.offset + first * stride })
      const batch = (matrix: MatrixOperand) => by(matrix, matrix.batchStrides[dim] ?? 0)
      if (dim < rank - 2) return { ...kernel, domain, writes, a: batch(kernel.a), b: batch(kernel.b) }
      if (dim === rank - 2) return { ...kernel, domain, writes, a: by(kernel.a, kernel.a.rowStride) }
      return { ...kernel, domain, writes, b: by(kernel.b, kernel.b.colStride) }
    }
  }
}
