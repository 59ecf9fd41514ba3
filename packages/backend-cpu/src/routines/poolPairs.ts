import type { Kernel } from '@tessella/compiler'
import { sizeOf } from '@tessella/ir'
import type { KernelCode, KernelContext } from '../kernels/context.ts'
import type { FunctionBuilder, FunctionRef, Local } from '../wasm/assembler.ts'
import { evens, highPairs, lowPairs, mix, odds } from '../wasm/shuffles.ts'
import { Epilogue } from './epilogue.ts'
import { emitPlanes } from './planes.ts'
import type { Piece } from './sink.ts'
import { loadVector } from './tile.ts'
import { bufferAddress } from './workspace.ts'

export type PoolKernel = Extract<Kernel, { kind: 'maxPool' | 'maxPoolGrad' | 'maxPoolPick' }>

/** Whether windows are 2x2 without overlap or border: the fast case. */
export function isPairs({ attrs, domain }: PoolKernel): boolean {
  const two = [attrs.kernel, attrs.stride]
  return (
    domain.length === 4 &&
    two.every((list) => list.every((n) => n === 2)) &&
    attrs.dilation.every((n) => n === 1) &&
    attrs.padding.every(([lo, hi]) => lo === 0 && hi === 0)
  )
}

/** 2x2 pools, four windows at a time: even and odd elements of two rows. Units: planes. */
export function emitPoolPairs(context: KernelContext, kernel: PoolKernel): readonly KernelCode[] {
  const { domain, x } = kernel
  const epilogue = new Epilogue(context, kernel.writes)
  const [height, width] = x.shape.slice(2) as [number, number]
  const planeBytes = height * width * 4
  const operands = [{ address: bufferAddress(context, x.buffer), bytes: planeBytes }]
  if (kernel.kind !== 'maxPool') {
    const { buffer, shape } = kernel.other
    operands.push({ address: bufferAddress(context, buffer), bytes: sizeOf(shape.slice(2)) * 4 })
  }
  const each =
    kernel.kind === 'maxPoolGrad'
      ? emitGrad(context, epilogue, height, width, {
          vectorBytes: 32,
          rowBytes: 2 * width * 4,
          distribute: (f, source, dy, lanes) => distributed(f, context.features.relaxed, source, dy, width * 4, lanes),
        })
      : emitForward(context, epilogue, height, width, kernel.kind === 'maxPoolPick')
  return [emitPlanes(context, epilogue, domain, operands, each, height * width)]
}

/** Runs the body for every four windows of a row of `outputs`, moving `moves` by their bytes; the rest at the end. */
export function alongRow(
  f: FunctionBuilder,
  outputs: number,
  moves: readonly (readonly [pointer: Local, bytes: number])[],
  advance: (vectors: number) => void,
  body: (lanes: number) => void,
): void {
  const full = Math.floor(outputs / 4)
  const move = (times: number): void => {
    for (const [p, bytes] of moves) f.bump(p, bytes * times)
    advance(times)
  }
  f.times(full, () => {
    body(4)
    move(1)
  })
  if (outputs % 4 > 0) body(outputs % 4)
  move(-full)
}

/** Even and odd elements of the next `2 * lanes` of a row. */
export function loadPairs(
  f: FunctionBuilder,
  row: Local,
  offset: number,
  lanes: number,
  even: Local,
  odd: Local,
): void {
  const high = f.local('v128')
  loadVector(f, row, offset, Math.min(4, 2 * lanes))
  f.set(odd)
  if (lanes > 2) loadVector(f, row, offset + 16, 2 * lanes - 4)
  else f.get(odd)
  f.set(high)
  f.push(odd, high)
  f.shuffle(evens)
  f.set(even)
  f.push(odd, high)
  f.shuffle(odds)
  f.set(odd)
  f.release(high)
}

/** mask = candidate comes before best: it is greater, or NaN where best is not. */
export function pushBetter(f: FunctionBuilder, candidate: Local, best: Local): void {
  f.push(best, best, 'f32x4.eq', candidate, best, 'f32x4.le', 'v128.andnot')
}

/** target = mask ? x : target. */
export function replaceWhere(f: FunctionBuilder, relaxed: boolean, mask: Local, x: Local, target: Local): void {
  f.push(x, target, mask, relaxed ? 'i32x4.relaxed_laneselect' : 'v128.bitselect')
  f.set(target)
}

function emitForward(
  context: KernelContext,
  epilogue: Epilogue,
  height: number,
  width: number,
  pick: boolean,
): FunctionRef {
  const rowBytes = width * 4
  const operands = pick ? (['i32', 'i32'] as const) : (['i32'] as const)
  return context.module.function([...operands, ...epilogue.params], [], (f, x, second, ...others) => {
    const source = x as Local
    const values = pick ? (second as Local) : undefined
    const bases = pick ? others : second ? [second, ...others] : []
    const pointers = values ? [source, values] : [source]
    const best = f.local('v128')
    const moves = pointers.map((p) => [p, 32] as const)
    f.times(Math.floor(height / 2), () => {
      alongRow(
        f,
        Math.floor(width / 2),
        moves,
        (vectors) => epilogue.advance(f, bases, 3, 4 * vectors),
        (lanes) => {
          if (values) picked(f, context.features.relaxed, source, values, rowBytes, lanes, best)
          else maximum(f, source, rowBytes, lanes, best)
          epilogue.emit(f, bases, 3, [{ result: best, shifts: [0, 0, 0, 0], first: 0, lanes }])
        },
      )
      for (const p of pointers) f.bump(p, 2 * rowBytes)
      epilogue.advance(f, bases, 2, 1)
    })
  })
}

/** a = max(a, b), NaN where either is. (The `max` instruction takes seven of the machine's.) */
function takeGreater(f: FunctionBuilder, a: Local, b: Local): void {
  // pmax gives its first operand where one is NaN; the union of a NaN's bits and any others is a NaN.
  f.push(a, b, 'f32x4.pmax', b, a, 'f32x4.pmax', 'v128.or')
  f.set(a)
}

function maximum(f: FunctionBuilder, x: Local, rowBytes: number, lanes: number, best: Local): void {
  const [low, high, even, odd] = [0, 1, 2, 3].map(() => f.local('v128')) as [Local, Local, Local, Local]
  const column = (offset: number, count: number, into: Local): void => {
    loadVector(f, x, offset, count)
    f.set(into)
    loadVector(f, x, offset + rowBytes, count)
    f.set(odd)
    takeGreater(f, into, odd)
  }
  column(0, Math.min(4, 2 * lanes), low)
  if (lanes > 2) column(16, 2 * lanes - 4, high)
  for (const [pattern, into] of [
    [evens, even],
    [odds, odd],
  ] as const) {
    f.push(low, lanes > 2 ? high : low)
    f.shuffle(pattern)
    f.set(into)
  }
  takeGreater(f, even, odd)
  f.get(even)
  f.set(best)
  for (const l of [low, high, even, odd]) f.release(l)
}

function picked(
  f: FunctionBuilder,
  relaxed: boolean,
  x: Local,
  v: Local,
  rowBytes: number,
  lanes: number,
  result: Local,
): void {
  const [best, odd, even, oddValue, evenValue, mask] = Array.from({ length: 6 }, () => f.local('v128')) as [
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
  ]
  const challenge = (candidate: Local, value: Local): void => {
    pushBetter(f, candidate, best)
    f.set(mask)
    replaceWhere(f, relaxed, mask, candidate, best)
    replaceWhere(f, relaxed, mask, value, result)
  }
  loadPairs(f, x, 0, lanes, best, odd)
  loadPairs(f, v, 0, lanes, result, oddValue)
  challenge(odd, oddValue)
  loadPairs(f, x, rowBytes, lanes, even, odd)
  loadPairs(f, v, rowBytes, lanes, evenValue, oddValue)
  challenge(even, evenValue)
  challenge(odd, oddValue)
  for (const l of [best, odd, even, oddValue, evenValue, mask]) f.release(l)
}

/** Where a pool's gradient finds the maxima of its windows. */
export interface Origin {
  /** Bytes for four windows, and for a row of windows. */
  readonly vectorBytes: number
  readonly rowBytes: number
  /** Two rows of eight gradients, as four vectors, from the origin and dy at this place. */
  readonly distribute: (f: FunctionBuilder, source: Local, dy: Local, lanes: number) => readonly Local[]
}

export function emitGrad(
  context: KernelContext,
  epilogue: Epilogue,
  height: number,
  width: number,
  { vectorBytes, rowBytes, distribute }: Origin,
): FunctionRef {
  const [rows, columns] = [Math.floor(height / 2), Math.floor(width / 2)]
  return context.module.function(['i32', 'i32', ...epilogue.params], [], (f, x, dy, ...bases) => {
    const [source, grads] = [x as Local, dy as Local]
    const zero = f.local('v128')
    const piece = (result: Local, row: number, column: number, lanes: number): Piece[] =>
      lanes > 0 ? [{ result, shifts: [0, 0, row, column], first: 0, lanes: Math.min(4, lanes) }] : []
    f.times(rows, () => {
      alongRow(
        f,
        columns,
        [
          [source, vectorBytes],
          [grads, 16],
        ],
        (vectors) => epilogue.advance(f, bases, 3, 8 * vectors),
        (lanes) => {
          const parts = distribute(f, source, grads, lanes)
          const pieces = parts.flatMap((part, i) => piece(part, i >> 1, 4 * (i % 2), 2 * lanes - 4 * (i % 2)))
          epilogue.emit(f, bases, 3, pieces)
          for (const part of parts) f.release(part)
        },
      )
      if (width % 2 > 0) epilogue.emit(f, bases, 3, [...piece(zero, 0, width - 1, 1), ...piece(zero, 1, width - 1, 1)])
      f.bump(source, rowBytes)
      f.bump(grads, columns * 4)
      epilogue.advance(f, bases, 2, 2)
    })
    if (height % 2 === 0) return
    f.times(Math.floor(width / 4), () => {
      epilogue.emit(f, bases, 3, piece(zero, 0, 0, 4))
      epilogue.advance(f, bases, 3, 4)
    })
    if (width % 4 > 0) epilogue.emit(f, bases, 3, piece(zero, 0, 0, width % 4))
  })
}

/** The gradient of two rows of eight elements: each dy at its window's first maximum. */
function distributed(
  f: FunctionBuilder,
  relaxed: boolean,
  x: Local,
  dy: Local,
  rowBytes: number,
  lanes: number,
): readonly Local[] {
  const [best, odd, even, grad, odd0, even1, odd1] = Array.from({ length: 7 }, () => f.local('v128')) as [
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
  ]
  loadPairs(f, x, 0, lanes, best, odd)
  // The masks of the candidates that were better than all before them.
  const challenge = (candidate: Local, mask: Local): void => {
    pushBetter(f, candidate, best)
    f.set(mask)
    replaceWhere(f, relaxed, mask, candidate, best)
  }
  challenge(odd, odd0)
  loadPairs(f, x, rowBytes, lanes, even, odd)
  challenge(even, even1)
  challenge(odd, odd1)
  loadVector(f, dy, 0, lanes)
  f.set(grad)
  // The last better one gets the gradient.
  for (const mask of [odd1, even1, odd0]) {
    f.push(grad, mask, 'v128.andnot', grad, mask, 'v128.and')
    f.set(mask)
    f.set(grad)
  }
  mix(f, grad, odd0, lowPairs, best)
  mix(f, grad, odd0, highPairs, grad)
  mix(f, even1, odd1, lowPairs, even)
  mix(f, even1, odd1, highPairs, odd)
  for (const l of [odd0, even1, odd1]) f.release(l)
  return [best, grad, even, odd]
}
