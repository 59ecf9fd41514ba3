/** What a number in a result counts. */
export type Unit = 'GFLOP/s' | 'GB/s' | 'images/s' | 'tokens/s' | 'ms' | 'us' | 'bytes' | 'gzip bytes'

/** Units in which less is better. */
const costs: ReadonlySet<Unit> = new Set<Unit>(['ms', 'us', 'bytes', 'gzip bytes'])
export const lessIsBetter = (unit: Unit): boolean => costs.has(unit)

export const systemNames = [
  'reference',
  'cpu',
  'cpu-wide',
  'wgpu',
  'tfjs-cpu',
  'tfjs-wasm',
  'jax-js',
  'ort-node',
  'pytorch',
] as const
export type SystemName = (typeof systemNames)[number]

/** Ours; everything else is a peer. */
const own: ReadonlySet<SystemName> = new Set<SystemName>(['reference', 'cpu', 'cpu-wide', 'wgpu'])
export const isPeer = (system: SystemName): boolean => !own.has(system)

/** One case on one system: figures, or the reason why there are none. */
export interface Row {
  readonly case: string
  readonly system: SystemName
  /** Threads that computed; 0 where unknown because there is an error. */
  readonly threads: number
  readonly unit: Unit
  readonly median?: number
  readonly min?: number
  readonly max?: number
  /** Number of timed rounds behind the figures. */
  readonly runs: number
  /** The median as a share of the machine's ceiling for this kind of work, where there is one. */
  readonly share?: number
  readonly error?: string
}

/** What the machine can do at most, measured in the same run. */
export interface Ceilings {
  /** 128-bit fused multiply-adds of WebAssembly, one core, GFLOP/s. */
  readonly fma: number
  /** The same on all cores at once. */
  readonly fmaAll: number
  /** The same in 256 bits, where the engine merges vectors when it is asked to. */
  readonly fmaWide?: number
  readonly fmaWideAll?: number
  /** Copying 64 MiB to another place, one core, GB/s of reads and writes. */
  readonly copy: number
  /** Of the graphics card, where one is measured: float32 multiply-adds in GFLOP/s, a copy in GB/s. */
  readonly gpu?: { readonly fma: number; readonly copy: number }
}

export interface Machine {
  readonly processor: string
  readonly cores: number
  readonly memoryBytes: number
  readonly platform: string
  readonly where: 'node' | 'browser'
  /** Browser only: whether the page had shared memory. */
  readonly crossOriginIsolated?: boolean
  readonly ceilings?: Ceilings
}

/** What `--json` writes. */
export interface Report {
  readonly machine: Machine
  readonly versions: Readonly<Record<string, string>>
  readonly date: string
  readonly command: string
  /** False when it was interrupted: some cases are missing. */
  readonly complete: boolean
  readonly results: readonly Row[]
}
