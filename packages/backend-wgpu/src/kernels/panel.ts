import type { Shader } from '../wgsl/shader.ts'
import { declareDigits, declareElement, declareQuad, type GemmOperand } from './product.ts'

/** Values of float32, rounded to float16, or as two of float16: the rounded ones, and 2 ** 11 times the rests. */
export type Held = 'float32' | 'float16' | 'twice float16'

/** Part of an operand in workgroup memory: some of its lines, `depth` deep, k-major in quads of four lines. */
export interface Panel {
  readonly name: string
  /** Lines of the panel: rows of a, or columns of b. */
  readonly lines: number
  /** The first line in the matrix, and where the matrix ends. */
  readonly first: string
  readonly end: number
  readonly depth: number
  /** All of k. */
  readonly k: number
  /** Invocations that fill it. */
  readonly size: number
  readonly holds: Held
  /** Quads that nobody uses after those at one k, so that neighbours along k are in other banks. */
  readonly spare: number
}

/** Quads from one k to the next. */
export const panelStride = ({ lines, spare }: Pick<Panel, 'lines' | 'spare'>): number => lines / 4 + spare

export const panelBytes = (panel: Pick<Panel, 'lines' | 'spare' | 'depth' | 'holds'>): number =>
  panel.depth * panelStride(panel) * (panel.holds === 'float16' ? 8 : 16)

interface PanelText {
  /** Lines before the loop over k, and in it. */
  readonly before: readonly string[]
  readonly fill: readonly string[]
}

/** Declares the panel, with that of the rests, and answers statements that set a quad of it. */
function declarePanel(shader: Shader, panel: Panel): (at: string, quad: string) => readonly string[] {
  const { name, depth, holds } = panel
  const quads = depth * panelStride(panel)
  shader.declare(`var<workgroup> ${name}: array<${holds === 'float32' ? 'vec4f' : 'vec4h'}, ${quads}>;`)
  if (holds === 'float32') return (at, quad) => [`${name}[${at}] = ${quad};`]
  shader.direct('enable f16;')
  shader.use('halves_of')
  if (holds === 'float16') return (at, quad) => [`${name}[${at}] = halves_of(${quad});`]
  shader.use('rests_of')
  shader.declare(`var<workgroup> ${name}_rest: array<vec4h, ${quads}>;`)
  return (at, quad) => [
    `let quad_of = ${quad};`,
    `${name}[${at}] = halves_of(quad_of);`,
    `${name}_rest[${at}] = rests_of(quad_of);`,
  ]
}

/**
 * Declares the panel, and answers the lines that fill it from `base` on, as far as `last`. Every invocation brings quads
 * of four lines at one k; neighbours follow the operand's order in memory.
 */
export function panelText(shader: Shader, operand: GemmOperand, panel: Panel): PanelText {
  const { name, lines, first, end, depth, k, size } = panel
  const across = lines / 4
  const stride = panelStride(panel)
  const element = `${name}_at`
  const set = declarePanel(shader, panel)
  const guards = [...(k % depth === 0 ? [] : ['k < last']), ...(end % lines === 0 ? [] : [`line < ${end}`])]
  const each = [0, 1, 2, 3]
  // Where an invocation stays with its lines, what follows from them is computed once.
  if (!operand.alongK && size % across === 0 && declareDigits(shader, element, operand, guards)) {
    const at = (i: number) => `${element}(batch, ${name}_${i}, ${name}_line + ${i}, base + d, last)`
    return {
      before: [
        `let ${name}_line = ${first} + (lane % ${across}) * 4;`,
        ...each.map((i) => `let ${name}_${i} = ${element}_line(${name}_line + ${i});`),
      ],
      fill: [
        `for (var d = lane / ${across}; d < ${depth}; d += ${size / across}) {`,
        ...set(`d * ${stride} + lane % ${across}`, `vec4f(${each.map(at).join(', ')})`),
        '}',
      ],
    }
  }
  if (operand.quads) declareQuad(shader, element, operand, guards)
  else declareElement(shader, element, operand, guards)
  const [d, quad] = operand.alongK ? [`q % ${depth}`, `q / ${depth}`] : [`q / ${across}`, `q % ${across}`]
  const at = (i: number) => `${element}(batch, line + ${i}, base + d, last)`
  const value = operand.quads ? at(0) : `vec4f(${each.map(at).join(', ')})`
  return {
    before: [],
    fill: [
      `for (var q = lane; q < ${across * depth}; q += ${size}) {`,
      `let d = ${d};`,
      `let quad = ${quad};`,
      `let line = ${first} + quad * 4;`,
      ...set(`d * ${stride} + quad`, value),
      '}',
    ],
  }
}
