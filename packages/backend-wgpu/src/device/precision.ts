import { OpError } from '@tessella/ir'

/**
 * How products of matrices and convolutions of float32 may be computed, as `torch.set_float32_matmul_precision` has it:
 * 'highest' in float32; 'medium' from operands rounded to float16, summed in float32, where the device computes in
 * float16, and as 'highest' where it does not.
 */
export type Precision = 'highest' | 'medium'

const precisions: readonly Precision[] = ['highest', 'medium']

/**
 * The precision, if it is one.
 *
 * @throws OpError that lists them
 */
export function checkPrecision(precision: Precision): Precision {
  if (precisions.includes(precision)) return precision
  throw new OpError('wgpu', `there is no precision '${precision}'`, {
    hint: `Precisions are ${precisions.map((p) => `'${p}'`).join(' and ')}.`,
  })
}
