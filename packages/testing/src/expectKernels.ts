import type { Executable } from '@tessella/ir'

/**
 * Holds the number of kernels of a compiled program, so that fusion cannot rot unseen. The error shows the program.
 * Exact on purpose: a program that got better must say so in its test.
 */
export function expectKernels(executable: Executable, count: number): void {
  if (executable.kernels === count) return
  throw new Error(`expected ${count} kernels, got ${executable.kernels}:\n${executable.print()}`)
}
