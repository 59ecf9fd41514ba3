import { build, type DType, type Node, normalizeAxis, OpError } from '@tessella/ir'
import { asTransform, type Shape, type Tensor } from '@tessella/tensor'
import { asyncError, isPromise, tensorNodes, treeLike } from './treeNodes.ts'
import { vmapNodes } from './vmapNodes.ts'

/** Where an argument has its lanes; `null` for one that all lanes share. */
export type LaneAxis = number | null

/** A value of one lane as it comes with lanes along the first axis. */
export type Laned<T> =
  T extends Tensor<infer S extends Shape, infer D extends DType>
    ? Tensor<[number, ...S], D>
    : T extends readonly unknown[] | { readonly [key: string]: unknown }
      ? { [K in keyof T]: Laned<T[K]> }
      : T

/** A value of one lane with lanes along an axis that is known when it runs. */
type LanedSomewhere<T> =
  T extends Tensor<Shape, infer D extends DType>
    ? Tensor<Shape, D>
    : T extends readonly unknown[] | { readonly [key: string]: unknown }
      ? { [K in keyof T]: LanedSomewhere<T[K]> }
      : T

type LanedArgs<A extends readonly unknown[], I> = {
  [K in keyof A]: I extends 0
    ? Laned<A[K]>
    : I extends readonly unknown[]
      ? K extends keyof I
        ? I[K] extends null
          ? A[K]
          : I[K] extends 0
            ? Laned<A[K]>
            : LanedSomewhere<A[K]>
        : LanedSomewhere<A[K]>
      : LanedSomewhere<A[K]>
}

/** [..., lanes at `from`, ...] with that axis moved to `to`. */
function moveAxis(x: Node, from: number, to: number): Node {
  const order = x.shape.map((_, i) => i).filter((i) => i !== from)
  order.splice(to, 0, from)
  return build.permute(x, order)
}

/** The first lane: a real value to trace with, so that a function which assigns or reads still makes sense. */
const firstLane = (x: Node): Node => build.alias(build.reshape(build.narrow(x, 0, 0, 1), x.shape.slice(1)))

/** The lanes of every tensor moved to the front; all must agree on how many there are. */
class Gathered {
  readonly inputs: Node[] = []
  readonly batched: Node[] = []
  size: number | undefined

  /** Argument `n` as one lane sees it. */
  add(arg: unknown, axis: LaneAxis, n: number): unknown {
    if (axis === null) return arg
    const nodes = tensorNodes(arg)
    const lanes = nodes.map((node) => {
      const at = normalizeAxis('vmap', axis, node.shape.length)
      const count = node.shape[at] as number
      if (count === 0) throw new OpError('vmap', `argument ${n} has no lanes`, { shapes: [node.shape] })
      this.size ??= count
      if (count !== this.size)
        throw new OpError('vmap', `argument ${n} has ${count} lanes along axis ${axis}, others have ${this.size}`, {
          shapes: [node.shape],
          hint: 'Give it another axis in inAxes, or null to share it between lanes.',
        })
      const moved = moveAxis(node, at, 0)
      this.batched.push(moved)
      const first = firstLane(moved)
      this.inputs.push(first)
      return first
    })
    return treeLike(arg, lanes)
  }
}

/**
 * A function of single examples as a function of many: lanes along an axis of the arguments, one graph for all.
 * Random keys and Variables are shared by the lanes; an assignment inside sees the first lane only.
 *
 * @param inAxes the axis of lanes per argument, one for all (default 0), or `null` for an argument that is shared
 * @param outAxis where the lanes go in every result. Default 0
 * @throws OpError when lanes differ in number or there are none
 *
 * @example
 * const dot = (a: Tensor<[3]>, b: Tensor<[3]>) => a.mul(b).sum()
 * vmap(dot, [0, null])(rows, b) // [rows.shape[0]]
 * @example
 * const perExample = vmap(grad(loss), [null, 0, 0]) // gradients of every example
 */
export function vmap<
  A extends readonly unknown[],
  R,
  const I extends LaneAxis | readonly LaneAxis[] = 0,
  const O extends number = 0,
>(
  f: (...args: A) => R,
  inAxes?: I,
  outAxis?: O,
): (...args: LanedArgs<A, I>) => O extends 0 ? Laned<R> : LanedSomewhere<R> {
  return (...args) => {
    const axes = args.map((_, i) => {
      if (!Array.isArray(inAxes)) return (inAxes ?? 0) as LaneAxis
      if (inAxes.length !== args.length)
        throw new OpError('vmap', `inAxes has ${inAxes.length} entries for ${args.length} arguments`, {
          hint: 'Give one axis or null per argument.',
        })
      return inAxes[i] as LaneAxis
    })
    const gathered = new Gathered()
    const single = args.map((arg, i) => gathered.add(arg, axes[i] as LaneAxis, i))
    const { inputs, batched, size } = gathered
    if (size === undefined)
      throw new OpError('vmap', 'no argument has lanes', {
        hint: 'At least one entry of inAxes must be an axis of a tensor.',
      })
    const result = asTransform(() => f(...(single as unknown as A)))
    if (isPromise(result)) throw asyncError('vmap')
    const outputs = vmapNodes(tensorNodes(result), inputs, batched, size)
    const placed = outputs.map((y) => moveAxis(y, 0, normalizeAxis('vmap', outAxis ?? 0, y.shape.length)))
    return treeLike(result, placed) as never
  }
}
