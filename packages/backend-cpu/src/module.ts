import type { Program } from '@tessella/compiler'
import { internalError } from '@tessella/ir'
import type { KernelCode, KernelContext } from './kernels/context.ts'
import { emitKernels } from './kernels/emit.ts'
import { ModuleBuilder } from './wasm/assembler.ts'
import type { ConstantTable } from './wasm/constants.ts'
import type { Features } from './wasm/features.ts'

/** Where a module finds its surroundings; fixed when the module is built. */
export interface ModuleSurroundings {
  readonly features: Features
  readonly constants: ConstantTable
  /** Address of the pointer table: one word per buffer of the program, then one for the scratch area. */
  readonly pointers: number
}

export interface ProgramModule {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Bytes of the scratch area that kernels share. */
  readonly scratchBytes: number
}

/** One WebAssembly module for a program: its export `run` runs all kernels in order. Imports `env.memory`. */
export function buildModule(program: Program, surroundings: ModuleSurroundings): ProgramModule {
  const { features, constants, pointers } = surroundings
  const module = new ModuleBuilder()
  module.importMemory({ module: 'env', name: 'memory', minimum: 1 })
  let scratchBytes = 0
  const context: KernelContext = {
    module,
    features,
    constants,
    dtypeOf: (buffer) => {
      const plan = program.buffers[buffer]
      if (!plan) throw internalError(`buffer ${buffer} is not in the program`)
      return plan.dtype
    },
    slot: (buffer) => pointers + 4 * buffer,
    scratch: (bytes) => {
      scratchBytes = Math.max(scratchBytes, bytes)
      return pointers + 4 * program.buffers.length
    },
  }
  const codes = emitKernels(context, program)
  module.export('run', emitRun(module, codes))
  return { bytes: module.build(), scratchBytes }
}

/** Calls every kernel over all its units, at most `grain` at a time. */
function emitRun(module: ModuleBuilder, codes: readonly KernelCode[]) {
  return module.function([], [], (f) => {
    const begin = f.local('i32')
    const end = f.local('i32')
    for (const { f: kernel, units, grain } of codes) {
      if (units === 0) continue
      if (units <= grain) {
        f.i32(0)
        f.i32(units)
        f.call(kernel)
        continue
      }
      f.i32(0)
      f.set(begin)
      f.loop((again) => {
        f.get(begin)
        f.get(begin)
        f.i32(grain)
        f.op('i32.add')
        f.tee(end)
        f.i32(units)
        f.get(end)
        f.i32(units)
        f.op('i32.lt_u')
        f.select('i32')
        f.call(kernel)
        f.get(end)
        f.tee(begin)
        f.i32(units)
        f.op('i32.lt_u')
        f.brIf(again)
      })
    }
  })
}
