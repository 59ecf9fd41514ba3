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
  if (state.device?.backend !== chosen) state.device = new Device(chosen)
  return chosen
}

/** The backend in use. Throws `BackendError` when there is none. */
export const currentBackend = (): Backend => requireDevice().backend

/** Bytes and buffers that the backend in use holds. */
export const memory = (): MemoryReport => requireDevice().memory()

/** Resolves when all work given to the backend in use is done. */
export const synchronize = (): Promise<void> => requireDevice().backend.synchronize()

/** Releases the backend in use and everything on it. */
export function disposeBackend(): void {
  state.device?.dispose()
  state.device = undefined
}
