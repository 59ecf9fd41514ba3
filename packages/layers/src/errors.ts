import { OpError } from '@tessella/tensor'

/** An {@link OpError} with the place in the model where it happened, dotted as in the state dictionary: `1.conv1`. */
export class LayerError extends OpError {
  override readonly name: string = 'LayerError'
  /** Which layer of the model. */
  readonly path: string
  override readonly cause: OpError

  constructor(path: string, cause: OpError) {
    super(cause.op, cause.message, {
      shapes: cause.shapes,
      dtypes: cause.dtypes,
      ...(cause.hint === undefined ? {} : { hint: cause.hint }),
    })
    this.message = `${cause.message} (layer ${path})`
    this.path = path
    this.cause = cause
  }
}

/** The same mistake seen from one level further out. */
export function located(error: unknown, name: string): unknown {
  if (error instanceof LayerError) return new LayerError(`${name}.${error.path}`, error.cause)
  return error instanceof OpError ? new LayerError(name, error) : error
}
