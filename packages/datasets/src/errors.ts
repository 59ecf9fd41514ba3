/** What went wrong, for programs; the message says it for people. */
export type DatasetErrorCode =
  | 'bad-magic'
  | 'bad-dtype'
  | 'bad-shape'
  | 'bad-gzip'
  | 'truncated'
  | 'trailing-bytes'
  | 'too-large'
  | 'bad-response'
  | 'bad-column'
  | 'length-mismatch'
  | 'bad-index'
  | 'bad-option'
  | 'empty'
  | 'not-found'
  | 'corrupt'

/**
 * Everything this package throws about data: `[op] what was wrong. The fix.`
 * `code` names the kind of fault; `cause` keeps the error underneath, if there was one.
 */
export class DatasetError extends Error {
  override readonly name: string = 'DatasetError'
  readonly op: string
  readonly code: DatasetErrorCode

  constructor(op: string, code: DatasetErrorCode, message: string, options?: ErrorOptions) {
    super(`[${op}] ${message}`, options)
    this.op = op
    this.code = code
  }
}

/** Refuses names that no option has: a misspelt option is an error, not silence. */
export function checkNames(op: string, options: unknown, known: readonly string[]): void {
  const hint = `Options are ${known.join(', ')}.`
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new DatasetError(op, 'bad-option', `options come in an object. ${hint}`)
  for (const key of Object.keys(options))
    if (!known.includes(key)) throw new DatasetError(op, 'bad-option', `there is no option '${key}'. ${hint}`)
}
