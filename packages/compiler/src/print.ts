import type { DType } from '@tessella/ir'
import { operandsOf, walkExprs } from './expr.ts'
import type { Accumulator, Affine, BufferPlan, Expr, Kernel, Program, Write } from './program.ts'

/** i, j, ... for up to fourteen dimensions of a domain. */
const letters = 'ijklmnpqrstuvw'

function showAffine({ offset, strides }: Affine): string {
  const terms = strides.flatMap((s, d) => {
    if (s === 0) return []
    const letter = letters[d] ?? `d${d}`
    return [s === 1 ? letter : s === -1 ? `-${letter}` : `${s}${letter}`]
  })
  if (offset !== 0 || terms.length === 0) terms.push(String(offset))
  return terms.join('+').replaceAll('+-', '-')
}

/** The shortest digits that the dtype reads back as the same number. */
function showNumber(value: number, dtype: DType): string {
  if (Object.is(value, -0)) return '-0'
  for (let digits = 1; dtype === 'float32' && digits < 9; digits++) {
    const short = Number(value.toPrecision(digits))
    if (Math.fround(short) === value) return String(short)
  }
  return String(value)
}

/** Facts of a kernel: numbers, lists, and operands or attributes as `name=value`. */
function show(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`
  return typeof value === 'object' && value !== null ? `(${facts(value)})` : String(value)
}

const facts = (record: object): string =>
  Object.entries(record)
    .map(([name, value]) => `${name}=${show(value)}`)
    .join(' ')

const symbols: { readonly [fn: string]: string } = {
  add: '+',
  sub: '-',
  mul: '*',
  div: '/',
  eq: '==',
  ne: '!=',
  lt: '<',
  le: '<=',
  gt: '>',
  ge: '>=',
}

/** Lines `name = expression` for what is used more than once; the rest is written in place. */
class ExprPrinter {
  readonly #uses = new Map<Expr, number>()
  readonly #names = new Map<Expr, string>()
  readonly lines: string[] = []
  readonly #prefix: string

  constructor(roots: readonly Expr[], prefix: string) {
    this.#prefix = prefix
    const count = (e: Expr) => this.#uses.set(e, (this.#uses.get(e) ?? 0) + 1)
    walkExprs(roots, (e) => operandsOf(e).forEach(count))
    roots.forEach(count)
  }

  show(e: Expr): string {
    const known = this.#names.get(e)
    if (known) return known
    const text = this.#text(e)
    const plain = e.kind === 'constant' || e.kind === 'load' || e.kind === 'result' || e.kind === 'index'
    if (plain || (this.#uses.get(e) ?? 0) < 2) return text
    const name = `${this.#prefix}${this.#names.size}`
    this.#names.set(e, name)
    this.lines.push(`${name} = ${text}`)
    return name
  }

  #text(e: Expr): string {
    const [x, y, z] = operandsOf(e).map((o) => this.show(o))
    switch (e.kind) {
      case 'constant':
        return showNumber(e.value, e.dtype)
      case 'load':
        return `b${e.buffer}[${showAffine(e.at)}]`
      case 'index':
        return `${e.dtype}(${showAffine(e.at)})`
      case 'unary':
        return `${e.fn}(${x})`
      case 'binary': {
        const symbol = symbols[e.fn]
        return symbol ? `(${x} ${symbol} ${y})` : `${e.fn}(${x}, ${y})`
      }
      case 'select':
        return `(${x} ? ${y} : ${z})`
      case 'cast':
        return `${e.dtype}(${x})`
      case 'gather':
        return `b${e.buffer}[${showAffine(e.at)} + ${x}*${e.stride} of ${e.size}]`
      case 'random':
        return `random(b${e.key}+${e.keyOffset}, ${showAffine(e.at)})`
      case 'result':
        return `r${e.index}`
    }
  }
}

/** What is computed together: accumulators, the first of which is result number `first`, and stores. */
function showValues(
  prefix: string,
  writes: readonly Write[],
  accumulators: readonly Accumulator[] = [],
  first = 0,
): string[] {
  const printer = new ExprPrinter(
    [...accumulators, ...writes].map((a) => a.value),
    prefix,
  )
  const results = accumulators.map((a, i) => `r${first + i} = ${a.fn} ${printer.show(a.value)}`)
  const stores = writes.map((w) => `b${w.buffer}[${showAffine(w.at)}] = ${printer.show(w.value)}`)
  return [...printer.lines, ...results, ...stores]
}

function showPasses({ passes }: Extract<Kernel, { kind: 'rows' }>): string[] {
  let first = 0
  return passes.flatMap(({ accumulators, writes }, p) => {
    const lines = showValues(`s${p}.`, writes, accumulators, first)
    first += accumulators.length
    return [`pass ${p}`, ...lines.map((line) => `  ${line}`)]
  })
}

function showKernel(kernel: Kernel): string[] {
  const { kind, ...parts } = kernel
  const plain = Object.entries(parts).filter(([name]) => !/^(accumulators|passes|writes)$/.test(name))
  return [
    `${kind} ${facts(Object.fromEntries(plain))}`,
    ...(kind === 'reduce' ? showValues('s', [], kernel.accumulators) : kind === 'rows' ? showPasses(kernel) : []),
    ...('writes' in kernel ? showValues('t', kernel.writes) : []),
  ]
}

function showBuffer({ place, dtype, length }: BufferPlan, number: number): string {
  const where =
    place.kind === 'temporary'
      ? `at ${place.offset}`
      : `${place.kind} ${place.index}${place.kind === 'output' && place.reuses !== undefined ? ` over input ${place.reuses}` : ''}`
  return `b${number}: ${dtype}[${length}] ${where}`
}

/** A stable text form of a program: its buffers and kernels. */
export function printProgram(program: Program): string {
  const kernels = program.kernels.flatMap((kernel, i) => {
    const [head, ...body] = showKernel(kernel)
    return [`${i}. ${head}`, ...body.map((line) => `   ${line}`)]
  })
  return [...program.buffers.map(showBuffer), `temporaries: ${program.temporaryBytes} bytes`, ...kernels].join('\n')
}
