import {
  canonical,
  checkOptions,
  checkWhole,
  type DeviceBuffer,
  type Executable,
  idMark,
  type Node,
  type NodeOf,
  OpError,
  parameter,
  parameterLike,
  topological,
} from '@tessella/ir'
import type { Device } from './runtime/device.ts'
import {
  type Cell,
  detached,
  hostLeaf,
  isTracing,
  requireDevice,
  Storage,
  settleAll,
  storageOf,
  withTrace,
} from './runtime/index.ts'
import { type Form, formOf, hasForm, type References, references, type Signature, signatureOf } from './signature.ts'
import { fromNode, isTensor, nodeOf, type Tensor } from './tensor.ts'
import { mapLeaves } from './tree.ts'
import type { ShapeError } from './types/index.ts'
import { commitCell } from './variable.ts'

/**
 * What a caller may pass where the traced function takes `T`: scalars also as plain numbers, in arrays and plain objects
 * too. The function gets a tensor for every number, so it may not ask for a `number`.
 */
export type CallArg<T> = unknown extends T
  ? T
  : number extends T
    ? ShapeError<'compile: a number arrives as a tensor; declare it as Tensor<[], "float32"> and pass the number'>
    : T extends Tensor<readonly [], infer _D>
      ? T | number
      : T extends Tensor
        ? T
        : T extends readonly unknown[] | { readonly [key: string]: unknown }
          ? { [K in keyof T]: CallArg<T[K]> }
          : T

/** A function that runs as one prepared program per signature. */
export interface Compiled<A extends readonly unknown[], R> {
  (...args: { [I in keyof A]: CallArg<A[I]> }): R
  /** The programs made so far, newest last. */
  programs(): readonly CompiledProgram[]
}

export interface CompiledProgram {
  readonly signature: string
  readonly kernels: number
  print(): string
}

export interface CompileOptions {
  /** Programs kept, one per signature (shapes, dtypes, static values); the longest unused goes first. Default 16. */
  readonly cacheSize?: number
}

/** Everything a replay needs: no graph, no user code. */
interface Entry {
  readonly executable: Executable
  readonly reads: readonly Cell[]
  readonly captured: readonly Node[]
  /** Variables assigned, with the input that held the old value where the step read it. */
  readonly assigned: readonly { readonly cell: Cell; readonly input: number | undefined }[]
  readonly results: readonly Node[]
  /** The traced result with the index of an output in place of each tensor. */
  readonly shape: unknown
}

/** The programs of a compiled function on one device. */
interface Cache {
  /** By signature, newest last. */
  readonly entries: Map<string, Entry>
  /** The newest, where its calls have a form. */
  last: { readonly form: Form; readonly entry: Entry } | undefined
}

/** Stands for output `index` in the shape of a result. */
class Slot {
  readonly index: number
  constructor(index: number) {
    this.index = index
  }
}

/** Copies the arguments with each tensor and number replaced by the next of `values`. */
function rebind<A extends readonly unknown[]>(args: A, values: readonly Tensor[]): A {
  let next = 0
  return args.map((a) =>
    mapLeaves(a, (leaf) => (isTensor(leaf) || typeof leaf === 'number' ? values[next++] : leaf)),
  ) as unknown as A
}

/** Values made before the trace and not computed yet: computed once now, not in every run. Constants stay in the graph. */
function settleOutside(outputs: readonly Node[], mark: number): void {
  const outside = topological(outputs, (n) => n.id < mark).filter((n) => n.id < mark && n.op !== 'parameter')
  const isConstantView = (n: Node): boolean => {
    let node = n
    while (node.op === 'expand' || node.op === 'reshape') node = node.src[0] as Node
    return node.op === 'constant'
  }
  const worth = outside.filter((n) => !isConstantView(n))
  if (worth.length > 0) settleAll(worth)
}

function traceCall<A extends readonly unknown[], R>(
  fn: (...args: A) => R,
  args: A,
  signature: Signature,
  device: Device,
): Entry {
  const mark = idMark()
  const placeholders = signature.dynamic.map((v) => {
    const node = isTensor(v) ? nodeOf(v) : undefined
    return parameter(node?.shape ?? [], node?.dtype ?? 'float32')
  })
  const reads = new Map<Cell, NodeOf<'parameter'>>()
  const staged = new Map<Cell, Node>()
  const result = withTrace({ replaced: new Map(), recording: { reads, staged }, labels: undefined }, () =>
    fn(
      ...rebind(
        args,
        placeholders.map((p) => fromNode(p)),
      ),
    ),
  )
  const results: Node[] = []
  const shape = mapLeaves(result, (leaf) => (isTensor(leaf) ? new Slot(results.push(nodeOf(leaf)) - 1) : leaf))
  const outputs = [...results, ...staged.values()]
  settleOutside(outputs, mark)
  const leading = [...placeholders, ...reads.values()]
  const program = canonical(outputs, leading)
  const captured = program.inputs.slice(leading.length)
  for (const node of captured)
    if (!(node.value instanceof Storage))
      throw new OpError('compile', 'the function uses a value of another function that is still being traced', {
        hint: 'Pass it as an argument.',
      })
  const cells = [...reads.keys()]
  const assigned = [...staged.keys()].map((cell) => {
    const at = cells.indexOf(cell)
    return { cell, input: at < 0 ? undefined : placeholders.length + at }
  })
  const updates = assigned.flatMap(({ input }, i) =>
    input === undefined ? [] : [{ input, output: results.length + i }],
  )
  const executable = device.backend.prepare({ ...detached(program, outputs), updates })
  return {
    executable,
    reads: cells,
    captured,
    assigned,
    results: results.map((r) => parameter(r.shape, r.dtype)),
    shape,
  }
}

/** The traced result with tensors in its slots. */
function filled(shape: unknown, results: readonly Tensor[]): unknown {
  if (shape instanceof Slot) return results[shape.index]
  if (Array.isArray(shape)) return shape.map((part) => filled(part, results))
  return mapLeaves(shape, (leaf) => (leaf instanceof Slot ? results[leaf.index] : leaf))
}

/** Runs the program, then commits: nothing changes when it throws. Every step of a training loop passes here. */
function replay(entry: Entry, dynamic: readonly unknown[], device: Device): unknown {
  const { reads, captured, assigned, results } = entry
  const nodes: Node[] = []
  for (const v of dynamic) nodes.push(isTensor(v) ? nodeOf(v) : hostLeaf(Float32Array.of(Number(v)), [], 'float32'))
  for (const cell of reads) nodes.push(cell.node)
  for (const node of captured) nodes.push(node)
  if (device.pending.size > 0 || nodes.some(isWaiting)) settleAll(nodes.filter(isWaiting))
  const buffers: DeviceBuffer[] = []
  const donated: boolean[] = []
  for (const node of nodes) {
    buffers.push(storageOf(node).bufferOn(device))
    donated.push(false)
  }
  for (const { cell, input } of assigned) if (input !== undefined) donated[input] = !cell.exposed
  const outputs = entry.executable.run(buffers, donated)
  // Numbers are nobody else's: their buffers are there for the next call, before the collector would come to them.
  for (let i = 0; i < dynamic.length; i++) if (!isTensor(dynamic[i])) storageOf(nodes[i] as Node).dispose()
  for (let i = 0; i < assigned.length; i++) {
    const { cell, input } = assigned[i] as Entry['assigned'][number]
    const old = cell.node.value instanceof Storage ? cell.node.value : undefined
    const wasExposed = cell.exposed
    // Variables free their old values themselves; results wait for the collector.
    commitCell(cell, outputNode(outputs, results.length + i, cell.node, device, false), false)
    if (input !== undefined && donated[input]) old?.donated()
    else if (!wasExposed) old?.dispose()
  }
  const tensors = results.map((like, i) => fromNode(outputNode(outputs, i, like, device, true)))
  return filled(entry.shape, tensors)
}

const isWaiting = (node: Node): boolean => node.op !== 'parameter'

/** The node of an output, like another one; `weighed`: the collector shall know its weight. */
function outputNode(outputs: readonly DeviceBuffer[], i: number, like: Node, device: Device, weighed: boolean): Node {
  const buffer = outputs[i]
  if (buffer === undefined) throw new Error(`internal: output ${i} of a program is missing`)
  const storage = Storage.fromDevice(device, buffer, like.dtype)
  if (weighed) device.weigh(storage, buffer.byteLength)
  return parameterLike(like, storage)
}

/**
 * Records `fn` once per signature and replays it as one program: fused kernels, planned memory, Variables updated in
 * place. Tensors and numbers are dynamic; shapes, dtypes, strings and booleans select the program. Variables are found
 * by use. Assignments take effect together after the program has run: an exception leaves every Variable as it was.
 * Plain JavaScript in `fn` runs only while recording. Inside another compiled function, and inside
 * `grad` and other transforms, it is part of their graph.
 *
 * @example
 * const step = compile((x: Tensor<[number, 4], 'float32'>, rate: Tensor<[], 'float32'>) => {
 *   w.assign(w.value.sub(x.mean(0).mul(rate)))
 *   return w.value.sum()
 * })
 * await step(batch, 0.1).item()
 */
export function compile<A extends readonly Tensor[], R>(fn: (...args: A) => R, options?: CompileOptions): Compiled<A, R>
export function compile<A extends readonly unknown[], R>(
  fn: (...args: A) => R,
  options?: CompileOptions,
): Compiled<A, R>
export function compile<A extends readonly unknown[], R>(
  fn: (...args: A) => R,
  options: CompileOptions = {},
): Compiled<A, R> {
  checkOptions('compile', options, ['cacheSize'])
  const limit = options.cacheSize ?? 16
  checkWhole('compile', 'cacheSize', limit, 1)
  const caches = new WeakMap<Device, Cache>()
  const refs: References = references()
  const cacheOf = (device: Device): Cache => {
    let cache = caches.get(device)
    if (cache === undefined) {
      cache = { entries: new Map(), last: undefined }
      caches.set(device, cache)
    }
    return cache
  }
  const call = (...args: A): R => {
    if (isTracing()) {
      const { dynamic } = signatureOf(args, refs)
      const values = dynamic.map((v) =>
        isTensor(v) ? v : fromNode(hostLeaf(Float32Array.of(Number(v)), [], 'float32')),
      )
      return fn(...rebind(args, values))
    }
    const device = requireDevice()
    const cache = cacheOf(device)
    const { entries, last } = cache
    if (last && hasForm(args, last.form)) return replay(last.entry, args, device) as R
    const signature = signatureOf(args, refs)
    let entry = entries.get(signature.key)
    if (entry === undefined) {
      entry = traceCall(fn, args, signature, device)
      const oldest = entries.size >= limit ? entries.entries().next().value : undefined
      if (oldest !== undefined) {
        entries.delete(oldest[0])
        oldest[1].executable.dispose()
      }
    } else entries.delete(signature.key)
    entries.set(signature.key, entry)
    const form = formOf(args)
    cache.last = form && { form, entry }
    return replay(entry, signature.dynamic, device) as R
  }
  const programs = (): CompiledProgram[] =>
    [...cacheOf(requireDevice()).entries].map(([signature, { executable }]) => ({
      signature,
      kernels: executable.kernels,
      print: () => executable.print(),
    }))
  return Object.assign(call as (...args: { [I in keyof A]: CallArg<A[I]> }) => R, { programs })
}
