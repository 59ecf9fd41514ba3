import type { Expr, Kernel, Program } from '@tessella/compiler'
import { sameShape, sizeOf, stridesOf } from '@tessella/ir'
import { isPairs } from '../routines/poolPairs.ts'
import { placesBytes } from '../routines/poolPlaces.ts'
import { aligned } from '../routines/workspace.ts'

type Pool = Extract<Kernel, { kind: 'maxPool' }>
type Gradient = Extract<Kernel, { kind: 'maxPoolGrad' | 'maxPoolPick' }>

/**
 * Pools that keep, in a byte each, where in its window a maximum was, or that it was not positive, for a gradient that passes
 * a relu next: it then reads those in place of all activations, which need not outlive the pool.
 */
export function keepPlaces(program: Program): Program {
  const kernels = [...program.kernels]
  const buffers = [...program.buffers]
  let temporaryBytes = aligned(program.temporaryBytes)
  for (const [i, kernel] of kernels.entries()) {
    if (kernel.kind !== 'maxPoolGrad' || !isPairs(kernel) || !isPastRelu(kernel)) continue
    const at = kernels.slice(0, i).findIndex((k) => k.kind === 'maxPool' && k.places === undefined && isOf(k, kernel))
    const pool = kernels[at]
    if (pool?.kind !== 'maxPool') continue
    const length = sizeOf(pool.domain.slice(0, 2)) * placesBytes(pool.x.shape)
    const places = buffers.push({ dtype: 'uint8', length, place: { kind: 'temporary', offset: temporaryBytes } }) - 1
    temporaryBytes += aligned(length)
    kernels[at] = { ...pool, places }
    const [write] = kernel.writes
    if (write) kernels[i] = { ...kernel, places, writes: [{ ...write, value: gradient }] }
  }
  return buffers.length === program.buffers.length ? program : { ...program, kernels, buffers, temporaryBytes }
}

const gradient: Expr = { kind: 'result', dtype: 'float32', index: 0 }

const isOf = (pool: Pool, { x, attrs }: Gradient): boolean =>
  pool.x.buffer === x.buffer && sameShape(pool.x.shape, x.shape) && JSON.stringify(pool.attrs) === JSON.stringify(attrs)

/** Whether all that the gradient writes is x <= 0 ? 0 : gradient. */
function isPastRelu({ x, domain, writes }: Gradient): boolean {
  const [write, ...others] = writes
  if (!write || others.length > 0 || write.value.kind !== 'select' || write.value.dtype !== 'float32') return false
  const { condition, a, b } = write.value
  if (!isZero(a) || b.kind !== 'result' || condition.kind !== 'binary' || condition.fn !== 'le') return false
  const { a: read, b: bound } = condition
  if (read.kind !== 'load' || read.buffer !== x.buffer || read.at.offset !== 0 || !isZero(bound)) return false
  return sameShape(read.at.strides, stridesOf(domain))
}

const isZero = (e: Expr): boolean => e.kind === 'constant' && e.value === 0
