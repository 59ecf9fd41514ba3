import type { DType } from '@tessella/ir'
import { walkExprs } from './expr.ts'
import type { Affine, BufferPlan, Expr, Kernel, MatrixOperand, Program, WholeOperand, Write } from './program.ts'

const list = (items: readonly unknown[]): string => `[${items.join(', ')}]`

/** i, j, ... for up to six dimensions of a domain. */
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
  if (dtype !== 'float32') return String(value)
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits))
    if (Math.fround(short) === value) return String(short)
  }
  return String(value)
}

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
    walkExprs(roots, (e) => {
      if (e.kind === 'unary' || e.kind === 'cast') count(e.x)
      else if (e.kind === 'binary') [e.a, e.b].forEach(count)
      else if (e.kind === 'select') [e.condition, e.a, e.b].forEach(count)
      else if (e.kind === 'gather') count(e.index)
    })
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
    switch (e.kind) {
      case 'constant':
        return showNumber(e.value, e.dtype)
      case 'load':
        return `b${e.buffer}[${showAffine(e.at)}]`
      case 'index':
        return `${e.dtype}(${showAffine(e.at)})`
      case 'unary':
        return `${e.fn}(${this.show(e.x)})`
      case 'binary': {
        const a = this.show(e.a)
        const b = this.show(e.b)
        const symbol = symbols[e.fn]
        return symbol ? `(${a} ${symbol} ${b})` : `${e.fn}(${a}, ${b})`
      }
      case 'select':
        return `(${this.show(e.condition)} ? ${this.show(e.a)} : ${this.show(e.b)})`
      case 'cast':
        return `${e.dtype}(${this.show(e.x)})`
      case 'gather':
        return `b${e.buffer}[${showAffine(e.at)} + ${this.show(e.index)}*${e.stride} of ${e.size}]`
      case 'random':
        return `random(b${e.key}+${e.keyOffset}, ${showAffine(e.at)})`
      case 'result':
        return `r${e.index}`
    }
  }
}

function showWrites(writes: readonly Write[]): string[] {
  const printer = new ExprPrinter(
    writes.map((w) => w.value),
    't',
  )
  const stores = writes.map((w) => `b${w.buffer}[${showAffine(w.at)}] = ${printer.show(w.value)}`)
  return [...printer.lines, ...stores]
}

const showMatrix = (m: MatrixOperand): string =>
  `b${m.buffer}+${m.offset}${m.batchStrides.length ? ` batch ${list(m.batchStrides)}` : ''} (${m.rowStride}, ${m.colStride})`
const showWhole = (x: WholeOperand): string => `b${x.buffer}${list(x.shape)}`
const showAttrs = (attrs: object): string =>
  Object.entries(attrs)
    .map(
      ([name, value]) =>
        `${name}=${Array.isArray(value) ? list(value.map((v) => (Array.isArray(v) ? list(v) : v))) : value}`,
    )
    .join(' ')

function showPasses(kernel: Extract<Kernel, { kind: 'rows' }>): string[] {
  let first = 0
  const passes = kernel.passes.flatMap(({ accumulators, writes }, p) => {
    const printer = new ExprPrinter(
      [...accumulators, ...writes].map((a) => a.value),
      `s${p}.`,
    )
    const results = accumulators.map((a) => `r${first++} = ${a.fn} ${printer.show(a.value)}`)
    const stores = writes.map((w) => `b${w.buffer}[${showAffine(w.at)}] = ${printer.show(w.value)}`)
    return [`pass ${p}`, ...[...printer.lines, ...results, ...stores].map((line) => `  ${line}`)]
  })
  return [...passes, ...showWrites(kernel.writes)]
}

function showKernel(kernel: Kernel): string[] {
  switch (kernel.kind) {
    case 'map':
      return [`map ${list(kernel.domain)}`, ...showWrites(kernel.writes)]
    case 'reduce': {
      const printer = new ExprPrinter(
        kernel.accumulators.map((a) => a.value),
        's',
      )
      const results = kernel.accumulators.map((a, i) => `r${i} = ${a.fn} ${printer.show(a.value)}`)
      return [
        `reduce ${list(kernel.domain)} over ${list(kernel.inner)}`,
        ...printer.lines,
        ...results,
        ...showWrites(kernel.writes),
      ]
    }
    case 'rows':
      return [`rows ${list(kernel.domain)} over ${list(kernel.inner)}`, ...showPasses(kernel)]
    case 'matmul':
      return [
        `matmul ${list(kernel.domain)} k=${kernel.k} ${kernel.dtype}: ${showMatrix(kernel.a)} x ${showMatrix(kernel.b)}`,
        ...showWrites(kernel.writes),
      ]
    case 'conv':
    case 'convGradInput':
    case 'convGradWeight':
      return [
        `${kernel.kind} ${list(kernel.domain)} ${kernel.dtype}: ${showWhole(kernel.a)}, ${showWhole(kernel.b)} ${showAttrs(kernel.attrs)}`,
        ...showWrites(kernel.writes),
      ]
    case 'maxPool':
      return [
        `maxPool ${list(kernel.domain)} ${kernel.dtype}: ${showWhole(kernel.x)} ${showAttrs(kernel.attrs)}`,
        ...showWrites(kernel.writes),
      ]
    case 'maxPoolGrad':
    case 'maxPoolPick':
      return [
        `${kernel.kind} ${list(kernel.domain)} ${kernel.dtype}: ${showWhole(kernel.x)}, ${showWhole(kernel.other)} ${showAttrs(kernel.attrs)}`,
        ...showWrites(kernel.writes),
      ]
    case 'cumulative':
      return [
        `cumulative ${kernel.fn}${kernel.reverse ? ' reverse' : ''} ${kernel.dtype}: b${kernel.x}[${kernel.outer}, ${kernel.length}, ${kernel.inner}] -> b${kernel.out}`,
      ]
    case 'argsort':
      return [
        `argsort${kernel.descending ? ' descending' : ''} ${kernel.dtype}: b${kernel.x}[${kernel.outer}, ${kernel.length}, ${kernel.inner}] -> b${kernel.out}`,
      ]
    case 'scatterAdd':
      return [
        `scatterAdd ${kernel.dtype}: b${kernel.values} at b${kernel.index} [${kernel.outer}, ${kernel.length}, ${kernel.inner}] -> b${kernel.out}[${kernel.outer}, ${kernel.size}, ${kernel.inner}]`,
      ]
  }
}

function showBuffer(plan: BufferPlan, number: number): string {
  const { place } = plan
  const where =
    place.kind === 'temporary'
      ? `at ${place.offset}`
      : place.kind === 'output' && place.reuses !== undefined
        ? `output ${place.index} over input ${place.reuses}`
        : `${place.kind} ${place.index}`
  return `b${number}: ${plan.dtype}[${plan.length}] ${where}`
}

/** A stable text form of a program: its buffers and kernels. */
export function printProgram(program: Program): string {
  const kernels = program.kernels.flatMap((kernel, i) => {
    const [head, ...body] = showKernel(kernel)
    return [`${i}. ${head}`, ...body.map((line) => `   ${line}`)]
  })
  return [...program.buffers.map(showBuffer), `temporaries: ${program.temporaryBytes} bytes`, ...kernels].join('\n')
}
