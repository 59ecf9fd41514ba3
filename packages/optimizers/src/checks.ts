import { OpError } from '@tessella/tensor'

/** Throws unless `value` is a finite number >= 0. */
export function checkRate(op: string, name: string, value: number): void {
  if (!Number.isFinite(value) || value < 0) throw new OpError(op, `${name} must be a finite number >= 0, got ${value}`)
}

/** Throws unless `value` can weigh the past in a moving average: in [0, 1). */
export function checkDecay(op: string, name: string, value: number): void {
  if (!(value >= 0 && value < 1)) throw new OpError(op, `${name} must be at least 0 and below 1, got ${value}`)
}

export function checkPositiveInteger(op: string, name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1)
    throw new OpError(op, `${name} must be a positive integer, got ${value}`)
}
