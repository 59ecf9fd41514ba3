import type { Program } from '@tessella/compiler'
import { CpuBackend } from '../../src/backend.ts'
import type { CpuExecutable } from '../../src/executable.ts'

/** A backend that keeps what it compiles. */
export class Recorder extends CpuBackend {
  readonly compiled: { readonly program: Program; readonly executable: CpuExecutable }[] = []

  override prepareProgram(program: Program) {
    const executable = super.prepareProgram(program)
    this.compiled.push({ program, executable })
    return executable
  }

  /** The program with the most kernels: a training step. */
  get largest() {
    const [first] = this.compiled.toSorted((a, b) => b.program.kernels.length - a.program.kernels.length)
    if (!first) throw new Error('nothing was compiled')
    return first
  }
}
