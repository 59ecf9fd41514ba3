import type { DType } from './dtype.ts'

/** The facts an {@link OpError} carries beside its message. */
export interface OpErrorDetails {
  readonly shapes?: readonly (readonly number[])[]
  readonly dtypes?: readonly DType[]
  readonly hint?: string
  readonly cause?: unknown
}

const showShape = (shape: readonly number[]): string => `[${shape.join(', ')}]`

/**
 * A user's mistake in one operation: `[op] what was wrong; shapes; fix`.
 * The fields repeat the message's facts for programs.
 */
export class OpError extends Error {
  override readonly name: string = 'OpError'
  readonly op: string
  readonly shapes: readonly (readonly number[])[]
  readonly dtypes: readonly DType[]
  readonly hint: string | undefined

  constructor(op: string, message: string, details: OpErrorDetails = {}) {
    const shapes = details.shapes?.length ? ` (shapes ${details.shapes.map(showShape).join(' and ')})` : ''
    const hint = details.hint ? ` ${details.hint}` : ''
    super(`[${op}] ${message}${shapes}.${hint}`, details.cause === undefined ? undefined : { cause: details.cause })
    this.op = op
    this.shapes = details.shapes ?? []
    this.dtypes = details.dtypes ?? []
    this.hint = details.hint
  }
}

/** A backend cannot do what was asked: a missing dtype, a limit, a lost or disposed device. */
export class BackendError extends Error {
  override readonly name: string = 'BackendError'
  readonly backend: string
  readonly code: BackendErrorCode

  constructor(backend: string, code: BackendErrorCode, message: string, options?: ErrorOptions) {
    super(`[${backend}] ${message}`, options)
    this.backend = backend
    this.code = code
  }
}

export type BackendErrorCode =
  | 'unsupported-dtype'
  | 'out-of-memory'
  | 'lost'
  | 'disposed'
  | 'version'
  | 'unavailable'
  | 'wrong-backend'
  | 'bad-option'
  | 'too-large'
  | 'internal'

/** A broken invariant of ours, never the user's fault. */
export function internalError(message: string): Error {
  return new Error(`internal: ${message}. This is a bug in Tessella; please report it.`)
}
