import { OpError } from './errors.ts'

/**
 * Refuses what is not a whole number of at least `least`, or a list of them.
 *
 * @throws OpError for anything else, with what was given
 * @example checkWhole('linear', 'inFeatures', 0, 1) // [linear] inFeatures must be a whole number of at least 1, got 0.
 */
export function checkWhole(op: string, name: string, value: unknown, least: number, hint?: string): void {
  const several = Array.isArray(value)
  const list: readonly unknown[] = several ? value.flat() : [value]
  if (list.every((n) => Number.isInteger(n) && (n as number) >= least)) return
  const given = several ? `[${list.join(', ')}]` : String(value)
  throw new OpError(
    op,
    `${name} must be ${several ? 'whole numbers' : 'a whole number'} of at least ${least}, got ${given}`,
    hint === undefined ? {} : { hint },
  )
}
