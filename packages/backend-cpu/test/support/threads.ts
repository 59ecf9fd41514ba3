import { CpuBackend } from '../../src/backend.ts'

/** A backend that shares every kernel of more than one unit, with its workers running. */
export async function eagerBackend(threads: number): Promise<CpuBackend> {
  const backend = new CpuBackend({ threads }, { shared: 1 })
  await backend.startThreads()
  return backend
}
