import type { Accumulator } from '@tessella/compiler'
import { Lanes as Ops } from '../math/lanes.ts'
import type { FunctionBuilder, Local } from '../wasm/assembler.ts'
import type { Dataflow, Job, Value } from '../wasm/dataflow.ts'
import { lanesOf, lowHalves, swapHalves, swapNeighbours, upperHalf } from '../wasm/shuffles.ts'
import type { Lanes } from '../wasm/site.ts'
import { type Fold, foldOf, isArg, leastKey, orderKey } from './accumulators.ts'

/** Above every loop's level: accumulators change everywhere. */
const changing = 99

const firstLane = lanesOf(0, 0, 0, 0)

/** The variables of one accumulator: one vector per set (with a position for arg reductions), and float64 totals. */
export class AccumulatorLocals {
  readonly accumulator: Accumulator
  readonly needsPosition: boolean
  readonly #f: FunctionBuilder
  readonly #g: Dataflow
  readonly #fold: Fold | undefined
  readonly #values: Local[]
  readonly #positions: Local[]
  /**
   * Where NaN came by in a float maximum or minimum: one per set, or one for all when their lanes make one result.
   * Keeping it apart is a third of the work of `f32x4.max`.
   */
  readonly #nans: Local[]
  /** Two float64 vectors per set. */
  readonly #totals: (readonly [Local, Local])[]

  /** All lanes of all sets are one result, in all lanes of set 0; otherwise each lane is a result. */
  readonly #across: boolean

  /** `totals`: whether the reduction is long enough for float sums and products to need float64 totals. */
  constructor(
    f: FunctionBuilder,
    g: Dataflow,
    accumulator: Accumulator,
    { sets, across, totals }: { readonly sets: number; readonly across: boolean; readonly totals: boolean },
  ) {
    const { fn, value } = accumulator
    this.#across = across
    const make = (count: number): Local[] => Array.from({ length: count }, () => f.local('v128'))
    this.#f = f
    this.#g = g
    this.accumulator = accumulator
    this.needsPosition = isArg(accumulator)
    this.#fold = fn === 'argmax' || fn === 'argmin' ? undefined : foldOf(value.dtype, fn)
    this.#values = make(sets)
    this.#positions = make(this.needsPosition ? sets : 0)
    const extreme = value.dtype === 'float32' && (fn === 'max' || fn === 'min')
    this.#nans = make(extreme ? (across ? 1 : sets) : 0)
    const exact = totals && value.dtype === 'float32' && (fn === 'sum' || fn === 'prod')
    this.#totals = exact ? this.#values.map(() => [f.local('v128'), f.local('v128')] as const) : []
  }

  get #neutral(): number {
    return this.#fold ? this.#fold.neutral : leastKey
  }

  #set(local: Local, value: Value): void {
    this.#g.emit(this.#f, [{ value, use: () => this.#f.set(local) }])
  }

  #read(local: Local): Value {
    return this.#g.local(local, changing)
  }

  /** Emits the start values. */
  reset(): void {
    for (const v of this.#values) this.#set(v, this.#g.splat(this.#neutral))
    for (const p of [...this.#positions, ...this.#nans]) this.#set(p, this.#g.splat(0))
    const one = this.accumulator.fn === 'prod' ? this.#g.splat64(0, 0x3ff00000) : this.#g.splat(0)
    for (const total of this.#totals.flat()) this.#set(total, one)
  }

  /** Folds lanes of values into a set; with fewer than four, the others do not count. */
  fold(l: Ops, set: number, x: Value, position: (() => Value) | undefined, lanes: Lanes): Job[] {
    const g = this.#g
    const into = this.#values[set] as Local
    const job = (local: Local, value: Value): Job => ({ value, use: () => this.#f.set(local) })
    const { fn, value } = this.accumulator
    if (this.#fold) {
      const counted = lanes === 4 ? x : l.select(firstLanes(g, lanes), x, l.bits(this.#fold.neutral))
      const nans = this.#nans[this.#across ? 0 : set]
      if (!nans) return [job(into, this.#fold.combine(l, this.#read(into), counted))]
      const extreme = g.v(fn === 'max' ? 'f32x4.pmax' : 'f32x4.pmin', this.#read(into), counted)
      return [job(nans, l.or(this.#read(nans), l.ne(counted, counted))), job(into, extreme)]
    }
    const full = orderKey(l, value.dtype, fn === 'argmax', x)
    const key = lanes === 4 ? full : l.select(firstLanes(g, lanes), full, l.bits(leastKey))
    const place = this.#positions[set] as Local
    const best = this.#read(into)
    const better = g.v('i32x4.gt_s', key, best)
    const where = position ? position() : g.splat(0)
    return [job(place, l.select(better, where, this.#read(place))), job(into, g.v('i32x4.max_s', key, best))]
  }

  /** Adds the vectors to the totals and starts them again. */
  flush(): void {
    const g = this.#g
    const op = this.accumulator.fn === 'prod' ? 'f64x2.mul' : 'f64x2.add'
    for (const [i, [low, high]] of this.#totals.entries()) {
      const local = this.#values[i] as Local
      const x = this.#read(local)
      this.#set(low, g.v(op, this.#read(low), g.v('f64x2.promote_low_f32x4', x)))
      this.#set(high, g.v(op, this.#read(high), g.v('f64x2.promote_low_f32x4', g.shuffle(upperHalf, x, x))))
      this.#set(local, g.splat(this.#neutral))
    }
  }

  /** After the loops (and a last flush): leaves each set's result in its value, or position for arg reductions. */
  finish(): void {
    const g = this.#g
    if (this.#across) {
      if (this.#totals.length > 0) this.#finishTotals()
      else if (this.#fold) this.#finishFold(this.#fold)
      else this.#finishArg()
      return
    }
    // A mask of ones is a NaN.
    for (const [i, nans] of this.#nans.entries()) {
      const value = this.#values[i] as Local
      this.#set(value, g.v('v128.or', this.#read(value), this.#read(nans)))
    }
    const half = (x: Local): Value => g.v('f32x4.demote_f64x2_zero', this.#read(x))
    for (const [i, [low, high]] of this.#totals.entries())
      this.#set(this.#values[i] as Local, g.shuffle(lowHalves, half(low), half(high)))
  }

  #finishTotals(): void {
    const g = this.#g
    const op = this.accumulator.fn === 'prod' ? 'f64x2.mul' : 'f64x2.add'
    let all: Value | undefined
    for (const total of this.#totals.flat()) all = all ? g.v(op, all, this.#read(total)) : this.#read(total)
    if (!all) return
    const sum = g.v(op, all, g.shuffle(swapHalves, all, all))
    const low = g.v('f32x4.demote_f64x2_zero', sum)
    this.#set(this.#values[0] as Local, g.shuffle(firstLane, low, low))
  }

  #finishFold(fold: Fold): void {
    const g = this.#g
    const l = new Ops(g)
    let all = this.#values.map((v) => this.#read(v)).reduce((a, b) => fold.combine(l, a, b))
    for (const nans of this.#nans) all = l.or(all, this.#read(nans))
    for (const swap of [swapHalves, swapNeighbours]) all = fold.combine(l, all, g.shuffle(swap, all, all))
    this.#set(this.#values[0] as Local, all)
  }

  /** Greatest key, and among equal keys the least position. */
  #finishArg(): void {
    const g = this.#g
    const l = new Ops(g)
    const first = { key: this.#values[0] as Local, position: this.#positions[0] as Local }
    const merge = (key: Value, position: Value): void => {
      const mine = this.#read(first.key)
      const place = this.#read(first.position)
      const earlier = l.and(g.v('i32x4.eq', key, mine), g.v('i32x4.lt_s', position, place))
      const better = l.or(g.v('i32x4.gt_s', key, mine), earlier)
      g.emit(this.#f, [{ value: l.select(better, position, place), use: () => this.#f.set(first.position) }])
      this.#set(first.key, g.v('i32x4.max_s', key, mine))
    }
    for (let i = 1; i < this.#values.length; i++)
      merge(this.#read(this.#values[i] as Local), this.#read(this.#positions[i] as Local))
    for (const swap of [swapHalves, swapNeighbours]) {
      const key = this.#f.local('v128')
      const position = this.#f.local('v128')
      this.#set(key, g.shuffle(swap, this.#read(first.key), this.#read(first.key)))
      this.#set(position, g.shuffle(swap, this.#read(first.position), this.#read(first.position)))
      merge(this.#read(key), this.#read(position))
      this.#f.release(key)
      this.#f.release(position)
    }
  }

  /** The result of a set (in all lanes of set 0, when they were combined), for what follows the loops. */
  result(set: number): Value {
    return this.#g.local((this.needsPosition ? this.#positions : this.#values)[set] as Local, 1)
  }

  free(): void {
    for (const local of [...this.#values, ...this.#positions, ...this.#nans, ...this.#totals.flat()])
      this.#f.release(local)
  }
}

/** All ones in the first lanes. */
const firstLanes = (g: Dataflow, lanes: Lanes): Value => g.vector([0, 1, 2, 3].map((i) => (i < lanes ? -1 : 0)))
