import type { Kernel } from '@tessella/compiler'
import type { Dispatch } from '../kernel.ts'
import { Shader } from '../wgsl/shader.ts'
import { storageOf, stored } from '../wgsl/storage.ts'
import { foldText } from './accumulators.ts'
import type { KernelContext } from './context.ts'
import { pointsPerGroup } from './indices.ts'

type CumulativeKernel = Extract<Kernel, { kind: 'cumulative' }>

/** Up to this many elements one invocation walks a line by itself. */
const shortLine = 64
/** Lines that keep a large device busy by themselves. */
const manyLines = 4096
const mostLanes = 256

export function emitCumulative(kernel: CumulativeKernel, context: KernelContext): readonly Dispatch[] {
  const { outer, inner, length } = kernel
  return length <= shortLine || outer * inner >= manyLines ? [walk(kernel, context)] : [scan(kernel, context)]
}

/** Texts of one element: its address in its line, load and store. */
function line(shader: Shader, { length, inner, outer, reverse, x, out }: CumulativeKernel, name: string) {
  const start = `(${name} / ${inner}) * ${length * inner} + ${name} % ${inner}`
  const step = (at: string) => (reverse ? `(${length - 1} - ${at})` : at)
  const address = (at: string) => `${step(at)} * ${inner} + start`
  return {
    lines: outer * inner,
    start: `let start = ${start};`,
    load: (at: string) => shader.load(shader.memory(x), address(at)),
    store: (at: string, value: string) => shader.store(shader.memory(out), address(at), value),
  }
}

/** One invocation a line. */
function walk(kernel: CumulativeKernel, context: KernelContext): Dispatch {
  const shader = new Shader(context)
  const fold = foldText(kernel.fn, stored(kernel.dtype))
  shader.use(...fold.uses)
  const text = line(shader, kernel, 'row')
  const size = pointsPerGroup(text.lines)
  const body = [
    `let row = group * ${size} + lane;`,
    `if (row < ${text.lines}) {`,
    text.start,
    `var sum = ${fold.start};`,
    `for (var at = 0; at < ${kernel.length}; at++) {`,
    `sum = ${fold.step('sum', text.load('at'))};`,
    text.store('at', 'sum'),
    '}',
    '}',
  ]
  return shader.finish({ label: labelOf(kernel), size, groups: Math.ceil(text.lines / size), body })
}

const labelOf = ({ fn, outer, length, inner }: CumulativeKernel): string =>
  `cumulative ${fn} [${outer}, ${length}, ${inner}]`

/** One workgroup a line: each lane folds a part, the parts are scanned in workgroup memory, then each lane walks its part. */
function scan(kernel: CumulativeKernel, context: KernelContext): Dispatch {
  const shader = new Shader(context)
  const dtype = stored(kernel.dtype)
  const fold = foldText(kernel.fn, dtype)
  shader.use(...fold.uses)
  const text = line(shader, kernel, 'group')
  const lanes = Math.min(mostLanes, context.capabilities.maxInvocations)
  const part = Math.ceil(kernel.length / lanes)
  shader.declare(`var<workgroup> parts: array<${storageOf(dtype).type}, ${lanes}>;`)
  const walkPart = (body: readonly string[]) => [
    `for (var at = lane * ${part}; at < min((lane + 1) * ${part}, ${kernel.length}); at++) {`,
    ...body,
    '}',
  ]
  const body = [
    text.start,
    `var sum = ${fold.start};`,
    ...walkPart([`sum = ${fold.step('sum', text.load('at'))};`]),
    'parts[lane] = sum;',
    `for (var reach = 1; reach < ${lanes}; reach <<= 1u) {`,
    'workgroupBarrier();',
    'var left = parts[lane];',
    `if (lane >= reach) { left = ${fold.step('parts[lane - reach]', 'left')}; }`,
    'workgroupBarrier();',
    'parts[lane] = left;',
    '}',
    'workgroupBarrier();',
    `sum = ${fold.start};`,
    'if (lane > 0) { sum = parts[lane - 1]; }',
    ...walkPart([`sum = ${fold.step('sum', text.load('at'))};`, text.store('at', 'sum')]),
  ]
  return shader.finish({ label: labelOf(kernel), size: lanes, groups: text.lines, body })
}
