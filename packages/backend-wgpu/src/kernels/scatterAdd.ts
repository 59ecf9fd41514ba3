import type { Kernel } from '@tessella/compiler'
import type { Dispatch } from '../kernel.ts'
import { type Memory, Shader } from '../wgsl/shader.ts'
import { stored } from '../wgsl/storage.ts'
import { foldText } from './accumulators.ts'
import { sortLines } from './argsort.ts'
import type { KernelContext } from './context.ts'
import { pointsPerGroup } from './indices.ts'

type ScatterKernel = Extract<Kernel, { kind: 'scatterAdd' }>

/** Up to this many elements every result looks at all indices of its line; more are sorted first. */
const shortLine = 256

/** No atomic additions, whose order would change from run to run: each result adds its values in the order of the line. */
export function emitScatterAdd(kernel: ScatterKernel, context: KernelContext): readonly Dispatch[] {
  const { outer, length, inner, index } = kernel
  if (length <= shortLine) return [scatter(kernel, context, scanLines(kernel))]
  const order: Memory = { slot: context.slots.scratch(4 * outer * length * inner), dtype: 'int32' }
  const sorting = sortLines({ dtype: 'int32', descending: false, outer, length, inner, keys: index, order }, context)
  return [...sorting, scatter(kernel, context, runLines(kernel, order))]
}

type Body = (shader: Shader, add: (place: string) => string) => string[]

/** One invocation a result: `wanted` is its index, `start` where its line begins in the operands. */
function scatter(kernel: ScatterKernel, context: KernelContext, body: Body): Dispatch {
  const { outer, length, inner, size: count } = kernel
  const shader = new Shader(context)
  const fold = foldText('sum', stored(kernel.dtype))
  shader.use(...fold.uses)
  const total = outer * count * inner
  const size = pointsPerGroup(total)
  const values = shader.memory(kernel.values)
  const add = (place: string) => `sum = ${fold.step('sum', shader.load(values, `start + ${place} * ${inner}`))};`
  const lines = body(shader, add)
  const text = [
    `let point = group * ${size} + lane;`,
    `if (point < ${total}) {`,
    `let wanted = (point / ${inner}) % ${count};`,
    `let start = (point / ${count * inner}) * ${length * inner} + point % ${inner};`,
    `var sum = ${fold.start};`,
    ...lines,
    shader.store(shader.memory(kernel.out), 'point', 'sum'),
    '}',
  ]
  const label = `scatterAdd [${outer}, ${length}, ${inner}] to ${count}`
  return shader.finish({ label, size, groups: Math.ceil(total / size), body: text })
}

const scanLines =
  ({ length, inner, index }: ScatterKernel): Body =>
  (shader, add) => [
    `for (var i = 0; i < ${length}; i++) {`,
    `if (${shader.load(shader.memory(index), `start + i * ${inner}`)} == wanted) { ${add('i')} }`,
    '}',
  ]

/** The sorted order has the values of one index side by side; the first is found by bisection. */
const runLines =
  ({ length, inner, index }: ScatterKernel, order: Memory): Body =>
  (shader, add) => {
    const place = (at: string) => shader.load(order, `start + ${at} * ${inner}`)
    const key = (p: string) => shader.load(shader.memory(index), `start + ${p} * ${inner}`)
    return [
      'var low = 0;',
      `var high = ${length};`,
      'while (low < high) {',
      'let middle = (low + high) / 2;',
      `if (${key(place('middle'))} < wanted) { low = middle + 1; } else { high = middle; }`,
      '}',
      `while (low < ${length}) {`,
      `let place = ${place('low')};`,
      `if (${key('place')} != wanted) { break; }`,
      add('place'),
      'low++;',
      '}',
    ]
  }
