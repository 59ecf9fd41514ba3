import type { Accumulator, Kernel, Write } from '@tessella/compiler'
import { showShape, sizeOf } from '@tessella/ir'
import type { Dispatch } from '../kernel.ts'
import { type Memory, Shader } from '../wgsl/shader.ts'
import { Values } from '../wgsl/values.ts'
import { type Running, running, SharedArrays } from './accumulators.ts'
import { buffersOf } from './buffers.ts'
import { bindingsOf, type KernelContext } from './context.ts'
import { type FoldLayout, joinLines, layoutLines, sizeOfLayout } from './fold.ts'
import { indicesOf, powerAbove } from './indices.ts'
import { groupLimit, planReduce } from './reducePlan.ts'
import { writeLines } from './writes.ts'

type ReduceKernel = Extract<Kernel, { kind: 'reduce' }>

/** A few lanes for each result; large reductions with few results in two dispatches. The order of a sum is always the same. */
export function emitReduce(kernel: ReduceKernel, context: KernelContext): readonly Dispatch[] {
  const { layout, splits } = planReduce(kernel, context.capabilities, maySplit(kernel, context))
  const label = `reduce ${showShape(kernel.domain)} over ${showShape(kernel.inner)}`
  return splits === 1 ? [whole(kernel, context, layout, label)] : halves(kernel, context, layout, splits, label)
}

/** Partial results are words, and the second dispatch needs a binding for them. */
function maySplit(kernel: ReduceKernel, context: KernelContext): boolean {
  const reads = bindingsOf(buffersOf(kernel.accumulators.map((a) => a.value)), context)
  const stored = kernel.writes.map((w) => w.buffer)
  const after = bindingsOf([...buffersOf(kernel.writes.map((w) => w.value)), ...stored], context)
  const most = context.capabilities.maxStorageBuffers - 1
  return reads <= most && after <= most && kernel.accumulators.every(({ value }) => value.dtype !== 'bool')
}

/** Lines of a loop over part of the inner domain; `output` is the row-major place of the result. */
function loopLines(shader: Shader, kernel: ReduceKernel, all: readonly Running[], layout: FoldLayout, range: Range) {
  const domain = indicesOf(shader, range.output, kernel.domain)
  const inner = indicesOf(shader, 'element', kernel.inner)
  const outside = new Values(shader, { indices: domain.names, results: [] })
  const inside = new Values(shader, { indices: [...domain.names, ...inner.names], results: [] }, outside)
  const takes = kernel.accumulators.flatMap(({ value }, i) => (all[i] as Running).take(inside.of(value), 'element'))
  return {
    names: domain.names,
    lines: [
      ...domain.lines,
      ...outside.lines,
      ...all.flatMap((r) => r.declare),
      `for (var element = ${range.begin} + turn; element < select(0, ${range.end}, live); element += ${layout.lanes}) {`,
      ...inner.lines,
      ...inside.lines,
      ...takes,
      '}',
    ],
  }
}

interface Range {
  readonly output: string
  readonly begin: string
  readonly end: string
}

/** Lane 0 of each output stores. */
const storing = (layout: FoldLayout, lines: readonly string[]): string[] => [
  layout.lanes === 1 ? 'if (live) {' : 'if (live && turn == 0) {',
  ...lines,
  '}',
]

function whole(kernel: ReduceKernel, context: KernelContext, layout: FoldLayout, label: string): Dispatch {
  const shader = new Shader(context)
  const outputs = sizeOf(kernel.domain)
  const all = kernel.accumulators.map((a) => running(shader, a))
  const arrays = new SharedArrays(shader, sizeOfLayout(layout))
  const length = String(sizeOf(kernel.inner))
  const loop = loopLines(shader, kernel, all, layout, { output: 'output', begin: '0', end: length })
  const place = { indices: loop.names, results: all.map((r) => r.result) }
  const body = [
    ...layoutLines(layout, outputs),
    ...loop.lines,
    ...joinLines(shader, layout, all, arrays, false),
    ...storing(layout, writeLines(shader, kernel.writes, place)),
  ]
  return shader.finish({ label, size: sizeOfLayout(layout), groups: Math.ceil(outputs / layout.outputs), body })
}

/** Where partial results lie: an array of words for each value and position, of all outputs split by split. */
function partials(accumulators: readonly Accumulator[], all: readonly Running[], slot: number, count: number) {
  let next = 0
  const take = (dtype: Memory['dtype']) => ({ memory: { slot, dtype }, base: count * next++ })
  const places = accumulators.map((_, i) => {
    const { dtype, isArg } = all[i] as Running
    return { value: take(dtype), position: isArg ? take('int32') : undefined }
  })
  return places
}

function halves(
  kernel: ReduceKernel,
  context: KernelContext,
  layout: FoldLayout,
  splits: number,
  label: string,
): readonly Dispatch[] {
  const count = sizeOf(kernel.domain) * splits
  const words = kernel.accumulators.length * 2
  const slot = context.slots.scratch(4 * count * words)
  return [
    firstHalf(kernel, context, layout, splits, slot, label),
    secondHalf(kernel, context, splits, slot, `${label}, join`),
  ]
}

function firstHalf(
  kernel: ReduceKernel,
  context: KernelContext,
  layout: FoldLayout,
  splits: number,
  slot: number,
  label: string,
): Dispatch {
  const shader = new Shader(context)
  const outputs = sizeOf(kernel.domain)
  const length = sizeOf(kernel.inner)
  const chunk = Math.ceil(length / splits)
  const all = kernel.accumulators.map((a) => running(shader, a))
  const arrays = new SharedArrays(shader, sizeOfLayout(layout))
  const range = { output: 'place', begin: `split * ${chunk}`, end: `min((split + 1) * ${chunk}, ${length})` }
  const loop = loopLines(shader, kernel, all, layout, range)
  const places = partials(kernel.accumulators, all, slot, outputs * splits)
  const stores = places.flatMap(({ value, position }, i) => {
    const { value: v, position: p } = all[i] as Running
    const at = (base: number) => (base === 0 ? 'output' : `output + ${base}`)
    return [
      shader.store(value.memory, at(value.base), v),
      ...(position ? [shader.store(position.memory, at(position.base), p)] : []),
    ]
  })
  const body = [
    ...layoutLines(layout, outputs * splits),
    `let place = output % ${outputs};`,
    `let split = output / ${outputs};`,
    ...loop.lines,
    ...joinLines(shader, layout, all, arrays, false),
    ...storing(layout, stores),
  ]
  return shader.finish({
    label,
    size: sizeOfLayout(layout),
    groups: Math.ceil((outputs * splits) / layout.outputs),
    body,
  })
}

function secondHalf(
  {
    domain,
    accumulators,
    writes,
  }: { domain: readonly number[]; accumulators: readonly Accumulator[]; writes: readonly Write[] },
  context: KernelContext,
  splits: number,
  slot: number,
  label: string,
): Dispatch {
  const shader = new Shader(context)
  const outputs = sizeOf(domain)
  const most = groupLimit(accumulators, context.capabilities)
  const together = Math.min(32, powerAbove(outputs), most)
  const lanes = Math.min(most / together, powerAbove(splits))
  const layout: FoldLayout = { lanes, outputs: together, along: 'outputs' }
  const all = accumulators.map((a) => running(shader, a))
  const arrays = new SharedArrays(shader, sizeOfLayout(layout))
  const places = partials(accumulators, all, slot, outputs * splits)
  const merges = places.flatMap(({ value, position }, i) => {
    const at = (base: number) => `split * ${outputs} + output${base === 0 ? '' : ` + ${base}`}`
    const v = shader.name('p')
    const p = shader.name('p')
    return [
      `let ${v} = ${shader.load(value.memory, at(value.base))};`,
      ...(position ? [`let ${p} = ${shader.load(position.memory, at(position.base))};`] : []),
      ...(all[i] as Running).merge(v, p),
    ]
  })
  const indices = indicesOf(shader, 'output', domain)
  const place = { indices: indices.names, results: all.map((r) => r.result) }
  const body = [
    ...layoutLines(layout, outputs),
    ...all.flatMap((r) => r.declare),
    `for (var split = turn; split < select(0, ${splits}, live); split += ${lanes}) {`,
    ...merges,
    '}',
    ...joinLines(shader, layout, all, arrays, false),
    ...storing(layout, [...indices.lines, ...writeLines(shader, writes, place)]),
  ]
  return shader.finish({ label, size: sizeOfLayout(layout), groups: Math.ceil(outputs / together), body })
}
