import type { Kernel, MatrixOperand } from '@tessella/compiler'
import { type Dims, showShape, sizeOf } from '@tessella/ir'
import type { Dispatch } from '../kernel.ts'
import { affineText } from '../wgsl/values.ts'
import type { KernelContext } from './context.ts'
import { emitGemm } from './gemm.ts'
import { indicesOf } from './indices.ts'
import type { GemmOperand } from './product.ts'

type MatmulKernel = Extract<Kernel, { kind: 'matmul' }>

export function emitMatmul(kernel: MatmulKernel, context: KernelContext): readonly Dispatch[] {
  const { domain, k, a, b, writes } = kernel
  const batches = domain.slice(0, -2)
  const [m, n] = domain.slice(-2) as [number, number]
  return emitGemm(
    {
      label: `matmul ${showShape(domain)} k=${k}`,
      batch: sizeOf(batches),
      m,
      n,
      k,
      a: operand(a, batches, m, a.rowStride, a.colStride, context),
      b: operand(b, batches, n, b.colStride, b.rowStride, context),
      writes,
      point: (shader, batch, row, column) => {
        const { names, lines } = indicesOf(shader, batch, batches)
        return { names: [...names, row, column], lines }
      },
    },
    context,
  )
}

function operand(
  matrix: MatrixOperand,
  batches: Dims,
  lines: number,
  lineStride: number,
  kStride: number,
  { buffers }: KernelContext,
): GemmOperand {
  const aligned = [matrix.offset, lines, kStride, buffers[matrix.buffer]?.length ?? 1, ...matrix.batchStrides]
  return {
    quads: lineStride === 1 && aligned.every((n) => n % 4 === 0),
    buffer: matrix.buffer,
    alongK: Math.abs(kStride) === 1 && Math.abs(lineStride) !== 1,
    element: (shader, batch, line, k) => {
      const moves = matrix.batchStrides.some((s) => s !== 0)
      const { names, lines } = moves ? indicesOf(shader, batch, batches) : { names: [], lines: [] }
      const strides = [...(moves ? matrix.batchStrides : []), lineStride, kStride]
      const at = affineText({ offset: matrix.offset, strides }, [...names, line, k])
      return { lines, tests: [], address: at }
    },
  }
}
