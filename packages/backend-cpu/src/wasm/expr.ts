import { type Affine, type Expr, type Write, walkExprs } from '@tessella/compiler'
import { byteWidth, type DType, internalError, isFloat } from '@tessella/ir'
import { Lanes } from '../math/lanes.ts'
import { powConstant } from '../math/power.ts'
import { threefry } from '../math/threefry.ts'
import type { FunctionBuilder } from './assembler.ts'
import { cast } from './casts.ts'
import type { Address, Dataflow, Job, Value } from './dataflow.ts'
import { binaryOf, unaryOf } from './functions.ts'
import { loadColumn, loadFrom, loadLanes, loadSplat, shifted, storeJobs } from './lanesMemory.ts'
import type { Site } from './site.ts'

/*
 * From the compiler's scalar expressions to SIMD values. A kernel that computes its own result (matmul, conv, a
 * reduction) and must write it does, at each group of lanes along one dimension of its domain:
 *
 *   const g = new Dataflow(context)                      // one per function
 *   const site: Site = ...                               // where the lanes are: a `Streams`, or routines/epilogue.ts
 *   const lower = new Lowering(g, site, dtypeOf, [g.local(accumulator, 2)])   // result 0 is in a v128 local
 *   g.emit(f, kernel.writes.flatMap((w) => lower.jobs(f, w)))
 *
 * A site of fewer than four lanes reads and stores only those. The levels given to `g.local` say in which loop a local
 * changes; only `g.hoist` uses them.
 */

/** Turns expressions into values of one graph at one site. Shared subexpressions are computed once. */
export class Lowering {
  readonly #g: Dataflow
  readonly #l: Lanes
  readonly #site: Site
  readonly #dtypeOf: (buffer: number) => DType
  readonly #results: readonly Value[]
  readonly #done = new Map<Expr, Value>()

  /** `results`: the lanes that `result` expressions stand for, in the form of their dtype (see lanesMemory.ts). */
  constructor(g: Dataflow, site: Site, dtypeOf: (buffer: number) => DType, results: readonly Value[] = []) {
    this.#g = g
    this.#l = new Lanes(g)
    this.#site = site
    this.#dtypeOf = dtypeOf
    this.#results = results
  }

  /** The lanes of an expression. The compiler bounds how deep one is. */
  value(e: Expr): Value {
    const known = this.#done.get(e)
    if (known) return known
    const made = this.#lower(e)
    this.#done.set(e, made)
    return made
  }

  /** The stores of a write, for `Dataflow.emit` (which computes the values of all stores before the first store). */
  jobs(f: FunctionBuilder, write: Write): Job[] {
    const { buffer, at } = write
    const value = this.value(write.value)
    const address = this.#site.address(buffer, at)
    const stride = this.#site.laneStride(at)
    return storeJobs(this.#g, f, this.#dtypeOf(buffer), address, stride, this.#site.lanes, value)
  }

  #lower(e: Expr): Value {
    const l = this.#l
    switch (e.kind) {
      case 'constant':
        return constant(l, e.dtype, e.value)
      case 'load':
        return this.#load(e)
      case 'index':
        return cast(l, 'int32', e.dtype, this.#indexLanes(e.at))
      case 'unary':
        return unaryOf(e.x.dtype, e.fn)(l, this.value(e.x))
      case 'binary':
        return this.#binary(e)
      case 'select':
        return l.select(this.value(e.condition), this.value(e.a), this.value(e.b))
      case 'cast':
        return cast(l, e.x.dtype, e.dtype, this.value(e.x))
      case 'gather':
        return this.#gather(e)
      case 'random':
        return this.#random(e)
      case 'result': {
        const v = this.#results[e.index]
        if (!v) throw internalError(`result ${e.index} outside its kernel`)
        return v
      }
    }
  }

  #load({ dtype, buffer, at }: Extract<Expr, { kind: 'load' }>): Value {
    const { lanes, column } = this.#site
    const address = this.#site.address(buffer, at)
    const stride = this.#site.laneStride(at)
    if (column && column.stride(at) === 1 && stride !== 0 && byteWidth(dtype) === 4)
      return loadColumn(this.#g, shifted(this.#g, address, -4 * column.number), 4 * stride, column.number)
    return loadLanes(this.#g, dtype, address, stride, lanes)
  }

  #binary(e: Extract<Expr, { kind: 'binary' }>): Value {
    const a = this.value(e.a)
    const b = this.value(e.b)
    if (e.b.kind === 'constant' && isFloat(e.a.dtype)) {
      const simple = e.fn === 'pow' ? powConstant(this.#l, a, e.b.value) : undefined
      if (simple) return simple
      // One instruction where max and min need seven: right but for the sign of a zero.
      if (!Number.isNaN(e.b.value)) {
        if (e.fn === 'max') return this.#g.v('f32x4.pmax', a, b)
        if (e.fn === 'min') return this.#g.v('f32x4.pmin', a, b)
      }
    }
    return binaryOf(e.a.dtype, e.fn)(this.#l, a, b)
  }

  /** The affine form in every lane. */
  #indexLanes(at: Affine): Value {
    const first = this.#g.v('i32x4.splat', this.#site.index(at))
    const stride = this.#site.lanes === 1 ? 0 : this.#site.laneStride(at)
    if (stride === 0) return first
    return this.#l.iadd(first, this.#g.vector([0, stride, 2 * stride, 3 * stride]))
  }

  #random(e: Extract<Expr, { kind: 'random' }>): Value {
    const zero: Affine = { offset: 0, strides: e.at.strides.map(() => 0) }
    const word = (i: number): Value =>
      loadSplat(this.#g, 'uint32', this.#site.address(e.key, { ...zero, offset: e.keyOffset + i }))
    return threefry(this.#l, word(0), word(1), this.#indexLanes(e.at))
  }

  #gather(e: Extract<Expr, { kind: 'gather' }>): Value {
    const g = this.#g
    const outside = constant(this.#l, e.dtype, isFloat(e.dtype) ? Number.NaN : 0)
    if (e.size === 0) return outside
    const index = this.value(e.index)
    const inside = g.v('i32x4.lt_u', index, this.#l.bits(e.size))
    // Indices outside read element 0, which exists.
    const safe = g.v('v128.and', index, inside)
    const scaled = g.v('i32x4.mul', safe, this.#l.bits(e.stride * byteWidth(e.dtype)))
    const site = this.#site
    const start = site.address(e.buffer, e.at)
    const stride = site.lanes === 1 ? 0 : site.laneStride(e.at)
    const address = (lane: number): Address => ({
      base: g.i('i32.add', start.base, g.extract('i32x4.extract_lane', lane, scaled)),
      offset: start.offset,
    })
    const uniform = site.lanes === 1 || this.#isUniform(e.index)
    const lanes = uniform
      ? loadLanes(g, e.dtype, address(0), stride, site.lanes)
      : loadFrom(
          g,
          e.dtype,
          Array.from({ length: site.lanes }, (_, lane) =>
            shifted(g, address(lane), lane * stride * byteWidth(e.dtype)),
          ),
        )
    return this.#l.select(inside, lanes, outside)
  }

  /** Whether all lanes of an expression are equal, as far as its leaves tell. */
  #isUniform(root: Expr): boolean {
    let uniform = true
    walkExprs([root], (e) => {
      if (e.kind === 'result' || ('at' in e && this.#site.laneStride(e.at) !== 0)) uniform = false
    })
    return uniform
  }
}

/** A constant in the lane form of its dtype. */
function constant(l: Lanes, dtype: DType, value: number): Value {
  if (dtype === 'float32') return l.c(value)
  if (dtype === 'bool') return l.bits(value !== 0 ? 0xffffffff : 0)
  if (dtype === 'float16') return cast(l, 'float32', 'float16', l.c(value))
  return l.bits(Math.trunc(value))
}

/** Leaves with affine forms, for planning pointers. */
export function leaves(roots: readonly Expr[]): Extract<Expr, { at: Affine }>[] {
  const found: Extract<Expr, { at: Affine }>[] = []
  walkExprs(roots, (e) => {
    if ('at' in e) found.push(e)
  })
  return found
}
