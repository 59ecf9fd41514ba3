import { access, constants, mkdir } from 'node:fs/promises'

/** What a shell expects of a program that Ctrl-C ended. */
export const interruptedCode = 130

/** Ctrl-C before there is anything to show. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
}

export const say = (text: string): void => void process.stdout.write(`${text}\n`)
export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** The first Ctrl-C finishes the running step, with `notice`; the second ends at once. */
export function onInterrupt(notice: string): AbortSignal {
  const controller = new AbortController()
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(interruptedCode)
    process.stderr.write(`\n${notice} Ctrl-C again ends at once.\n`)
    controller.abort(new Interrupted('Interrupted before there was a result.'))
  }
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', interrupt)
  return controller.signal
}

/** Fails before the work, not after it. */
export async function checkOut(out: string): Promise<void> {
  try {
    await mkdir(out, { recursive: true })
    await access(out, constants.W_OK)
  } catch (cause) {
    throw new Error(`Cannot write to --out ${out}: ${reasonOf(cause)}. Name a folder that can be written.`, { cause })
  }
}
