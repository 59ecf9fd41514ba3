import type { MemoryPlan, Program } from '@tessella/compiler'
import { internalError } from '@tessella/ir'
import { planArena } from './kernels/arena.ts'
import { chainsOf } from './kernels/chains.ts'
import type { KernelContext } from './kernels/context.ts'
import { emitKernels } from './kernels/emit.ts'
import { maximumPages } from './memory.ts'
import { aligned } from './routines/workspace.ts'
import { emitClaim, emitHelp, emitOwn, emitParallel } from './threads/emitThreads.ts'
import { type Phase, phaseOf, type Threading, workOf } from './threads/phase.ts'
import { type FunctionBuilder, type FunctionRef, type Local, ModuleBuilder } from './wasm/assembler.ts'
import type { ConstantTable } from './wasm/constants.ts'
import type { Features } from './wasm/features.ts'

/** Where a module finds its surroundings; fixed when the module is built. */
export interface ModuleSurroundings {
  readonly features: Features
  readonly constants: ConstantTable
  /** Address of the pointer table: one word per buffer of the program, then one for the scratch area. */
  readonly pointers: number
  /** The program's number in its heap, for more than one thread. */
  readonly threads?: { readonly program: number; readonly threading: Threading } | undefined
}

export interface ProgramModule {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Where temporaries may lie in one arena, given the order of its kernels. */
  readonly temporaries: MemoryPlan
  /** Bytes of the scratch area: what kernels share, then an area for each thread. */
  readonly scratchBytes: number
  /** Work (element operations) of the kernels that threads share. */
  readonly sharedWork: number
}

/**
 * One WebAssembly module for a program: its export `run` runs all kernels in order. Imports `env.memory`. Where threads
 * share kernels, `help` is what workers call.
 */
export function buildModule(program: Program, surroundings: ModuleSurroundings): ProgramModule {
  const { features, constants, pointers, threads } = surroundings
  const module = new ModuleBuilder()
  module.importMemory({
    module: 'env',
    name: 'memory',
    minimum: 1,
    ...(threads && { maximum: maximumPages, shared: true }),
  })
  const own = module.global()
  const scratchSlot = pointers + 4 * program.buffers.length
  let scratchBytes = 0
  let ownBytes = 0
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
      scratchBytes = Math.max(scratchBytes, aligned(bytes))
      return scratchSlot
    },
    own: (bytes) => {
      ownBytes = Math.max(ownBytes, aligned(bytes))
      return (f) => f.getGlobal(own)
    },
  }
  const stages = chainsOf(program)
  const codes = emitKernels(context, program, stages)
  const phases = codes.filter((c) => c.units > 0).map((c) => phaseOf(c, threads?.threading))
  const shared = phases.filter((p) => p.chunk !== undefined)
  const setOwn = (f: FunctionBuilder, thread: Local): void => {
    const base = (): void => {
      f.i32(0)
      f.load('i32.load', scratchSlot)
      f.push(scratchBytes, 'i32.add')
    }
    if (ownBytes > 0) emitOwn(f, own, base, thread, ownBytes)
  }
  let parallel: FunctionRef | undefined
  if (threads && shared.length > 0) {
    const claim = emitClaim(module, { ...threads, setOwn })
    parallel = emitParallel(module, threads.threading, claim)
    module.table(shared.map((p) => p.f))
    module.export('help', emitHelp(module, claim))
  }
  module.export('run', emitRun(module, phases, shared, parallel, setOwn))
  const areas = parallel && threads ? threads.threading.threads : 1
  return {
    bytes: module.build(),
    temporaries: planArena(program, stages),
    scratchBytes: scratchBytes + areas * ownBytes,
    sharedWork: shared.reduce((sum, p) => sum + workOf(p), 0),
  }
}

/** Calls every kernel over all its units: with the other threads, or here, at most `grain` units at a time. */
function emitRun(
  module: ModuleBuilder,
  phases: readonly Phase[],
  shared: readonly Phase[],
  parallel: FunctionRef | undefined,
  setOwn: (f: FunctionBuilder, thread: Local) => void,
) {
  return module.function([], [], (f) => {
    const begin = f.local('i32')
    const end = f.local('i32')
    setOwn(f, begin)
    for (const phase of phases) {
      const { f: kernel, units, grain, chunk } = phase
      if (parallel && chunk !== undefined) {
        f.push(shared.indexOf(phase), units, chunk)
        f.call(parallel)
        continue
      }
      if (units <= grain) {
        f.push(0, units)
        f.call(kernel)
        continue
      }
      f.i32(0)
      f.set(begin)
      f.loop((again) => {
        f.push(begin, begin, grain, 'i32.add')
        f.tee(end)
        f.push(units, end, units, 'i32.lt_u')
        f.select('i32')
        f.call(kernel)
        f.get(end)
        f.tee(begin)
        f.push(units, 'i32.lt_u')
        f.brIf(again)
      })
    }
  })
}
