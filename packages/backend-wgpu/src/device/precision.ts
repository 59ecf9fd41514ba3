import { OpError } from '@tessella/ir'

/**
 * How products of matrices and convolutions of float32 may be computed, as `torch.set_float32_matmul_precision` has it.
 * Sums are in float32 always.
 *
 * - 'highest': from float32.
 * - 'high': from operands that are sums of two float16 (22 bits), three products each, where subgroups multiply matrices
 *   of float16.
 * - 'medium': from operands rounded to float16 (11 bits), where the device computes in float16.
 *
 * A device that cannot do it computes as with 'highest'.
 */
export type MatmulPrecision = 'highest' | 'high' | 'medium'

const precisions: readonly MatmulPrecision[] = ['highest', 'high', 'medium']

/**
 * The precision, if it is one.
 *
 * @throws OpError that lists them
 */
export function checkPrecision(precision: MatmulPrecision = 'highest'): MatmulPrecision {
  if (precisions.includes(precision)) return precision
  throw new OpError('wgpu', `there is no precision '${precision}'`, {
    hint: `Precisions are ${precisions.map((p) => `'${p}'`).join(', ')}.`,
  })
}
