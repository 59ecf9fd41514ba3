import type { Write } from '@tessella/compiler'
import type { Dims } from '@tessella/ir'
import type { Shader } from '../wgsl/shader.ts'
import { indicesOf } from './indices.ts'

/** One element of an operand: where it is, and the conditions for it to be at all (outside counts as 0). */
export interface Element {
  readonly lines: readonly string[]
  readonly tests: readonly string[]
  readonly address: string
}

/** Operand a has rows m, operand b columns n; both run along k. */
export interface GemmOperand {
  readonly buffer: number
  /** Neighbours along k are neighbours in memory. */
  readonly alongK: boolean
  element(shader: Shader, batch: string, line: string, k: string): Element
  /** A line's digits in these sizes, at most four, of which `elementAt` is made: they can be kept while k runs. */
  readonly digits?: Dims
  readonly elementAt?: (shader: Shader, batch: string, digits: readonly string[], k: string) => Element
  /** Whether four neighbouring lines, from a multiple of four on, are a quad of words in memory. */
  readonly quads?: boolean
}

/** A product of matrices in any memory: result[batch, m, n] = sum over k of a[batch, m, k] * b[batch, k, n], in float32. */
export interface Gemm {
  readonly label: string
  readonly batch: number
  readonly m: number
  readonly n: number
  readonly k: number
  readonly a: GemmOperand
  readonly b: GemmOperand
  readonly writes: readonly Write[]
  /** Names of the indices of the kernel's domain at a result. */
  point(shader: Shader, batch: string, m: string, n: string): { names: readonly string[]; lines: readonly string[] }
}

/** Where results go: to the kernel's stores, or, one part of k, to words that a second dispatch adds up. */
export interface GemmSink {
  readonly splits: number
  lines(shader: Shader, batch: string, m: string, n: string, value: string): readonly string[]
}

/**
 * Declares `name(batch, line, k, last)`, the operand's element, 0 where the operand or a guard says that there is none.
 * Without branches: what is outside reads element 0, and its value is dropped.
 */
export function declareElement(shader: Shader, name: string, operand: GemmOperand, guards: readonly string[]): void {
  const head = `fn ${name}(batch: i32, line: i32, k: i32, last: i32) -> f32 {`
  shader.declare(elementText(shader, head, operand, operand.element(shader, 'batch', 'line', 'k'), guards))
}

/**
 * For an operand with digits: `name_line(line)`, the digits of a line, and `name(batch, digits, line, k, last)`. Answers
 * false and declares nothing for the others.
 */
export function declareDigits(shader: Shader, name: string, operand: GemmOperand, guards: readonly string[]): boolean {
  const { digits, elementAt } = operand
  if (digits === undefined || digits.length > 4 || elementAt === undefined) return false
  const { names, lines } = indicesOf(shader, 'line', digits)
  const four = [0, 1, 2, 3].map((d) => names[d] ?? '0')
  shader.declare(
    [`fn ${name}_line(line: i32) -> vec4i {`, ...lines, `return vec4i(${four.join(', ')});`, '}'].join('\n'),
  )
  const known = digits.map((_, d) => `digits.${'xyzw'[d]}`)
  const head = `fn ${name}(batch: i32, digits: vec4i, line: i32, k: i32, last: i32) -> f32 {`
  shader.declare(elementText(shader, head, operand, elementAt(shader, 'batch', known, 'k'), guards))
  return true
}

function elementText(
  shader: Shader,
  head: string,
  operand: GemmOperand,
  { lines, tests, address }: Element,
  guards: readonly string[],
): string {
  const load = (at: string) => shader.load(shader.memory(operand.buffer), at)
  const all = [...guards, ...tests].map((test) => `(${test})`)
  const result =
    all.length === 0
      ? [`return ${load(address)};`]
      : [`let inside = ${all.join(' & ')};`, `return select(0.0f, ${load(`select(0, ${address}, inside)`)}, inside);`]
  return [head, ...lines, ...result, '}'].join('\n')
}

/** Declares `name(batch, line, k, last)`, four neighbouring lines at once; the operand has `quads`. */
export function declareQuad(shader: Shader, name: string, operand: GemmOperand, guards: readonly string[]): void {
  const { lines, address } = operand.element(shader, 'batch', 'line', 'k')
  const load = (at: string) => shader.loadQuad(shader.memory(operand.buffer), `(${at}) >> 2u`)
  const all = guards.map((test) => `(${test})`)
  const result =
    all.length === 0
      ? [`return ${load(address)};`]
      : [
          `let inside = ${all.join(' & ')};`,
          `return select(vec4f(), ${load(`select(0, ${address}, inside)`)}, inside);`,
        ]
  const head = `fn ${name}(batch: i32, line: i32, k: i32, last: i32) -> vec4f {`
  shader.declare([head, ...lines, ...result, '}'].join('\n'))
}
