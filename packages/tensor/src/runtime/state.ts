import type { Backend } from '@tessella/ir'
import type { Device } from './device.ts'
import type { Trace } from './trace.ts'

/**
 * The only module-level state of the library: which device settles graphs, and what `compile`, `grad` and
 * `inspect` are doing right now. Everybody who sets a field restores it in `finally`.
 */
export const state: {
  device: Device | undefined
  trace: Trace | undefined
  /** Devices of backends used before: their values are good again when the backend is. */
  readonly devices: WeakMap<Backend, Device>
} = { device: undefined, trace: undefined, devices: new WeakMap() }
