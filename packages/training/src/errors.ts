/** Why training or a checkpoint failed. */
export type TrainingErrorCode =
  | 'non-finite-loss'
  | 'no-batches'
  | 'bad-option'
  | 'bad-checkpoint'
  | 'mismatched-checkpoint'
  | 'read-failed'
  | 'write-failed'

/** A failure of training with the facts a program needs beside the message. */
export class TrainingError extends Error {
  override readonly name: string = 'TrainingError'
  readonly code: TrainingErrorCode
  readonly details: Readonly<Record<string, unknown>>

  constructor(
    code: TrainingErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.code = code
    this.details = details
  }
}

export function checkCount(op: string, name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new TrainingError('bad-option', `[${op}] ${name} must be an integer >= 0, got ${value}`)
}

export function checkPositiveInteger(op: string, name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1)
    throw new TrainingError('bad-option', `[${op}] ${name} must be a positive integer, got ${value}`)
}
