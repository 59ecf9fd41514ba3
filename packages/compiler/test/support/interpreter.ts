import {
  type BinaryFn,
  type DType,
  type HostArray,
  hostArray,
  type ReduceFn,
  sizeOf,
  stridesOf,
  type UnaryFn,
} from '@tessella/ir'
import type { Affine, ConvKernel, Expr, Kernel, MatrixOperand, PoolKernel, Program, Write } from './kernels.ts'
import { threefry } from './threefry.ts'

/*
 * Runs programs in plain loops over real memory: one arena of temporaries, outputs over their donated inputs, stores right
 * after each point. A wrong plan gives wrong numbers.
 */

const isWord = (dtype: DType): boolean => dtype === 'int32' || dtype === 'uint32' || dtype === 'uint8'

function store(value: number, dtype: DType): number {
  switch (dtype) {
    case 'float32':
      return Math.fround(value)
    case 'int32':
      return value | 0
    case 'uint32':
      return value >>> 0
    case 'uint8':
      return value & 255
    case 'bool':
      return value !== 0 ? 1 : 0
    default:
      return value
  }
}

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

type Arrays = readonly HostArray[]

const address = (at: Affine, index: readonly number[]): number => {
  if (at.strides.length !== index.length)
    throw new Error(`an address of ${at.strides.length} dimensions in a domain of ${index.length}`)
  return at.strides.reduce((sum, s, d) => sum + s * (index[d] as number), at.offset)
}

function read(array: HostArray, at: number): number {
  const value = array[at]
  if (value === undefined) throw new Error(`a read at ${at} of ${array.length} elements`)
  return value
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

function* points(domain: readonly number[]): Generator<number[]> {
  const total = sizeOf(domain)
  const strides = stridesOf(domain)
  for (let p = 0; p < total; p++) yield domain.map((n, d) => Math.floor(p / (strides[d] as number)) % n)
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

const folds: { readonly [F in ReduceFn]: readonly [number, (a: number, b: number, dtype: DType) => number] } = {
  sum: [0, (a, b, d) => (isWord(d) ? (a + b) | 0 : a + b)],
  prod: [1, (a, b, d) => (isWord(d) ? Math.imul(a, b) : a * b)],
  max: [Number.NEGATIVE_INFINITY, (a, b) => Math.max(a, b)],
  min: [Number.POSITIVE_INFINITY, (a, b) => Math.min(a, b)],
}

function reduce(kernel: Extract<Kernel, { kind: 'reduce' }>, index: readonly number[], arrays: Arrays): number[] {
  const best = kernel.accumulators.map(({ fn }) => (fn === 'argmax' || fn === 'argmin' ? Number.NaN : folds[fn][0]))
  const where = kernel.accumulators.map(() => -1)
  let position = 0
  for (const inner of points(kernel.inner)) {
    const memo = new Map<Expr, number>()
    for (const [i, { fn, value }] of kernel.accumulators.entries()) {
      const x = evaluate(value, [...index, ...inner], arrays, [], memo)
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

const element = (arrays: Arrays, m: MatrixOperand, batch: readonly number[], row: number, col: number): number =>
  read(
    arrays[m.buffer] as HostArray,
    m.offset +
      batch.reduce((s, b, d) => s + b * (m.batchStrides[d] as number), 0) +
      row * m.rowStride +
      col * m.colStride,
  )

/** Places of a window: for each output position and kernel offset the input position, when it is inside. */
function* windows(
  attrs: PoolKernel['attrs'] | ConvKernel['attrs'],
  input: readonly number[],
  kernel: readonly number[],
  out: readonly number[],
): Generator<[number[], number[]]> {
  for (const k of points(kernel)) {
    const at = out.map(
      (o, d) =>
        o * (attrs.stride[d] as number) -
        (attrs.padding[d]?.[0] as number) +
        (k[d] as number) * (attrs.dilation[d] as number),
    )
    if (at.every((p, d) => p >= 0 && p < (input[d] as number))) yield [k, at]
  }
}

const flat = (shape: readonly number[], index: readonly number[]): number =>
  stridesOf(shape).reduce((s, n, d) => s + n * (index[d] as number), 0)

/** Convolutions and their gradients write a full array first: every position adds up in any order. */
function convolution(kernel: ConvKernel, arrays: Arrays): Float64Array {
  const out = new Float64Array(sizeOf(kernel.domain))
  const a = { data: arrays[kernel.a.buffer] as HostArray, shape: kernel.a.shape }
  const b = { data: arrays[kernel.b.buffer] as HostArray, shape: kernel.b.shape }
  const c = { data: out as HostArray | Float64Array, shape: kernel.domain }
  const [x, w, y] = kernel.kind === 'conv' ? [a, b, c] : kernel.kind === 'convGradInput' ? [c, b, a] : [a, c, b]
  const [n = 0, outputs = 0, ...positions] = y.shape
  const perGroup = w.shape[1] as number
  const group = outputs / kernel.attrs.groups
  for (let image = 0; image < n; image++)
    for (let o = 0; o < outputs; o++)
      for (const p of points(positions))
        for (const [k, at] of windows(kernel.attrs, x.shape.slice(2), w.shape.slice(2), p))
          for (let i = 0; i < perGroup; i++) {
            const xi = flat(x.shape, [image, Math.floor(o / group) * perGroup + i, ...at])
            const wi = flat(w.shape, [o, i, ...k])
            const yi = flat(y.shape, [image, o, ...p])
            const get = (z: { data: HostArray | Float64Array }, index: number) => z.data[index] as number
            if (kernel.kind === 'conv') out[yi] = (out[yi] as number) + get(x, xi) * get(w, wi)
            else if (kernel.kind === 'convGradInput') out[xi] = (out[xi] as number) + get(w, wi) * get(y, yi)
            else out[wi] = (out[wi] as number) + get(x, xi) * get(y, yi)
          }
  return out
}

function pooling(kernel: PoolKernel, arrays: Arrays): Float64Array {
  const out = new Float64Array(sizeOf(kernel.domain))
  const x = arrays[kernel.x.buffer] as HostArray
  const [n = 0, channels = 0, ...input] = kernel.x.shape
  const other = kernel.kind === 'maxPool' ? undefined : kernel.other
  const pooled = kernel.kind === 'maxPoolGrad' ? kernel.other.shape : kernel.domain
  for (const [image, channel, ...p] of points([n, channels, ...pooled.slice(2)])) {
    let best = -1
    for (const [, at] of windows(kernel.attrs, input, kernel.attrs.kernel, p)) {
      const i = flat(kernel.x.shape, [image as number, channel as number, ...at])
      const value = x[i] as number
      if (best < 0 || (!Number.isNaN(x[best] as number) && (Number.isNaN(value) || value > (x[best] as number))))
        best = i
    }
    const y = flat(pooled, [image as number, channel as number, ...p])
    if (other === undefined) out[y] = x[best] as number
    else if (kernel.kind === 'maxPoolGrad')
      out[best] = (out[best] as number) + ((arrays[other.buffer] as HostArray)[y] as number)
    else out[y] = (arrays[other.buffer] as HostArray)[best] as number
  }
  return out
}

function launch(kernel: Kernel, arrays: Arrays): void {
  switch (kernel.kind) {
    case 'map':
      for (const index of points(kernel.domain)) write(kernel.writes, index, arrays, [])
      return
    case 'reduce':
      for (const index of points(kernel.domain)) write(kernel.writes, index, arrays, reduce(kernel, index, arrays))
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

function lines(kernel: Extract<Kernel, { out: number }>, arrays: Arrays): void {
  const { outer, length, inner } = kernel
  const out = arrays[kernel.out] as HostArray
  if (kernel.kind === 'scatterAdd') out.fill(0)
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < inner; i++) {
      const at = (l: number) => (o * length + l) * inner + i
      if (kernel.kind === 'scatterAdd') {
        const indices = arrays[kernel.index] as HostArray
        const values = arrays[kernel.values] as HostArray
        for (let l = 0; l < length; l++) {
          const place = indices[at(l)] as number
          const target = (o * kernel.size + place) * inner + i
          if (place >= 0 && place < kernel.size) out[target] = (out[target] as number) + (values[at(l)] as number)
        }
        continue
      }
      const x = arrays[kernel.x] as HostArray
      if (kernel.kind === 'argsort') {
        const key = (l: number) => x[at(l)] as number
        const order = Array.from({ length }, (_, l) => l).sort((p, q) => {
          const [a, b] = kernel.descending ? [key(q), key(p)] : [key(p), key(q)]
          const byValue = Number.isNaN(a) ? (Number.isNaN(b) ? 0 : 1) : Number.isNaN(b) ? -1 : a - b
          return byValue || p - q
        })
        for (const [l, place] of order.entries()) out[at(l)] = place
        continue
      }
      const [start, step] = folds[kernel.fn]
      let sum = start
      for (let l = 0; l < length; l++) {
        const place = at(kernel.reverse ? length - 1 - l : l)
        sum = step(sum, x[place] as number, kernel.dtype)
        out[place] = sum
      }
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
