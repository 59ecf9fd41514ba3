import type { Backend, MemoryReport } from '@tessella/ir'
import { Device } from './device.ts'
import { requireDevice } from './settle.ts'
import { state } from './state.ts'

/**
 * Chooses the backend that computes everything from here on. Values made before stay where they are;
 * values still pending are computed on the new one.
 *
 * @example
 * await useBackend(cpu())
 */
export async function useBackend(backend: Backend | Promise<Backend>): Promise<Backend> {
  const chosen = await backend
  const device = state.devices.get(chosen) ?? new Device(chosen)
  state.devices.set(chosen, device)
  state.device = device
  return chosen
}

/** The backend in use. Throws `BackendError` when there is none. */
export const currentBackend = (): Backend => requireDevice().backend

/** Bytes and buffers that the backend in use holds. */
export const memory = (): MemoryReport => requireDevice().memory()

/** Resolves when all work given to the backend in use is done. */
export const synchronize = (): Promise<void> => requireDevice().backend.synchronize()

/**
 * Waits while the backend in use has more work queued than is good, and now and then for the collector's finalizers.
 * Reads and `batches` do it by themselves; a loop with neither awaits it in every step, so that memory stays flat.
 *
 * @example
 * for (let i = 0; i < 10_000; i++) {
 *   step()
 *   await pace()
 * }
 */
export const pace = async (): Promise<void> => state.device?.pace()

/** Releases the backend in use and everything on it. */
export function disposeBackend(): void {
  if (state.device === undefined) return
  state.device.dispose()
  state.devices.delete(state.device.backend)
  state.device = undefined
}
