import type { Dims } from '@tessella/ir'
import type { Shader } from '../wgsl/shader.ts'

/** Lines that take a row-major position apart, and the names of the indices they make. */
export function indicesOf(shader: Shader, position: string, domain: Dims): { names: string[]; lines: string[] } {
  if (domain.length === 0) return { names: [], lines: [] }
  if (domain.length === 1) return { names: [position], lines: [] }
  const names = domain.map(() => shader.name('i'))
  const lines: string[] = []
  let rest = shader.name('r')
  lines.push(`let ${rest} = u32(${position});`)
  for (let d = domain.length - 1; d > 0; d--) {
    const n = domain[d] as number
    const next = shader.name('r')
    lines.push(`let ${names[d]} = i32(${rest} % ${n}u);`, `let ${next} = ${rest} / ${n}u;`)
    rest = next
  }
  lines.push(`let ${names[0]} = i32(${rest});`)
  return { names, lines }
}

/** Invocations of a workgroup for independent points. */
export const pointsPerGroup = (total: number): number => (total >= 4096 ? 256 : 64)

/** The power of two that is not smaller. */
export const powerAbove = (n: number): number => 2 ** Math.ceil(Math.log2(Math.max(n, 1)))
