import { checkOptions, type DType, type Node, OpError, sameShape, topological } from '@tessella/ir'
import { nodeIn } from './operand.ts'
import { type Cell, isRecording, notePending, readCell, Storage, stageCell, withTrace } from './runtime/index.ts'
import { fromNode, nodeOf, type Tensor } from './tensor.ts'
import type { Shape } from './types/index.ts'

const brand = Symbol.for('tessella.variable')

/** Facts about a new {@link Variable}. */
export interface VariableOptions {
  /** Whether gradients and optimizers see it; running statistics and random state are not trainable. Default true. */
  readonly trainable?: boolean
  /** For messages; state dictionaries take names from where the Variable sits in its tree. */
  readonly name?: string
}

/**
 * The only mutable cell: parameters, running statistics, optimizer moments, random state.
 * Assignment is lazy; reading any tensor computes the pending assignments with it.
 *
 * @example
 * const w = new Variable(zeros([3]))
 * w.assign(w.value.add(1))
 * await w.value.data() // Float32Array [1, 1, 1]
 */
export class Variable<const S extends Shape = Shape, D extends DType = DType> {
  readonly [brand] = true
  readonly shape: S
  readonly dtype: D
  readonly trainable: boolean
  readonly name: string
  readonly #cell: Cell

  constructor(value: Tensor<S, D>, options: VariableOptions = {}) {
    const node = nodeIn('Variable', value)
    checkOptions('Variable', options, ['trainable', 'name'])
    this.shape = value.shape
    this.dtype = value.dtype
    this.trainable = options.trainable ?? true
    this.name = options.name ?? ''
    if (isRecording()) checkNotTraced(node, this.name)
    // The value came from outside: a handle to it may exist.
    this.#cell = { node, exposed: true, name: this.name, pending: 0 }
    if (this.#cell.node.value instanceof Storage) this.#cell.node.value.owned = true
    notePending(this.#cell)
  }

  /** The value as of now: inside `compile`, after the assignments made there so far. */
  get value(): Tensor<S, D> {
    return fromNode<S, D>(readCell(this.#cell))
  }

  /** Replaces the value. Shape and dtype must be the Variable's own. Inside `compile` it takes effect when the step succeeds. */
  assign(value: Tensor<S, D>): void {
    const where = this.name ? `assign to '${this.name}'` : 'assign'
    const node = nodeIn(where, value)
    if (!sameShape(node.shape, this.shape))
      throw new OpError(where, 'a Variable keeps its shape', {
        shapes: [node.shape, this.shape],
        hint: 'Make a new Variable for another shape.',
      })
    if (node.dtype !== this.dtype)
      throw new OpError(where, `a Variable keeps its dtype ${this.dtype}, got ${node.dtype}`, {
        dtypes: [node.dtype, this.dtype],
        hint: `Cast it: value.cast('${this.dtype}').`,
      })
    if (stageCell(this.#cell, node)) return
    commitCell(this.#cell, node, true)
  }

  toString(): string {
    return `Variable(${this.dtype} [${this.shape.join(', ')}]${this.trainable ? '' : ', not trainable'})`
  }

  /** @internal */
  static cellOf(variable: Variable): Cell {
    return variable.#cell
  }
}

/** A Variable lives on after the trace, a traced value does not. */
function checkNotTraced(node: Node, name: string): void {
  if (topological([node]).some((n) => n.op === 'parameter' && n.value === undefined))
    throw new OpError('Variable', `${name ? `'${name}'` : 'it'} cannot start from a value that compile is tracing`, {
      hint: 'Make the Variable outside of the compiled function, or assign the value to one.',
    })
}

/** Makes `node` the committed value. `exposed`: somebody else may hold it. */
export function commitCell(cell: Cell, node: Node, exposed: boolean): void {
  cell.node = node
  cell.exposed = exposed
  if (node.value instanceof Storage) node.value.owned = true
  notePending(cell)
}

export const cellOf = (variable: Variable): Cell => Variable.cellOf(variable)

export function isVariable(x: unknown): x is Variable {
  if (typeof x !== 'object' || x === null || !(brand in x)) return false
  if (!(x instanceof Variable))
    throw new OpError('variable', 'this Variable belongs to another copy of @tessella/tensor', {
      hint: 'Two copies are installed; deduplicate them (npm ls @tessella/tensor).',
    })
  return true
}

/** Runs `fn` with reads of these Variables answering other tensors: how `grad` watches them. */
export function withVariables<T>(replacements: ReadonlyMap<Variable, Tensor>, fn: () => T): T {
  const replaced = new Map<Cell, Node>()
  for (const [variable, tensor] of replacements) replaced.set(cellOf(variable), nodeOf(tensor))
  return withTrace({ replaced, recording: undefined, labels: undefined }, fn)
}
