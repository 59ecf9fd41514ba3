import { cpu } from '@tessella/backend-cpu'
import { wgpu } from '@tessella/backend-wgpu'
import { reference } from '@tessella/testing'
import { useSwiftshader } from '@tessella/testing/swiftshader'
import type { Column } from './matrix.ts'

/** All backends, in the order of the table. */
export async function allColumns(): Promise<Column[]> {
  await useSwiftshader()
  const backends = [reference(), cpu(), await wgpu()]
  const columns = backends.map(({ name, dtypes }) => ({ name, dtypes }))
  for (const backend of backends) backend.dispose()
  return columns
}
