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
const splat = [0xfd, 0x13]
const addVectors = [0xfd, 0xe4, 0x01]
const storeVector = [0xfd, 0x0b, 0x04, 0x00]
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

/** Independent chains: enough to hide the latency of a multiply-add, few enough for the registers. */
const chains = 12

/** Floating-point operations of one iteration of `fma`: a multiply and an add in four lanes of each chain. */
export const flopsPerIteration = chains * 4 * 2

/** `fma(iterations)`: nothing but fused multiply-adds in registers. Locals: count, x, y, chains. */
function fmaBody(): number[] {
  const accumulator = (i: number): number => 3 + i
  const chain = (i: number): number[] => [op.get, 1, op.get, 2, op.get, accumulator(i), ...madd, op.set, accumulator(i)]
  const all = Array.from({ length: chains }, (_, i) => i)
  const count = [op.get, 0, op.constant, 1, op.subtract, op.tee, 0, op.branchIf, 0]
  const loop = [op.loop, op.empty, ...all.flatMap(chain), ...count, op.end]
  const sum = all.slice(1).flatMap((i) => [op.get, accumulator(i), ...addVectors])
  const start = [...f32(0.999), ...splat, op.set, 1, ...f32(0.001), ...splat, op.set, 2]
  const store = [op.constant, 0, op.get, accumulator(0), ...sum, ...storeVector]
  return sized([...list([[...unsigned(2 + chains), op.v128]]), ...start, ...loop, ...store, op.end])
}

/** `copy(to, from, bytes)`. */
const copyBody = (): number[] => sized([...list([]), op.get, 0, op.get, 1, op.get, 2, ...copyMemory, op.end])

/** A module with `fma`, `copy` and its memory of `pages`. Throws where the engine has no relaxed SIMD. */
export function peakModule(pages: number): WebAssembly.Module {
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
    ...section(10, list([fmaBody(), copyBody()])),
  ]
  return new WebAssembly.Module(new Uint8Array(bytes))
}
