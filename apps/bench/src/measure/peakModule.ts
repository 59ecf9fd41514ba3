/** Opcodes and section ids that the two kernels need. */
const op = {
  loop: 0x03,
  end: 0x0b,
  branchIf: 0x0d,
  get: 0x20,
  set: 0x21,
  tee: 0x22,
  constant: 0x41,
  subtract: 0x6b,
  v128: 0x7b,
  i32: 0x7f,
  empty: 0x40,
} as const
const madd = [0xfd, 0x85, 0x02]
/** With their alignments; an offset follows. */
const loadSplat = [0xfd, 0x09, 0x02]
const storeVector = [0xfd, 0x0b, 0x04]
const storeFloat = [0x38, 0x02]
const copyMemory = [0xfc, 0x0a, 0x00, 0x00]
const f32 = (x: number): number[] => [0x43, ...new Uint8Array(new Float32Array([x]).buffer)]

function unsigned(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  do {
    bytes.push((rest & 127) | (rest > 127 ? 128 : 0))
    rest >>>= 7
  } while (rest > 0)
  return bytes
}

const list = (items: readonly (readonly number[])[]): number[] => [...unsigned(items.length), ...items.flat()]
const sized = (bytes: readonly number[]): number[] => [...unsigned(bytes.length), ...bytes]
const section = (id: number, bytes: readonly number[]): number[] => [id, ...sized(bytes)]
const text = (name: string): number[] => sized([...new TextEncoder().encode(name)])

/**
 * Vectors that are multiplied and added to at the same time: enough to hide the latency, few enough for the registers.
 * `wide` ones are pairs, which V8 can merge to 256 bits; where it does not, they are too many for 128.
 */
const chains = { narrow: 12, wide: 24 } as const
export type Width = keyof typeof chains

/** Floating-point operations of one iteration of `fma`: a multiply and an add in four lanes of each chain. */
export const flopsPerIteration = (width: Width): number => chains[width] * 4 * 2

/**
 * `fma(iterations)`: nothing but fused multiply-adds in registers. Locals: count, chains. The factors are loaded at bytes
 * 0 and 4 and the chains stored from byte 32 on, side by side: pairs of stores are what V8 merges from.
 */
function fmaBody(width: Width): number[] {
  const all = Array.from({ length: chains[width] }, (_, i) => i)
  const factor = (at: number): number[] => [op.constant, 0, ...loadSplat, at]
  const chain = (i: number): number[] => [...factor(0), ...factor(4), op.get, 1 + i, ...madd, op.set, 1 + i]
  const count = [op.get, 0, op.constant, 1, op.subtract, op.tee, 0, op.branchIf, 0]
  const loop = [op.loop, op.empty, ...all.flatMap(chain), ...count, op.end]
  const store = (i: number): number[] => [op.constant, 0, op.get, 1 + i, ...storeVector, ...unsigned(32 + 16 * i)]
  const set = (at: number, value: number): number[] => [op.constant, 0, ...f32(value), ...storeFloat, at]
  const start = [...set(0, 0.999), ...set(4, 0.001)]
  return sized([...list([[...unsigned(all.length), op.v128]]), ...start, ...loop, ...all.flatMap(store), op.end])
}

/** `copy(to, from, bytes)`. */
const copyBody = (): number[] => sized([...list([]), op.get, 0, op.get, 1, op.get, 2, ...copyMemory, op.end])

/** A module with `fma`, `copy` and its memory of `pages`. Throws where the engine has no relaxed SIMD. */
export function peakModule(width: Width, pages: number): WebAssembly.Module {
  const types = list([
    [0x60, ...list([[op.i32]]), ...list([])],
    [0x60, ...list([[op.i32], [op.i32], [op.i32]]), ...list([])],
  ])
  const exported = [
    [...text('fma'), 0, 0],
    [...text('copy'), 0, 1],
  ]
  const bytes = [
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, types),
    ...section(3, list([[0], [1]])),
    ...section(5, list([[0, ...unsigned(pages)]])),
    ...section(7, list(exported)),
    ...section(10, list([fmaBody(width), copyBody()])),
  ]
  return new WebAssembly.Module(new Uint8Array(bytes))
}
