import type { KernelContext } from '../../kernels/context.ts'
import type { FunctionBuilder, FunctionRef, Local } from '../../wasm/assembler.ts'
import { splitEvenly } from '../split.ts'
import { multiplyAdd } from '../tile.ts'

/** Registers of a tile of sums; with a gradient in all lanes and an operand, 14. */
const mostSums = 12

/** A part of the rows of sums that fits the registers. */
export interface Part {
  readonly rows: number
  /** Vectors of four floats of each row. */
  readonly vectors: number
  /** Where it begins. */
  readonly row: number
  readonly vector: number
}

/** All of `rows` times `floats` (a multiple of 8), in parts. */
export function partsOf(context: KernelContext, rows: number, floats: number): Part[] {
  const unit = context.features.wide ? 2 : 1
  const registers = floats / 4 / unit
  const across = splitEvenly(registers, mostSums)
  const down = splitEvenly(rows, Math.max(1, Math.floor(mostSums / registers)))
  const pieces = ({ pieces, large, small }: typeof across): number[] =>
    Array.from({ length: pieces }, (_, i) => (i < large ? small + 1 : small))
  const parts: Part[] = []
  let row = 0
  for (const height of pieces(down)) {
    let vector = 0
    for (const width of pieces(across)) {
      parts.push({ rows: height, vectors: width * unit, row, vector })
      vector += width * unit
    }
    row += height
  }
  return parts
}

/** A function for each part: those of one size share theirs. */
export function tilesOf(parts: readonly Part[], emit: (part: Part) => FunctionRef): FunctionRef[] {
  const known = new Map<string, FunctionRef>()
  return parts.map((part) => {
    const key = `${part.rows} ${part.vectors}`
    const tile = known.get(key) ?? emit(part)
    known.set(key, tile)
    return tile
  })
}

/** Sums in registers, `sets` times: fewer than 8 in all would wait for each other. */
export class Sums {
  readonly sets: number
  readonly #f: FunctionBuilder
  readonly #context: KernelContext
  readonly #part: Part
  readonly #rowBytes: number
  readonly #all: readonly (readonly Local[])[]
  readonly #gradient: Local
  readonly #operand: readonly Local[]
  readonly #address: Local

  /** Rows of the operand are `rowBytes` apart. */
  constructor(f: FunctionBuilder, context: KernelContext, part: Part, rowBytes: number) {
    const unit = context.features.wide ? 2 : 1
    const registers = (part.rows * part.vectors) / unit
    this.sets = registers <= 3 ? 4 : registers <= 6 ? 2 : 1
    this.#f = f
    this.#context = context
    this.#part = part
    this.#rowBytes = rowBytes
    const locals = (count: number): Local[] => Array.from({ length: count }, () => f.local('v128'))
    this.#all = Array.from({ length: this.sets }, () => locals(part.rows * part.vectors))
    this.#gradient = f.local('v128')
    this.#operand = locals(unit)
    this.#address = f.local('i32')
  }

  clear(): void {
    for (const sum of this.#all.flat()) {
      this.#f.v128(new Uint8Array(16))
      this.#f.set(sum)
    }
  }

  /** Adds, into a set, an entry's gradient times the operand at its address + offset. */
  add(set: number, entry: Local, at: number, numbers: number, offset: Local): void {
    const f = this.#f
    const { rows, vectors } = this.#part
    f.get(entry)
    f.load('i32.load', at)
    f.push(offset, 'i32.add')
    f.set(this.#address)
    f.get(entry)
    f.load('v128.load32_splat', at + numbers)
    f.set(this.#gradient)
    const unit = this.#operand.length
    for (let row = 0; row < rows; row++)
      for (let v = 0; v < vectors; v += unit) {
        for (const [u, x] of this.#operand.entries()) {
          f.get(this.#address)
          f.load('v128.load', row * this.#rowBytes + 16 * (v + u))
          f.set(x)
        }
        for (const [u, x] of this.#operand.entries())
          multiplyAdd(f, this.#context, this.#gradient, x, this.#all[set]?.[row * vectors + v + u] as Local)
      }
  }

  /** Adds all sets to memory, where rows are `step` bytes apart. */
  store(target: Local, step: number): void {
    const f = this.#f
    const { rows, vectors } = this.#part
    const unit = this.#operand.length
    const first = this.#all[0] as readonly Local[]
    for (const more of this.#all.slice(1))
      for (const [i, sum] of more.entries()) {
        f.push(first[i] as Local, sum, 'f32x4.add')
        f.set(first[i] as Local)
      }
    for (let row = 0; row < rows; row++)
      for (let v = 0; v < vectors; v += unit) {
        const at = (u: number): number => row * step + 16 * (v + u)
        const sums = first.slice(row * vectors + v, row * vectors + v + unit)
        for (const [u, sum] of sums.entries()) {
          f.push(target)
          f.load('v128.load', at(u))
          f.push(sum, 'f32x4.add')
          f.set(sum)
        }
        for (const [u, sum] of sums.entries()) {
          f.push(target, sum)
          f.store('v128.store', at(u))
        }
      }
  }
}
