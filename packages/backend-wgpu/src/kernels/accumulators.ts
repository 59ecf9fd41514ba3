import type { Accumulator } from '@tessella/compiler'
import type { ReduceFn } from '@tessella/ir'
import { literalText } from '../wgsl/literals.ts'
import type { Shader } from '../wgsl/shader.ts'
import { type StoredDType, storageOf, stored } from '../wgsl/storage.ts'

/** How values of a dtype are folded: the value of nothing, and one step. */
interface FoldText {
  readonly start: string
  readonly uses: readonly string[]
  readonly step: (a: string, b: string) => string
}

const extremes: { readonly [D in StoredDType]?: readonly [number, number] } = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  bool: [0, 1],
  float32: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
}

export function foldText(fn: ReduceFn, dtype: StoredDType): FoldText {
  const [lowest, highest] = extremes[dtype] ?? [0, 0]
  const start = { sum: 0, prod: 1, max: lowest, min: highest }[fn]
  const uses = dtype === 'float32' ? ['float_of'] : []
  const text = literalText(dtype, start)
  if (fn === 'sum' || fn === 'prod') {
    const op = fn === 'sum' ? '+' : '*'
    return { start: text, uses, step: (a, b) => `${a} ${op} ${b}` }
  }
  if (dtype === 'bool') return { start: text, uses, step: (a, b) => `${a} ${fn === 'max' ? '|' : '&'} ${b}` }
  if (dtype !== 'float32') return { start: text, uses, step: (a, b) => `${fn}(${a}, ${b})` }
  return { start: text, uses: [...uses, `f_${fn}`], step: (a, b) => `f_${fn}(${a}, ${b})` }
}

/** One accumulator of a running kernel: a value, and for arg reductions where it was. */
export interface Running {
  readonly dtype: StoredDType
  readonly isArg: boolean
  readonly value: string
  readonly position: string
  /** The name of the result. */
  readonly result: string
  /** `var` lines with the value of nothing. */
  readonly declare: readonly string[]
  /** Lines that take in the next element; positions must grow. */
  readonly take: (value: string, position: string) => readonly string[]
  /** Lines that take in what others found. */
  readonly merge: (value: string, position: string) => readonly string[]
}

export function running(shader: Shader, { fn, value: { dtype: valueDtype } }: Accumulator): Running {
  const dtype = stored(valueDtype)
  const value = shader.name('a')
  if (fn !== 'argmax' && fn !== 'argmin') {
    const fold = foldText(fn, dtype)
    shader.use(...fold.uses)
    const take = (x: string) => [`${value} = ${fold.step(value, x)};`]
    const declare = [`var ${value} = ${fold.start};`]
    return { dtype, isArg: false, value, position: '', result: value, declare, take, merge: take }
  }
  const position = shader.name('at')
  if (dtype === 'float32') shader.use('is_nan')
  const beats = beatsText(fn, dtype)
  const set = (test: string, x: string, p: string) => [`if (${test}) { ${value} = ${x}; ${position} = ${p}; }`]
  return {
    dtype,
    isArg: true,
    value,
    position,
    result: position,
    declare: [`var ${value} = ${literalText(dtype, 0)};`, `var ${position} = -1;`],
    take: (x, p) => set(`${position} < 0 || ${beats(x, value)}`, x, p),
    merge: (x, p) => {
      const first = `(!${beats(value, x)} && ${p} < ${position})`
      return set(`${p} >= 0 && (${position} < 0 || ${beats(x, value)} || ${first})`, x, p)
    },
  }
}

/** Whether x is strictly better than v; the first NaN is the best of all. */
function beatsText(fn: 'argmax' | 'argmin', dtype: StoredDType): (x: string, v: string) => string {
  if (dtype === 'bool') return fn === 'argmax' ? (x, v) => `(${x} & !${v})` : (x, v) => `(!${x} & ${v})`
  const op = fn === 'argmax' ? '>' : '<'
  if (dtype !== 'float32') return (x, v) => `(${x} ${op} ${v})`
  return (x, v) => `(!is_nan(${v}) && (is_nan(${x}) || ${x} ${op} ${v}))`
}

/** Bytes of workgroup memory that one invocation needs to merge these. */
export const bytesOf = (accumulators: readonly Accumulator[]): number =>
  accumulators.reduce((n, { fn }) => n + (fn === 'argmax' || fn === 'argmin' ? 8 : 4), 0)

/** Workgroup arrays by element type, shared by the folds of one kernel that run after each other. */
export class SharedArrays {
  readonly #shader: Shader
  readonly #size: number
  readonly #declared = new Map<string, number>()

  constructor(shader: Shader, size: number) {
    this.#shader = shader
    this.#size = size
  }

  /** Names of arrays for the value and position of each. */
  take(all: readonly Running[]): { value: string; position: string }[] {
    const used = new Map<string, number>()
    const next = (type: string): string => {
      const n = used.get(type) ?? 0
      used.set(type, n + 1)
      const name = `shared_${type}_${n}`
      if (n >= (this.#declared.get(type) ?? 0)) {
        this.#declared.set(type, n + 1)
        this.#shader.declare(`var<workgroup> ${name}: array<${type}, ${this.#size}>;`)
      }
      return name
    }
    return all.map((r) => ({ value: next(storageOf(r.dtype).type), position: r.isArg ? next('i32') : '' }))
  }
}
