import { type DType, type HostArrays, type Node, OpError, sizeOf } from '@tessella/ir'
import { type FormatOptions, formatElements, type Nested, nest, numberAt } from './print.ts'
import { disposeNode, readNode } from './runtime/index.ts'
import type { Tensor } from './tensor.ts'
import type { Shape } from './types/index.ts'

/** Marks tensors of every copy of this package; holds the graph node. */
export const tensorBrand: unique symbol = Symbol.for('tessella.tensor')

/** What a tensor is besides its operations: a node of the lazy graph with a shape and a dtype, readable by `await`. */
export abstract class Handle<S extends Shape = Shape, D extends DType = DType> {
  /** The graph node; use `nodeOf`. */
  readonly [tensorBrand]: Node

  constructor(node: Node) {
    this[tensorBrand] = node
  }

  /** Sizes, outermost first. */
  get shape(): S {
    return this[tensorBrand].shape as S
  }
  get dtype(): D {
    return this[tensorBrand].dtype as D
  }
  /** Number of elements. */
  get size(): number {
    return sizeOf(this[tensorBrand].shape)
  }
  /** Number of dimensions. */
  get ndim(): number {
    return this[tensorBrand].shape.length
  }

  /** A new tensor of any type; families of methods make their results with it. */
  protected abstract wrap<R extends Shape, E extends DType>(node: Node): Tensor<R, E>

  /** Computes the tensor and copies its elements: bool as 0 and 1, float16 as raw bits. */
  async data<E extends DType>(this: Handle<Shape, E>): Promise<HostArrays[E]> {
    return (await readNode(this[tensorBrand])) as HostArrays[E]
  }

  /** The only element, `boolean` for bool. Throws `OpError` when there is not exactly one. */
  async item<E extends DType>(this: Handle<Shape, E>): Promise<[E] extends ['bool'] ? boolean : number>
  async item(): Promise<number | boolean> {
    if (this.size !== 1)
      throw new OpError('item', `needs exactly one element, there are ${this.size}`, {
        shapes: [this.shape],
        hint: 'Reduce the tensor first, or use array().',
      })
    const value = numberAt(await this.data(), this.dtype, 0)
    return this.dtype === 'bool' ? value !== 0 : value
  }

  /** The elements as nested arrays; a scalar gives its element. */
  async array(): Promise<Nested> {
    return nest(await this.data(), this.dtype, this.shape)
  }

  /** The elements as text, as PyTorch prints them; more than 1000 are summarised by their edges. */
  async format(options: FormatOptions = {}): Promise<string> {
    return formatElements(await this.data(), this.dtype, this.shape, options)
  }

  /** Shape and dtype only: reading elements needs `await`. */
  toString(): string {
    return `Tensor([${this.shape.join(', ')}], ${this.dtype})`
  }
  /** Text, never a number: `x > 0` and `x * 2` cannot know the elements, and would be wrong without a word. */
  [Symbol.toPrimitive](hint: string): string {
    if (hint === 'string') return this.toString()
    throw new OpError('tensor', 'a tensor was used as a number', {
      shapes: [this.shape],
      hint: 'Use its operations (x.gt(0), x.mul(2), where), or read it: await x.item().',
    })
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }

  /** Frees the memory now instead of when the garbage collector finds it. The tensor cannot be used again. */
  dispose(): void {
    disposeNode(this[tensorBrand])
  }
  [Symbol.dispose](): void {
    this.dispose()
  }
}

/** True for tensors, of this or another copy of the package. */
export const isTensor = (x: unknown): x is Tensor => typeof x === 'object' && x !== null && tensorBrand in x

const describe = (x: unknown): string => (x === null ? 'null' : Array.isArray(x) ? 'an array' : typeof x)

/** The graph node behind a tensor. Throws `OpError` for anything else. */
export function nodeOf(x: Handle): Node {
  if (x instanceof Handle) return x[tensorBrand]
  if (isTensor(x))
    throw new OpError('tensor', 'this tensor was made by another copy of @tessella/tensor', {
      hint: 'Let every package resolve one copy: npm dedupe.',
    })
  throw new OpError('tensor', `expected a tensor, got ${describe(x)}`, { hint: 'Make one with tensor(...).' })
}

/** The node of a tensor, or the number itself. */
export const operandOf = (x: unknown): Node | number => (typeof x === 'number' ? x : nodeOf(x as Handle))
