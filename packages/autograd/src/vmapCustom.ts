import { build, type CustomVjp, make, type Node, type NodeOf } from '@tessella/ir'
import type { BatchRule } from './lanes.ts'

/** Every lane has its key, and bits are a function of one key: lanes are drawn one by one. */
export const batchedRandomBits: BatchRule<NodeOf<'randomBits'>> = ({ attrs }, { size, all }) => {
  const keys = all(0)
  const lanes = Array.from({ length: size }, (_, i) =>
    build.reshape(build.randomBits(build.reshape(build.narrow(keys, 0, i, 1), [2]), attrs.shape), [1, ...attrs.shape]),
  )
  return build.concat(lanes, 0)
}

/** Stands for one lane's value while a rule is traced. */
const lane = (x: Node): Node => build.alias(build.full(x.shape, 0, x.dtype))

/** The user's rule speaks of one example: it is traced on stand-ins, and the trace gets lanes. */
export const batchedCustom: BatchRule<NodeOf<'custom'>> = (node, { size, all, vectorize }) => {
  const [, ...inputs] = node.src
  const vjp: CustomVjp = (batchedInputs, output, grad) => {
    const stand = [...inputs.map(lane), lane(node)]
    const g = build.alias(build.full(node.shape, 0, grad.dtype))
    const results = node.attrs.vjp(stand.slice(0, -1), stand[stand.length - 1] as Node, g)
    const present = results.filter((r) => r !== undefined)
    const done = vectorize(present, [...stand, g], [...batchedInputs, output, grad], size)
    let next = 0
    return results.map((r) => (r === undefined ? undefined : done[next++]))
  }
  const [value, ...rest] = node.src.map((_, i) => all(i)) as [Node, ...Node[]]
  return make('custom', [value, ...rest], { name: node.attrs.name, vjp })
}
