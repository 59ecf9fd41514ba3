import { build, type Dims, type DType, type HostArray, type Node, type NodeOf, sizeOf } from '@tessella/ir'
import { Inputs } from '../conformance/inputs.ts'
import type { Rng } from '../rng.ts'
import { type Tracked, tame, tracked } from './tracked.ts'

/** The values made so far, to draw operands from. */
export class Pool {
  readonly rng: Rng
  readonly values: Tracked[] = []
  readonly #inputs: Inputs

  constructor(rng: Rng) {
    this.rng = rng
    this.#inputs = new Inputs(rng)
  }

  get parameters(): readonly NodeOf<'parameter'>[] {
    return this.#inputs.parameters
  }
  get data(): readonly HostArray[] {
    return this.#inputs.data
  }

  add(value: Tracked): Tracked {
    const tamed = tame(value)
    this.values.push(tamed)
    return tamed
  }

  /** A small shape of this rank; few large sizes, many ones. */
  shape(rank = this.rng.integer(0, 4)): number[] {
    return Array.from({ length: rank }, () => this.rng.pick([1, 2, 3, 4, 5, 6, 7, 8, 12]))
  }

  /** Floats are eighths in [-2, 2]; integers are small and of both signs. */
  input(shape: Dims, dtype: DType = 'float32'): Tracked {
    const range: readonly [number, number] =
      dtype === 'bool'
        ? [0, 1]
        : dtype === 'uint8' || dtype === 'uint32'
          ? [0, 20]
          : dtype === 'int32'
            ? [-3, 9]
            : [-16, 16]
    const drawn = Float64Array.from({ length: sizeOf(shape) }, () => this.rng.integer(...range))
    if (dtype !== 'float32') return this.add(tracked(this.#inputs.values(drawn, dtype, shape), 20, 0, 0))
    const eighths = drawn.map((v) => v / 8)
    return this.add(tracked(this.#inputs.values(eighths, 'float32', shape), 2, 3, 0))
  }

  /** An existing value of the dtype that satisfies the test; newer ones are likelier. A new input when there is none. */
  pick(dtype: DType, test: (value: Tracked) => boolean = () => true): Tracked | undefined {
    const fitting = this.values.filter((v) => v.node.dtype === dtype && test(v))
    if (fitting.length === 0) return undefined
    const newest = fitting.slice(-4)
    return this.rng.next() < 0.6 ? this.rng.pick(newest) : this.rng.pick(fitting)
  }

  float(test?: (value: Tracked) => boolean): Tracked {
    return this.pick('float32', test) ?? this.input(this.shape())
  }

  /** A float on which every backend agrees exactly, so that it may be compared, rounded or sorted. */
  exact(test: (value: Tracked) => boolean = () => true): Tracked {
    return this.float((v) => v.grid !== undefined && test(v))
  }

  /** A value of the dtype that broadcasts to `shape`, else a new one of that shape with some sizes 1. */
  partner(shape: Dims, dtype: DType = 'float32'): Tracked {
    const fits = (s: Dims) =>
      s.length <= shape.length && s.every((n, i) => n === 1 || n === shape[shape.length - s.length + i])
    const found = this.pick(dtype, (v) => fits(v.node.shape))
    if (found && this.rng.next() < 0.8) return found
    const from = this.rng.integer(0, shape.length)
    return this.input(
      shape.slice(from).map((n) => (this.rng.next() < 0.25 ? 1 : n)),
      dtype,
    )
  }

  /** Any value seen with this rank: sizes are split off or folded. */
  ranked(rank: number, test: (value: Tracked) => boolean = () => true): Tracked {
    const found = this.float((v) => v.node.shape.length === rank && sizeOf(v.node.shape) > 0 && test(v))
    if (found.node.shape.length === rank && test(found)) return found
    return this.input(this.shape(rank))
  }
}

/** Shapes beyond this make the comparison slow without finding more. */
export const small = (node: Node): boolean => sizeOf(node.shape) <= 3000

export const clampIndex = (index: Node, size: number): Node => build.binary('min', index, build.constant(size, 'int32'))
