import { DatasetError } from '../src/index.ts'

/** The code of the DatasetError that `f` throws; anything else is passed on or named. */
export function codeOf(f: () => unknown): string {
  try {
    f()
  } catch (error) {
    if (error instanceof DatasetError) return error.code
    throw error
  }
  return 'no error'
}

export async function codeOfAsync(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
  } catch (error) {
    if (error instanceof DatasetError) return error.code
    throw error
  }
  return 'no error'
}
