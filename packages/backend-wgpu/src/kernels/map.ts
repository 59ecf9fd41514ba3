import type { Kernel, Write } from '@tessella/compiler'
import { showShape, sizeOf, stridesOf } from '@tessella/ir'
import type { Dispatch } from '../kernel.ts'
import { Shader } from '../wgsl/shader.ts'
import { storageOf } from '../wgsl/storage.ts'
import { affineText, Values } from '../wgsl/values.ts'
import type { KernelContext } from './context.ts'
import { indicesOf, pointsPerGroup } from './indices.ts'
import { writeLines } from './writes.ts'

type MapKernel = Extract<Kernel, { kind: 'map' }>

/** One invocation a point, or a word of points where small elements are stored side by side. */
export function emitMap(kernel: MapKernel, context: KernelContext): readonly Dispatch[] {
  const shader = new Shader(context)
  const total = sizeOf(kernel.domain)
  const lanes = Math.max(
    1,
    ...kernel.writes.filter((w) => fillsWords(w, kernel, context)).map((w) => lanesOf(w, context)),
  )
  const units = Math.ceil(total / lanes)
  const size = pointsPerGroup(units)
  const unit = `group * ${size} + lane`
  const body = lanes === 1 ? pointBody(shader, kernel, unit, total) : wordBody(shader, kernel, unit, total, lanes)
  return [shader.finish({ label: `map ${showShape(kernel.domain)}`, size, groups: Math.ceil(units / size), body })]
}

const lanesOf = (w: Write, { buffers }: KernelContext): number => storageOf(buffers[w.buffer]?.dtype ?? 'float32').lanes

/** Whether the points of the domain are the elements of whole words of the buffer, in order. */
function fillsWords(w: Write, { domain }: MapKernel, context: KernelContext): boolean {
  const lanes = lanesOf(w, context)
  const steps = stridesOf(domain)
  const end = w.at.offset + sizeOf(domain)
  const inOrder = w.at.strides.every((s, d) => s === steps[d] || domain[d] === 1)
  const isWhole = end % lanes === 0 || end === context.buffers[w.buffer]?.length
  return lanes > 1 && inOrder && isWhole && w.at.offset % lanes === 0
}

function pointBody(shader: Shader, { domain, writes }: MapKernel, unit: string, total: number): string[] {
  const { names, lines } = indicesOf(shader, 'point', domain)
  return [
    `let point = ${unit};`,
    `if (point < ${total}) {`,
    ...lines,
    ...writeLines(shader, writes, { indices: names, results: [] }),
    '}',
  ]
}

function wordBody(shader: Shader, kernel: MapKernel, unit: string, total: number, lanes: number): string[] {
  const { names, lines } = indicesOf(shader, 'point', kernel.domain)
  const values = new Values(shader, { indices: names, results: [] })
  const found = kernel.writes.map((w) => values.of(w.value))
  const words: string[] = []
  const stores = kernel.writes.flatMap((w, i) => {
    const memory = shader.memory(w.buffer)
    const value = found[i] as string
    const at = affineText(w.at, names)
    if (!fillsWords(w, kernel, shader.context)) return [shader.store(memory, at, value)]
    const { lanes: own, encode } = storageOf(memory.dtype)
    const word = shader.name('word')
    words.push(`var ${word} = 0u;`)
    return [
      `${word} |= ${encode(value)} << (u32(point % ${own}) * ${32 / own}u);`,
      `if (point % ${own} == ${own - 1} || point == ${total - 1}) {`,
      shader.storeWord(memory, `(point + ${w.at.offset}) / ${own}`, word),
      `${word} = 0u;`,
      '}',
    ]
  })
  return [
    `let first = (${unit}) * ${lanes};`,
    ...words,
    `for (var point = first; point < min(first + ${lanes}, ${total}); point++) {`,
    ...lines,
    ...values.lines,
    ...stores,
    '}',
  ]
}
