import { type BinaryFn, type DType, type HostArray, hostArray, type UnaryFn } from '@tessella/ir'
import type { Accumulator, Affine, Expr, Kernel, Program, Write } from './kernels.ts'
import { type Arrays, folds, isWord, points, read, store } from './numbers.ts'
import { convolution, element, lines, pooling } from './routines.ts'
import { threefry } from './threefry.ts'

/*
 * Runs programs in plain loops over real memory: one arena of temporaries, outputs over their donated inputs, stores right
 * after each point. A wrong plan gives wrong numbers.
 */

function roundToEven(x: number): number {
  const low = Math.floor(x)
  const rest = x - low
  if (rest !== 0.5) return Math.round(x)
  return low % 2 === 0 ? low : low + 1
}

/** Abramowitz and Stegun 7.1.5 and the continued fraction 7.1.14. */
function erf(x: number): number {
  const a = Math.abs(x)
  if (Number.isNaN(x)) return x
  if (a > 6) return Math.sign(x)
  if (a < 2) {
    let term = a
    let sum = a
    for (let n = 1; n < 120; n++) {
      term *= (-a * a) / n
      sum += term / (2 * n + 1)
    }
    return Math.sign(x) * (2 / Math.sqrt(Math.PI)) * sum
  }
  let f = 0
  for (let n = 200; n > 0; n--) f = n / 2 / (a + f)
  return Math.sign(x) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / (a + f))
}

const unaryFns: { readonly [F in UnaryFn]?: (x: number) => number } = {
  neg: (x) => -x,
  abs: Math.abs,
  sign: Math.sign,
  floor: Math.floor,
  ceil: Math.ceil,
  round: roundToEven,
  trunc: Math.trunc,
  sqrt: Math.sqrt,
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  sin: Math.sin,
  cos: Math.cos,
  atan: Math.atan,
  tanh: Math.tanh,
  erf,
  isNan: (x) => (Number.isNaN(x) ? 1 : 0),
}

const binaryFns: { readonly [F in BinaryFn]?: (a: number, b: number, dtype: DType) => number } = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b, d) => (isWord(d) ? Math.imul(a, b) : a * b),
  div: (a, b, d) => (isWord(d) ? (b === 0 ? 0 : Math.trunc(a / b)) : a / b),
  pow: (a, b) => a ** b,
  max: (a, b) => Math.max(a, b),
  min: (a, b) => Math.min(a, b),
  rem: (a, b, d) => (isWord(d) && b === 0 ? 0 : a % b),
  eq: (a, b) => +(a === b),
  ne: (a, b) => +(a !== b),
  lt: (a, b) => +(a < b),
  le: (a, b) => +(a <= b),
  gt: (a, b) => +(a > b),
  ge: (a, b) => +(a >= b),
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  shl: (a, b) => a << b,
  shr: (a, b, d) => (d === 'uint32' ? a >>> b : a >> b),
}

const limits: { readonly [D in DType]?: readonly [number, number] } = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  uint8: [0, 255],
}

function cast(x: number, from: DType, to: DType): number {
  const range = limits[to]
  if (range === undefined || isWord(from) || from === 'bool') return store(x, to)
  return Number.isNaN(x) ? 0 : Math.min(Math.max(Math.trunc(x), range[0]), range[1])
}

function apply<F>(table: { readonly [fn: string]: F | undefined }, fn: string): F {
  const f = table[fn]
  if (f === undefined) throw new Error(`the test target has no ${fn}`)
  return f
}

const address = (at: Affine, index: readonly number[]): number => {
  if (at.strides.length !== index.length)
    throw new Error(`an address of ${at.strides.length} dimensions in a domain of ${index.length}`)
  return at.strides.reduce((sum, s, d) => sum + s * (index[d] as number), at.offset)
}

function evaluate(
  e: Expr,
  index: readonly number[],
  arrays: Arrays,
  results: readonly number[],
  memo: Map<Expr, number>,
): number {
  const known = memo.get(e)
  if (known !== undefined) return known
  const go = (x: Expr) => evaluate(x, index, arrays, results, memo)
  const compute = (): number => {
    switch (e.kind) {
      case 'constant':
        return store(e.value, e.dtype)
      case 'load':
        return read(arrays[e.buffer] as HostArray, address(e.at, index))
      case 'index':
        return store(address(e.at, index), e.dtype)
      case 'unary':
        return e.fn === 'not'
          ? store(e.dtype === 'bool' ? 1 - go(e.x) : ~go(e.x), e.dtype)
          : store(apply(unaryFns, e.fn)(go(e.x)), e.dtype)
      case 'binary':
        if (e.a.dtype !== e.b.dtype) throw new Error(`${e.fn} of ${e.a.dtype} and ${e.b.dtype}`)
        return store(apply(binaryFns, e.fn)(go(e.a), go(e.b), e.a.dtype), e.dtype)
      case 'select':
        return go(e.condition) ? go(e.a) : go(e.b)
      case 'cast':
        return cast(go(e.x), e.x.dtype, e.dtype)
      case 'gather': {
        const at = go(e.index)
        if (at < 0 || at >= e.size) return e.dtype === 'float32' || e.dtype === 'float64' ? Number.NaN : 0
        return read(arrays[e.buffer] as HostArray, address(e.at, index) + at * e.stride)
      }
      case 'random': {
        const key = arrays[e.key] as HostArray
        return threefry(read(key, e.keyOffset), read(key, e.keyOffset + 1), address(e.at, index))
      }
      case 'result':
        return results[e.index] as number
    }
  }
  const value = compute()
  memo.set(e, value)
  return value
}

function write(writes: readonly Write[], index: readonly number[], arrays: Arrays, results: readonly number[]): void {
  const memo = new Map<Expr, number>()
  const values = writes.map((w) => evaluate(w.value, index, arrays, results, memo))
  for (const [i, w] of writes.entries()) {
    const array = arrays[w.buffer] as HostArray
    const at = address(w.at, index)
    if (at < 0 || at >= array.length) throw new Error(`a store at ${at} of ${array.length} elements`)
    array[at] = values[i] as number
  }
}

function reduce(
  kernel: { readonly inner: readonly number[]; readonly accumulators: readonly Accumulator[] },
  index: readonly number[],
  arrays: Arrays,
  results: readonly number[] = [],
): number[] {
  const best = kernel.accumulators.map(({ fn }) => (fn === 'argmax' || fn === 'argmin' ? Number.NaN : folds[fn][0]))
  const where = kernel.accumulators.map(() => -1)
  let position = 0
  for (const inner of points(kernel.inner)) {
    const memo = new Map<Expr, number>()
    for (const [i, { fn, value }] of kernel.accumulators.entries()) {
      const x = evaluate(value, [...index, ...inner], arrays, results, memo)
      const y = best[i] as number
      if (fn !== 'argmax' && fn !== 'argmin') best[i] = folds[fn][1](y, x, value.dtype)
      else if (where[i] === -1 || (!Number.isNaN(y) && (Number.isNaN(x) || (fn === 'argmax' ? x > y : x < y)))) {
        best[i] = x
        where[i] = position
      }
    }
    position++
  }
  return kernel.accumulators.map(({ fn, value }, i) =>
    fn === 'argmax' || fn === 'argmin' ? (where[i] as number) : store(best[i] as number, value.dtype),
  )
}

/** Pass by pass; a pass stores each element right after it folded it. */
function rows(kernel: Extract<Kernel, { kind: 'rows' }>, index: readonly number[], arrays: Arrays): void {
  const results: number[] = []
  for (const { accumulators, writes } of kernel.passes) {
    const after: number[] = []
    for (const fold of accumulators) after.push(...reduce({ ...kernel, accumulators: [fold] }, index, arrays, results))
    for (const inner of points(kernel.inner)) write(writes, [...index, ...inner], arrays, results)
    results.push(...after)
  }
  write(kernel.writes, index, arrays, results)
}

function launch(kernel: Kernel, arrays: Arrays): void {
  switch (kernel.kind) {
    case 'map':
      for (const index of points(kernel.domain)) write(kernel.writes, index, arrays, [])
      return
    case 'reduce':
      for (const index of points(kernel.domain)) write(kernel.writes, index, arrays, reduce(kernel, index, arrays))
      return
    case 'rows':
      for (const index of points(kernel.domain)) rows(kernel, index, arrays)
      return
    case 'matmul':
      for (const index of points(kernel.domain)) {
        const batch = index.slice(0, -2)
        const [m, n] = index.slice(-2) as [number, number]
        let sum = 0
        for (let k = 0; k < kernel.k; k++)
          sum += element(arrays, kernel.a, batch, m, k) * element(arrays, kernel.b, batch, k, n)
        write(kernel.writes, index, arrays, [store(sum, kernel.dtype)])
      }
      return
    case 'conv':
    case 'convGradInput':
    case 'convGradWeight':
    case 'maxPool':
    case 'maxPoolGrad':
    case 'maxPoolPick': {
      const operands = 'x' in kernel ? [kernel.x.buffer] : [kernel.a.buffer, kernel.b.buffer]
      const before = operands.map((b) => (arrays[b] as HostArray).slice())
      const all = 'x' in kernel ? pooling(kernel, arrays) : convolution(kernel, arrays)
      let i = 0
      for (const index of points(kernel.domain))
        write(kernel.writes, index, arrays, [store(all[i++] as number, kernel.dtype)])
      // A real kernel reads its operands while it writes.
      if (operands.some((b, o) => (arrays[b] as HostArray).some((v, j) => !Object.is(v, before[o]?.[j]))))
        throw new Error(`${kernel.kind} writes over its operands`)
      return
    }
    case 'cumulative':
    case 'argsort':
    case 'scatterAdd':
      lines(kernel, arrays)
  }
}

/** Runs a program; outputs that may reuse a donated input are written over it. */
export function interpret(
  program: Program,
  inputs: readonly HostArray[],
  donated: readonly boolean[] = inputs.map(() => true),
): HostArray[] {
  // NaN everywhere: a read before the first write shows.
  const arena = new ArrayBuffer(Math.ceil(program.temporaryBytes / 8) * 8)
  new Uint8Array(arena).fill(0xff)
  const memory = inputs.map((x) => x.slice())
  const arrays = program.buffers.map(({ dtype, length, place }): HostArray => {
    if (place.kind === 'input') return memory[place.index] as HostArray
    if (place.kind === 'output') {
      if (place.reuses === undefined || !donated[place.reuses]) return hostArray(dtype, length)
      const old = memory[place.reuses] as HostArray
      if (old.length !== length) throw new Error('an output reuses an input of another size')
      return old
    }
    const Type = hostArray(dtype, 0).constructor as new (b: ArrayBuffer, o: number, n: number) => HostArray
    return new Type(arena, place.offset, length)
  })
  for (const kernel of program.kernels) launch(kernel, arrays)
  return program.outputs.map((b) => arrays[b] as HostArray)
}
