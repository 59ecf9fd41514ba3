/** A function of the prelude: its text, and the names of those it calls. */
export interface Snippet {
  readonly text: string
  readonly uses?: readonly string[]
}

export type Snippets = { readonly [name: string]: Snippet }

/**
 * Horner's rule as nested text, highest coefficient first. WGSL may fuse a product and a sum or not; the formulas of the
 * prelude hold either way.
 */
export const horner = (x: string, coefficients: readonly number[]): string =>
  coefficients.slice(1).reduce((sum, c) => `(${sum} * ${x} + ${literal(c)})`, literal(coefficients[0] as number))

/** A finite normal float32 as a literal. */
export function literal(value: number): string {
  const text = String(Math.fround(value))
  return /[.e]/.test(text) ? `${text}f` : `${text}.0f`
}
