import { canonical, type DType, isFloat, isStorageOnly, type Node, type NodeOf, sizeOf } from '@tessella/ir'
import {
  type Cell,
  detached,
  isSettled,
  type LabelSpan,
  requireDevice,
  settleAll,
  storageOf,
  withTrace,
} from './runtime/index.ts'
import { isTensor, nodeOf } from './tensor.ts'
import { leaves } from './tree.ts'

/** The first value of a computation that is NaN or infinite. */
export interface NonFinite {
  /** Operation or scalar function that made it, as in the language. */
  readonly op: string
  /** Path of the layer whose code made it; empty when none was named (the loss, the backward pass). */
  readonly where: string
  readonly shape: readonly number[]
  readonly nan: number
  readonly infinite: number
}

const opName = (node: Node): string => {
  const attrs = node.attrs as { readonly fn?: string }
  return attrs.fn ?? node.op
}

const labelOf = (node: Node, spans: readonly LabelSpan[]): string => {
  let best: LabelSpan | undefined
  for (const s of spans)
    if (node.id >= s.from && node.id < s.to && (best === undefined || s.to - s.from < best.to - best.from)) best = s
  return best?.label ?? ''
}

/** Counts by the host's eyes; only float32 and float64 compute, so only they can go wrong. */
function count(data: ArrayLike<number>): { nan: number; infinite: number } {
  let nan = 0
  let infinite = 0
  for (let i = 0; i < data.length; i++) {
    const v = data[i] as number
    if (Number.isNaN(v)) nan++
    else if (!Number.isFinite(v)) infinite++
  }
  return { nan, infinite }
}

/**
 * Runs `fn` once more, keeps every intermediate value, and reports the first that is not finite although its
 * sources are. Assignments made by `fn` are discarded. Slow and memory-hungry: for diagnosis.
 *
 * @example
 * const culprit = await findNonFinite(() => crossEntropy(model(x), y))
 * // { op: 'log', where: '3', shape: [64, 10], nan: 2, infinite: 0 }
 */
export async function findNonFinite(fn: () => unknown): Promise<NonFinite | undefined> {
  const device = requireDevice()
  const reads = new Map<Cell, NodeOf<'parameter'>>()
  const staged = new Map<Cell, Node>()
  const labels: { path: string[]; spans: LabelSpan[] } = { path: [], spans: [] }
  const result = withTrace({ replaced: new Map(), recording: { reads, staged }, labels }, fn)
  const roots = [...leaves(result).flatMap(({ value }) => (isTensor(value) ? [nodeOf(value)] : [])), ...staged.values()]
  const { order } = canonical(roots)
  const watched = order.filter((n) => isFloat(n.dtype) && !isStorageOnly(n.dtype) && sizeOf(n.shape) > 0)
  const leading = [...reads.values()]
  const cells = [...reads.keys()].map((c) => c.node)
  const program = canonical(watched, leading)
  const inputs = program.inputs.map((p, i) => cells[i] ?? p)
  settleAll(inputs.filter((n) => !isSettled(n)))
  const executable = device.backend.prepare(detached(program, watched))
  try {
    const buffers = inputs.map((n) => storageOf(n).bufferOn(device))
    const outputs = executable.run(
      buffers,
      buffers.map(() => false),
    )
    let found: NonFinite | undefined
    let constant: NonFinite | undefined
    for (const [i, node] of watched.entries()) {
      const buffer = outputs[i]
      if (buffer === undefined) continue
      if (found === undefined) {
        const { nan, infinite } = count(
          await device.backend.read(buffer, node.dtype as DType & ('float32' | 'float64')),
        )
        const culprit = { op: opName(node), where: labelOf(node, labels.spans), shape: node.shape, nan, infinite }
        // A constant infinity is somebody's mask, and a constant NaN a mark: who lets it through is the culprit.
        if (node.op === 'constant' || node.op === 'expand' || node.op === 'reshape') {
          if (nan > 0) constant ??= culprit
        } else if (nan + infinite > 0) found = culprit
      }
      device.backend.release(buffer)
    }
    return found ?? constant
  } finally {
    executable.dispose()
  }
}
