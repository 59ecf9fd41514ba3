import { OpError } from './errors.ts'

const describe = (x: unknown): string => (x === null ? 'null' : Array.isArray(x) ? 'an array' : `a ${typeof x}`)

/**
 * Refuses names that no option has: a misspelt option is an error, not silence.
 *
 * @throws OpError for an unknown name, or options that are no record
 * @example checkOptions('sum', { keepdims: true }, ['keepdim']) // [sum] there is no option 'keepdims'. Options are keepdim.
 */
export function checkOptions(op: string, options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new OpError(op, `options come in an object, got ${describe(options)}`, {
      hint: `Options are ${known.join(', ')}.`,
    })
  for (const key of Object.keys(options))
    if (!known.includes(key))
      throw new OpError(op, `there is no option '${key}'`, { hint: `Options are ${known.join(', ')}.` })
}
