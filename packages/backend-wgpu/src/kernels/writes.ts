import type { Write } from '@tessella/compiler'
import type { Shader } from '../wgsl/shader.ts'
import { affineText, type Place, Values } from '../wgsl/values.ts'

/** Lines that compute the values of all stores at one point, and then store them. */
export function writeLines(shader: Shader, writes: readonly Write[], place: Place): string[] {
  const values = new Values(shader, place)
  const names = writes.map((w) => values.of(w.value))
  const stores = writes.map((w, i) =>
    shader.store(shader.memory(w.buffer), affineText(w.at, place.indices), names[i] as string),
  )
  return [...values.lines, ...stores]
}
