import { type Affine, type Expr, type Write, walkExprs } from '@tessella/compiler'
import { type BinaryFn, byteWidth, type Dims, internalError, type UnaryFn } from '@tessella/ir'
import { type KernelContext, mergeableRegisters, pushPointer } from '../kernels/context.ts'
import { formsOf, writeForms } from '../kernels/map.ts'
import type { Form } from '../kernels/streams.ts'
import { FunctionBuilder, type Local, type ValueType } from '../wasm/assembler.ts'
import { Dataflow, hasCalls, type Job, type Value } from '../wasm/dataflow.ts'
import { Lowering } from '../wasm/expr.ts'
import type { Lanes, Site } from '../wasm/site.ts'
import type { Piece, Sink } from './sink.ts'

/** Affine forms with one buffer and the same strides: they share a running address. */
interface Group {
  readonly buffer: number | undefined
  readonly strides: Dims
  /** Bytes per element; 1 for index values. */
  readonly width: number
}

/**
 * The writes of a routine. The function that computes results gets one i32 parameter per address group: its running
 * address at one point of the domain, which loops move along. Everything near that point is an immediate.
 */
export class Epilogue implements Sink {
  readonly #context: KernelContext
  readonly #writes: readonly Write[]
  readonly #groups: Group[] = []
  readonly #index = new Map<string, number>()

  constructor(context: KernelContext, writes: readonly Write[]) {
    this.#context = context
    this.#writes = writes
    for (const form of [...formsOf(writes.map((w) => w.value)), ...writeForms(writes)]) this.#add(form)
  }

  /** Types of the running addresses, to append to a function's parameters. */
  get params(): ValueType[] {
    return this.#groups.map(() => 'i32')
  }

  get forms(): readonly Affine[] {
    return this.#groups.map(({ strides }) => ({ offset: 0, strides }))
  }

  #key({ buffer, at }: Form): string {
    return `${buffer ?? 'index'}:${at.strides.join()}`
  }

  #add(form: Form): void {
    const key = this.#key(form)
    if (this.#index.has(key)) return
    this.#index.set(key, this.#groups.length)
    const { buffer } = form
    const width = buffer === undefined ? 1 : byteWidth(this.#context.dtypeOf(buffer))
    this.#groups.push({ buffer, strides: form.at.strides, width })
  }

  /** Pushes the running addresses at the point with these indices: the arguments of a call. */
  pushBases(f: FunctionBuilder, indices: readonly (Local | number)[]): void {
    for (const { buffer, strides, width } of this.#groups) {
      if (buffer === undefined) f.i32(0)
      else pushPointer(f, this.#context.slot(buffer))
      for (const [d, index] of indices.entries()) addScaled(f, index, (strides[d] as number) * width)
    }
  }

  /** Moves the running addresses by `amount` along a dimension. */
  advance(f: FunctionBuilder, bases: readonly Local[], dimension: number, amount: number): void {
    for (const [i, { strides, width }] of this.#groups.entries())
      f.bump(bases[i] as Local, amount * (strides[dimension] as number) * width)
  }

  /** Forms whose elements are apart along a dimension: they are read and written lane by lane. */
  apart(laneDimension: number): number {
    return this.#groups.filter(({ strides }) => Math.abs(strides[laneDimension] as number) > 1).length
  }

  /** With lane shuffles or single lanes between the loads and stores, merging is slow at best. */
  mergeable(laneDimension: number): boolean {
    return this.#writes.every(
      ({ at, value }) =>
        at.strides[laneDimension] === 1 && byteWidth(value.dtype) === 4 && isMergeable(value, laneDimension),
    )
  }

  /** Whether storing twice is as good as once: nothing is read where the writes are, which may be the same memory. */
  get repeatable(): boolean {
    const written = new Set(this.#writes.map(({ at }) => at.strides.join()))
    return formsOf(this.#writes.map((w) => w.value)).every(
      ({ buffer, at }) => buffer === undefined || !written.has(at.strides.join()),
    )
  }

  /** Evaluates and stores the writes at some vectors of results: all their loads come before their stores. */
  emit(f: FunctionBuilder, bases: readonly Local[], laneDimension: number, pieces: readonly Piece[]): void {
    const g = new Dataflow(this.#context)
    g.emit(f, this.#jobs(g, f, bases, laneDimension, pieces), pieces.length)
  }

  /** Whether the code for a whole vector may stand beside that for the next one; see {@link mergeableRegisters}. */
  pairs(laneDimension: number): boolean {
    if (this.apart(laneDimension) > 0) return false
    const f = new FunctionBuilder([...this.params, 'v128'])
    const g = new Dataflow(this.#context)
    const piece = { result: f.params.at(-1) as Local, shifts: [], first: 0, lanes: 4 }
    const jobs = this.#jobs(g, f, f.params, laneDimension, [piece])
    return g.registers(jobs) <= mergeableRegisters && !hasCalls(jobs.map((job) => job.value))
  }

  #jobs(
    g: Dataflow,
    f: FunctionBuilder,
    bases: readonly Local[],
    laneDimension: number,
    pieces: readonly Piece[],
  ): Job[] {
    const jobs: Job[] = []
    for (const piece of pieces) {
      const site = this.#site(g, bases, laneDimension, piece)
      const result = fromLane(g, g.local(piece.result, 1), piece.first)
      const lowering = new Lowering(g, site, this.#context.dtypeOf, [result])
      for (const write of this.#writes) jobs.push(...lowering.jobs(f, write))
    }
    return jobs
  }

  #site(g: Dataflow, bases: readonly Local[], laneDimension: number, piece: Piece): Site {
    const { shifts, first, early = 0 } = piece
    const lanes = piece.lanes as Lanes
    const find = (form: Form): { group: Group; base: Value; rest: number } => {
      const i = this.#index.get(this.#key(form)) as number
      const group = this.#groups[i]
      if (!group) throw internalError('an affine form of a routine without a running address')
      let rest = form.at.offset + first * (form.at.strides[laneDimension] as number)
      for (const [d, s] of shifts.entries()) rest += s * (form.at.strides[d] as number)
      const base = g.local(bases[i] as Local, 1)
      const back = early * (form.at.strides[laneDimension] as number) * group.width
      return { group, base: back === 0 ? base : g.i('i32.sub', base, g.integer(back)), rest }
    }
    return {
      lanes,
      laneStride: (at) => (lanes === 1 ? 0 : (at.strides[laneDimension] as number)),
      index: (at) => {
        const { base, rest } = find({ buffer: undefined, at })
        return rest === 0 ? base : g.i('i32.add', base, g.integer(rest))
      },
      address: (buffer, at) => {
        const { group, base, rest } = find({ buffer, at })
        const offset = rest * group.width
        // An immediate is added without wrapping: with negative strides the running address may lie before the memory.
        if (offset >= 0 && group.strides.every((s) => s >= 0)) return { base, offset }
        return { base: g.i('i32.add', base, g.integer(offset)), offset: 0 }
      },
    }
  }
}

/** Adds `index * factor` to the number on the stack. */
export function addScaled(f: FunctionBuilder, index: Local | number, factor: number): void {
  if (factor === 0 || index === 0) return
  if (typeof index === 'number') f.i32(index * factor)
  else {
    f.get(index)
    if (factor !== 1) {
      f.push(factor, 'i32.mul')
    }
  }
  f.op('i32.add')
}

const simpleUnary: ReadonlySet<UnaryFn> = new Set(['neg', 'abs', 'sqrt', 'reciprocal', 'rsqrt', 'not'])
const heavyBinary: ReadonlySet<BinaryFn> = new Set(['pow', 'rem', 'atan2', 'shl', 'shr'])

function isMergeable(root: Expr, dimension: number): boolean {
  let mergeable = true
  walkExprs([root], (e) => {
    const stride = e.kind === 'load' ? e.at.strides[dimension] : 0
    mergeable &&= !(
      e.kind === 'gather' ||
      e.kind === 'random' ||
      e.kind === 'index' ||
      e.kind === 'cast' ||
      (e.kind === 'unary' && !simpleUnary.has(e.fn)) ||
      (e.kind === 'binary' && heavyBinary.has(e.fn)) ||
      (stride !== 0 && (stride !== 1 || byteWidth(e.dtype) !== 4))
    )
  })
  return mergeable
}

/** The vector with lane `first` in front. */
function fromLane(g: Dataflow, x: Value, first: number): Value {
  if (first === 0) return x
  const bytes = Array.from({ length: 16 }, (_, i) => (i + 4 * first) % 16)
  return g.shuffle(bytes, x, x)
}
