import { type Graph, type Node, sizeOf } from '@tessella/ir'
import { type Access, accessOf } from './access.ts'
import { emit } from './emit.ts'
import { fuse } from './fuse.ts'
import { Grouping } from './grouping.ts'
import { mayReuse, planMemory } from './memory.ts'
import type { BufferPlan, Kernel, Place, Program, Target } from './program.ts'
import { schedule } from './schedule.ts'
import { shareRowBuffers } from './shareRows.ts'
import { simplify } from './simplify.ts'
import { chooseStores } from './stores.ts'
import { baseOf } from './view.ts'

/** Numbers buffers in the order in which they are met: inputs, outputs, then temporaries. */
class Buffers {
  readonly plans: BufferPlan[] = []
  readonly #numbers = new Map<Node, number>()

  add(node: Node, place: Place): number {
    const number = this.plans.length
    this.plans.push({ dtype: node.dtype, length: sizeOf(node.shape), place })
    this.#numbers.set(node, number)
    return number
  }

  of(node: Node): number {
    return this.#numbers.get(node) ?? this.add(node, { kind: 'temporary', offset: 0 })
  }
}

/**
 * Compiles a graph for a device: simplified, fused into kernels, ordered, with all memory planned.
 * Pure: equal graphs give equal programs.
 *
 * @throws BackendError `unsupported-dtype` when a value needs a dtype that the target lacks
 * @example
 * const x = parameter([4], 'float32')
 * const program = compileGraph({ inputs: [x], outputs: [build.scale(x, 2)] }, target)
 * program.kernels.length // 1
 */
export function compileGraph(graph: Graph, target: Target): Program {
  const roots = simplify(graph, target)
  const grouping = new Grouping(graph, roots, chooseStores(roots, target))
  fuse(grouping, target)
  const items = schedule(grouping)

  const buffers = new Buffers()
  const inputs = graph.inputs.map((node, index) => buffers.add(node, { kind: 'input', index }))
  const outputs = roots.map((node, index) => buffers.add(baseOf(node), { kind: 'output', index, reuses: undefined }))
  const scope = { stored: grouping.stored, bufferOf: (node: Node) => buffers.of(node) }
  const kernels: Kernel[] = []
  for (const item of items) {
    const kernel = emit(item.lowered, scope)
    if (kernel) kernels.push(kernel)
  }
  shareRowBuffers(buffers.plans, kernels)
  const accesses = kernels.map(accessOf)
  const aligned = (bytes: number): number => Math.ceil(bytes / target.alignment) * target.alignment
  const memory = planMemory(buffers.plans, accesses, aligned)
  const reuses = reusedInputs(graph, inputs, outputs, accesses)
  const places = buffers.plans.map((plan, number): BufferPlan => {
    const { dtype, place } = plan
    if (place.kind === 'output') return { ...plan, place: { ...place, reuses: reuses.get(number) } }
    if (place.kind === 'input') return plan
    const offset = memory.offsets.get(number)
    // A value that moved into another's place leaves its number behind.
    return offset === undefined ? { dtype, length: 0, place } : { ...plan, place: { ...place, offset } }
  })
  return { buffers: places, kernels, inputs, outputs, temporaryBytes: memory.bytes }
}

/** For output buffers, the index of the input whose buffer they may be written into. */
function reusedInputs(
  graph: Graph,
  inputs: readonly number[],
  outputs: readonly number[],
  accesses: readonly Access[],
): Map<number, number> {
  const reuses = new Map<number, number>()
  const taken = new Set<number>()
  for (const { input, output } of graph.updates ?? []) {
    const from = inputs[input] as number
    const to = outputs[output] as number
    if (taken.has(input) || reuses.has(to) || !mayReuse(from, to, accesses)) continue
    reuses.set(to, input)
    taken.add(input)
  }
  return reuses
}
