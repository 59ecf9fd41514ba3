import { ModuleBuilder } from './assembler.ts'

/** What the engine can do beyond WebAssembly 1.0; probed once per backend by validating tiny modules. */
export interface Features {
  /** 128-bit SIMD; without it the backend does not work. */
  readonly simd: boolean
  /** `f32x4.relaxed_madd` and friends: fused multiply-add where the processor has it. */
  readonly relaxed: boolean
  /** The engine merges operations on neighbouring vectors into ones of 256 bits; see `routines/blocks.ts`. */
  readonly wide?: boolean
  /** Asked for, where engines have no say: convolutions as accurate as plain sums. */
  readonly accurate?: boolean
}

function probe(body: Parameters<ModuleBuilder['function']>[2]): boolean {
  const m = new ModuleBuilder()
  m.function(['v128'], ['v128'], body)
  return WebAssembly.validate(m.build())
}

export function probeFeatures(): Features {
  return {
    simd: probe((f, x) => {
      f.push(x, x, 'f32x4.add')
    }),
    relaxed: probe((f, x) => {
      for (let i = 0; i < 3; i++) f.get(x)
      f.op('f32x4.relaxed_madd')
    }),
  }
}
