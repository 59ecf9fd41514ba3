import {
  BackendError,
  type Canonical,
  canonical,
  type Dims,
  type DType,
  type Graph,
  type HostArray,
  type Node,
  type NodeOf,
  OpError,
  parameter,
  settle as settleNode,
  topological,
  twin,
} from '@tessella/ir'
import type { Device } from './device.ts'
import { state } from './state.ts'
import { Storage } from './storage.ts'
import type { Cell } from './trace.ts'

/** An assignment chain longer than this is settled at once, so a loop that never reads does not grow a graph. */
const pendingLimit = 8

/** The device in use, or an error that says how to choose one. */
export function requireDevice(): Device {
  if (state.device === undefined)
    throw new BackendError('tensor', 'unavailable', 'no backend is in use. Call `await useBackend(cpu())` first.')
  return state.device
}

export const isSettled = (node: Node): boolean => node.op === 'parameter' && node.value !== undefined

/** The storage of a settled node. */
export function storageOf(node: Node): Storage {
  if (!(node.value instanceof Storage))
    throw new OpError('data', 'this value does not exist yet: compile is tracing', {
      hint: 'Return the tensor from the compiled function and read it outside.',
    })
  return node.value
}

/** A copy of the graph on nodes of its own: a kept program must not see nodes settle, nor hold their values. */
export function detached({ order, inputs }: Canonical, outputs: readonly Node[]): Graph {
  const copies = new Map<Node, Node>()
  const copy = (node: Node): Node => copies.get(node) as Node
  for (const node of order) copies.set(node, twin(node, node.src.map(copy)))
  return { inputs: inputs.map((i) => copy(i) as NodeOf<'parameter'>), outputs: outputs.map(copy) }
}

/** Whether everything a node is made from can still be had. */
function isComputable(node: Node, device: Device): boolean {
  try {
    for (const n of topological([node])) if (n.op === 'parameter') storageOf(n).bufferOn(device)
    return true
  } catch {
    return false
  }
}

/**
 * Computes the pending ones of `nodes`, and with them every pending assignment, in one program. An assignment of a value
 * that cannot be had any more (disposed, traced, of another backend) fails where its Variable is read, not here.
 */
export function settleAll(nodes: readonly Node[]): void {
  const device = requireDevice()
  try {
    settleWithPending(nodes, device)
  } catch (error) {
    const hopeless = [...device.pending].filter((cell) => !isComputable(cell.node, device))
    if (hopeless.length === 0) throw error
    for (const cell of hopeless) device.pending.delete(cell)
    settleWithPending(nodes, device)
  }
}

function settleWithPending(nodes: readonly Node[], device: Device): void {
  const cells = device.pending
  const roots = new Set<Node>()
  for (const node of nodes) if (node.op !== 'parameter') roots.add(node)
  for (const cell of cells) if (cell.node.op !== 'parameter') roots.add(cell.node)
  if (roots.size > 0) {
    const outputs = [...roots]
    const program = canonical(outputs)
    const buffers = program.inputs.map((i) => storageOf(i).bufferOn(device))
    const executable = device.executable(program.key, () => detached(program, outputs))
    const results = executable.run(
      buffers,
      buffers.map(() => false),
    )
    for (const [i, node] of outputs.entries()) {
      const buffer = results[i]
      if (buffer === undefined) throw new Error(`internal: output ${i} of a program is missing`)
      const storage = Storage.fromDevice(device, buffer, node.dtype)
      device.weigh(storage, buffer.byteLength)
      settleNode(node, storage)
    }
  }
  for (const cell of cells) {
    cell.pending = 0
    if (cell.node.value instanceof Storage) cell.node.value.owned = true
  }
  cells.clear()
}

/** Notes a committed assignment whose value is still to be computed. */
export function notePending(cell: Cell): void {
  if (state.device === undefined || cell.node.op === 'parameter') return
  state.device.pending.add(cell)
  if (++cell.pending > pendingLimit) settleAll([])
}

/** A copy of a node's elements. */
export async function readNode(node: Node): Promise<HostArray> {
  if (node.op !== 'parameter') settleAll([node])
  const data = await storageOf(node).read()
  await state.device?.breathe()
  return data
}

/** A settled leaf that holds host data as its own. */
export function hostLeaf(data: HostArray, shape: Dims, dtype: DType): Node {
  return parameter(shape, dtype, Storage.fromHost(data, dtype))
}

/** Frees a settled node's value now; pending nodes hold nothing. A Variable's value stays. */
export function disposeNode(node: Node): void {
  if (node.value instanceof Storage && !node.value.owned) node.value.dispose()
}
