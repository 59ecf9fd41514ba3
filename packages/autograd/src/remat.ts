import { build, type CustomVjp, isFloat, make, type Node, substitute, topological } from '@tessella/ir'
import { vjpNodes } from './backward.ts'

/**
 * The values that `outputs` were computed from: nodes that existed before `mark`, and leaves that hold values.
 * Constants made inside need no saving.
 */
function boundary(outputs: readonly Node[], mark: number): Node[] {
  const isOutside = (node: Node) => node.id < mark || node.op === 'parameter'
  return topological(outputs, isOutside).filter(isOutside)
}

/**
 * The inputs' gradients through a second copy of the graph, computed when the gradient `event` is known: the copy starts
 * from `after(input, event)`, so it is neither the first computation nor earlier than needed.
 */
function recompute(
  outputs: readonly Node[],
  from: readonly Node[],
  inputs: readonly Node[],
  grads: readonly Node[],
  event: Node,
): readonly (Node | undefined)[] {
  const late = inputs.map((x) => build.after(x, event))
  const copies = substitute(outputs, new Map(from.map((node, i) => [node, late[i] as Node])))
  const wanted = late.filter((x) => isFloat(x.dtype))
  const found = vjpNodes(copies, grads, wanted)
  let next = 0
  return late.map((x) => (isFloat(x.dtype) ? found[next++] : undefined))
}

const sizeOfAll = (nodes: readonly Node[]): number[] => nodes.map((n) => n.shape.reduce((a, b) => a * b, 1))

/**
 * The same values under nodes whose gradient recomputes everything made since `mark` instead of keeping it.
 * Several outputs share one recomputation: their gradients meet in one flat vector.
 *
 * @param outputs values made since `mark`; those that are not floating pass unchanged
 * @param mark `idMark()` before the values were made
 */
export function rematerialized(outputs: readonly Node[], mark: number): readonly Node[] {
  const floating = outputs.filter((y) => isFloat(y.dtype) && y.id >= mark && y.op !== 'parameter')
  const from = boundary(floating, mark)
  const only = floating[0]
  if (only === undefined || from.length === 0) return outputs
  const name = 'checkpoint'
  if (floating.length === 1) {
    const vjp: CustomVjp = (inputs, _, g) => recompute([only], from, inputs, [g], g)
    return outputs.map((y) => (y === only ? make('custom', [y, ...from], { name, vjp }) : y))
  }
  const sizes = sizeOfAll(floating)
  const total = sizes.reduce((a, b) => a + b, 0)
  const starts = sizes.map((_, i) => sizes.slice(0, i).reduce((a, b) => a + b, 0))
  const dtype = floating.some((y) => y.dtype === 'float64') ? 'float64' : 'float32'
  const vjp: CustomVjp = (inputs, _, g) => {
    const grads = floating.map((y, i) =>
      build.reshape(build.narrow(g, 0, starts[i] as number, sizes[i] as number), y.shape),
    )
    return recompute(floating, from, inputs, grads, g)
  }
  // Holds no value of interest: it only collects the gradients of all outputs.
  const meeting = make('custom', [build.full([total], 0, dtype), ...from], { name, vjp })
  return outputs.map((y) => {
    const i = floating.indexOf(y)
    if (i < 0) return y
    const start = starts[i] as number
    const end = start + (sizes[i] as number)
    const toMeeting: CustomVjp = (_, __, g) => [
      build.pad(build.cast(build.reshape(g, [end - start]), dtype), [start], [total - end]),
    ]
    return make('custom', [y, meeting], { name, vjp: toMeeting })
  })
}
