import type { Kernel, Pass } from '@tessella/compiler'
import { showShape, sizeOf } from '@tessella/ir'
import type { Dispatch } from '../kernel.ts'
import { Shader } from '../wgsl/shader.ts'
import { affineText, Values } from '../wgsl/values.ts'
import { type Running, running, SharedArrays } from './accumulators.ts'
import type { KernelContext } from './context.ts'
import { type FoldLayout, joinLines, layoutLines, sizeOfLayout } from './fold.ts'
import { indicesOf } from './indices.ts'
import { groupLimit, rowLayout } from './reducePlan.ts'
import { writeLines } from './writes.ts'

type RowsKernel = Extract<Kernel, { kind: 'rows' }>

/** The lanes of one workgroup walk a row as often as it has passes; every element stays with one lane. */
export function emitRows(kernel: RowsKernel, context: KernelContext): readonly Dispatch[] {
  const { domain, inner, passes, writes } = kernel
  const shader = new Shader(context)
  const rows = sizeOf(domain)
  const most = Math.min(...passes.map((p) => groupLimit(p.accumulators, context.capabilities)))
  const layout = rowLayout(rows, sizeOf(inner), most)
  const arrays = new SharedArrays(shader, sizeOfLayout(layout))
  const indices = indicesOf(shader, 'output', domain)
  const results: string[] = []
  const body = [...layoutLines(layout, rows), ...indices.lines]
  for (const pass of passes) {
    const all = pass.accumulators.map((a) => running(shader, a))
    body.push(...passLines(shader, kernel, pass, { layout, all, names: indices.names, results }))
    body.push(...joinLines(shader, layout, all, arrays, true))
    results.push(...all.map((r) => r.result))
  }
  if (writes.length > 0) {
    // What the passes stored, in case a store of the row reads it.
    if (layout.lanes > 1 && passes.some((p) => p.writes.length > 0))
      body.push('storageBarrier();', 'workgroupBarrier();')
    const place = { indices: indices.names, results }
    body.push('if (live && turn == 0) {', ...writeLines(shader, writes, place), '}')
  }
  const label = `rows ${showShape(domain)} of ${showShape(inner)}`
  return [shader.finish({ label, size: sizeOfLayout(layout), groups: Math.ceil(rows / layout.outputs), body })]
}

interface Walk {
  readonly layout: FoldLayout
  readonly all: readonly Running[]
  readonly names: readonly string[]
  /** Of earlier passes. */
  readonly results: readonly string[]
}

function passLines(shader: Shader, { inner }: RowsKernel, pass: Pass, { layout, all, names, results }: Walk): string[] {
  const element = indicesOf(shader, 'element', inner)
  const indices = [...names, ...element.names]
  const known = [...results]
  const outside = new Values(shader, { indices: names, results: known })
  const inside = new Values(shader, { indices, results: known }, outside)
  const takes = pass.accumulators.flatMap(({ value }, i) => (all[i] as Running).take(inside.of(value), 'element'))
  const values = pass.writes.map((w) => inside.of(w.value))
  const stores = pass.writes.map((w, i) =>
    shader.store(shader.memory(w.buffer), affineText(w.at, indices), values[i] as string),
  )
  return [
    ...all.flatMap((r) => r.declare),
    ...outside.lines,
    `for (var element = turn; element < select(0, ${sizeOf(inner)}, live); element += ${layout.lanes}) {`,
    ...element.lines,
    ...inside.lines,
    ...takes,
    ...stores,
    '}',
  ]
}
