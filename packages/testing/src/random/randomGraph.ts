import { build, type Graph, type HostArray, type Node, sameShape, topological } from '@tessella/ir'
import { Rng } from '../rng.ts'
import { type Action, actions } from './actions.ts'
import { Pool, small } from './pool.ts'
import { sum, type Tracked, tracked } from './tracked.ts'

/** A random program with data and what may be expected of a correct backend. */
export interface RandomGraph {
  readonly seed: number
  readonly graph: Graph
  readonly data: readonly HostArray[]
  /** Inputs to give away when it runs; those of the updates, mostly. */
  readonly donated: readonly boolean[]
  /** Absolute error allowed in each output; 0 for exact ones. */
  readonly errors: readonly number[]
}

function drawAction(rng: Rng): Action {
  const all = actions.reduce((n, [weight]) => n + weight, 0)
  let left = rng.next() * all
  for (const [weight, action] of actions) {
    left -= weight
    if (left < 0) return action
  }
  return (actions[0] as (typeof actions)[number])[1]
}

/**
 * A random graph over the whole language: 5 to 25 operations on small shapes, shared subexpressions, views of views,
 * reductions with epilogues, several outputs, in-place updates. Only operations on exactly known values are ones that
 * jump (comparisons, rounding, sorting), so that a correct backend never differs by more than `errors`.
 */
export function randomGraph(seed: number): RandomGraph {
  const pool = new Pool(new Rng(seed))
  const { rng } = pool
  for (let n = rng.integer(1, 3); n > 0; n--) pool.input(pool.shape())
  const wanted = rng.integer(5, 25)
  for (let made = 0; made < wanted; ) {
    const value = drawAction(rng)(pool)
    if (!small(value.node)) continue
    pool.add(value)
    made++
  }
  const updates = chooseUpdates(pool)
  const outputs = [...updates.map((u) => u.value), ...chooseOutputs(pool)]
  const graph: Graph = {
    inputs: pool.parameters,
    outputs: outputs.map((v) => v.node),
    updates: updates.map((u, output) => ({ input: u.input, output })),
  }
  const replaced = new Set(updates.map((u) => u.input))
  const donated = pool.parameters.map((_, i) => (replaced.has(i) ? rng.next() < 0.8 : rng.next() < 0.1))
  return { seed, graph, data: pool.data, donated, errors: outputs.map((v) => v.error) }
}

/** Values that nothing else uses, and sometimes one that has users. */
function chooseOutputs(pool: Pool): Tracked[] {
  const used = new Set<Node>(topological(pool.values.map((v) => v.node)).flatMap((node) => [...node.src]))
  const sinks = pool.values.filter((v) => !used.has(v.node) && v.node.op !== 'parameter')
  const inner = pool.values.filter((v) => used.has(v.node))
  const chosen = sinks.slice(-4)
  if (inner.length > 0 && pool.rng.next() < 0.5) chosen.push(pool.rng.pick(inner))
  return chosen.length > 0 ? chosen : [pool.values[pool.values.length - 1] as Tracked]
}

/** New values for some of the float inputs: a step along another value, or any value of their shape. */
function chooseUpdates(pool: Pool): { input: number; value: Tracked }[] {
  if (pool.rng.next() < 0.4) return []
  const updates: { input: number; value: Tracked }[] = []
  for (const [input, node] of pool.parameters.entries()) {
    if (node.dtype !== 'float32' || updates.length === 2 || pool.rng.next() < 0.5) continue
    const same = pool.pick('float32', (v) => v.node !== node && sameShape(v.node.shape, node.shape))
    if (same && pool.rng.next() < 0.5) updates.push({ input, value: same })
    else {
      const x = tracked(node, 2, 3, 0)
      const step = same ?? x
      const half = tracked(
        build.scale(step.node, 0.5),
        step.bound,
        step.grid === undefined ? undefined : step.grid + 1,
        step.error,
      )
      updates.push({ input, value: sum(x, half, build.sub(node, half.node)) })
    }
  }
  return updates
}
