import { idMark, type Node, type NodeOf, OpError, parameter } from '@tessella/ir'
import { state } from './state.ts'

/** What a Variable looks like to a trace; the cell itself lives in `variable.ts`. */
export interface Cell {
  /** The committed value. */
  node: Node
  /** Its value was handed out, so its buffer may not be written in place. */
  exposed: boolean
  readonly name: string
  /** Assignments since the last settle, kept small so graphs do not grow. */
  pending: number
}

/** Where code ran, by the ids of the nodes it made: innermost interval wins. */
export interface LabelSpan {
  readonly label: string
  readonly from: number
  readonly to: number
}

/**
 * One level of recording. `compile` records reads and stages assignments; `grad` only replaces reads;
 * levels nest through `parent`.
 */
export interface Trace {
  readonly parent: Trace | undefined
  /** Values that reads get instead, innermost trace first. */
  readonly replaced: Map<Cell, Node>
  /** Present in a compile trace: placeholders of the Variables read, and staged new values. */
  readonly recording: { readonly reads: Map<Cell, NodeOf<'parameter'>>; readonly staged: Map<Cell, Node> } | undefined
  /** Present while `inspect` listens: where the running code is, and where nodes were made. */
  readonly labels: { readonly path: string[]; readonly spans: LabelSpan[] } | undefined
}

/** Names the part of a model that `fn` runs, for reports that say where a value came from. Costs nothing otherwise. */
export function labelled<T>(label: string, fn: () => T): T {
  let t = state.trace
  while (t !== undefined && t.labels === undefined) t = t.parent
  if (t?.labels === undefined) return fn()
  const { path, spans } = t.labels
  const from = idMark()
  path.push(label)
  try {
    return fn()
  } finally {
    spans.push({ label: path.join('.'), from, to: idMark() })
    path.pop()
  }
}

/** Runs `fn` with a trace pushed; restored whatever happens. */
export function withTrace<T>(trace: Omit<Trace, 'parent'>, fn: () => T): T {
  const parent = state.trace
  state.trace = { ...trace, parent }
  try {
    const result = fn()
    if (result instanceof Promise) {
      // The caller hears of the error below; what becomes of the promise must not end the process.
      result.catch(() => undefined)
      throw new OpError('trace', 'the function is async, but grad and compile record synchronous code', {
        hint: 'Read values outside of it.',
      })
    }
    return result
  } finally {
    state.trace = parent
  }
}

/**
 * Runs `fn` for a transform of graphs: compiled functions called in it become part of its graph, because a replayed
 * program has no history to differentiate.
 */
export function asTransform<T>(fn: () => T): T {
  const parent = state.trace
  state.trace = { replaced: new Map(), recording: undefined, labels: undefined, parent }
  try {
    return fn()
  } finally {
    state.trace = parent
  }
}

/** Whether `compile`, `grad` or another transform is running. */
export const isTracing = (): boolean => state.trace !== undefined

export const isRecording = (): boolean => {
  for (let t = state.trace; t !== undefined; t = t.parent) if (t.recording) return true
  return false
}

/** The value of a cell as the running code must see it. */
export function readCell(cell: Cell): Node {
  for (let t = state.trace; t !== undefined; t = t.parent) {
    const replacement = t.replaced.get(cell)
    if (replacement !== undefined) return replacement
    if (t.recording) {
      const staged = t.recording.staged.get(cell)
      if (staged !== undefined) return staged
      let placeholder = t.recording.reads.get(cell)
      if (placeholder === undefined) {
        placeholder = parameter(cell.node.shape, cell.node.dtype)
        t.recording.reads.set(cell, placeholder)
      }
      return placeholder
    }
  }
  cell.exposed = true
  return cell.node
}

/** Stages the assignment in the innermost recording; false when there is none and the caller must commit it. */
export function stageCell(cell: Cell, node: Node): boolean {
  for (let t = state.trace; t !== undefined; t = t.parent) {
    t.replaced.delete(cell)
    if (t.recording) {
      t.recording.staged.set(cell, node)
      return true
    }
  }
  return false
}
