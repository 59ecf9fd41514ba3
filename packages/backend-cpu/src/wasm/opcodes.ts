/*
 * The instructions that this backend uses, by their WebAssembly names: for each prefix of a name what follows the point,
 * in the order of opcodes. A number is the opcode of the next name, `-` leaves one out. Add what a kernel needs.
 */

const plain = {
  i32: '0x28 load 0x2c load8_s load8_u load16_s load16_u 0x36 store 0x3a store8 store16 0x45 eqz eq ne lt_s lt_u gt_s gt_u 0x4f ge_u 0x6a add sub mul - div_u - rem_u and or xor shl shr_s shr_u 0xa7 wrap_i64 0xbc reinterpret_f32',
  i64: '0x29 load 0x34 load32_s load32_u 0x37 store 0x52 ne lt_s lt_u 0x7c add sub mul 0x83 and or - shl - shr_u 0xac extend_i32_s extend_i32_u 0xbd reinterpret_f64',
  f32: '0x2a load 0x38 store 0x5c ne 0x5f le ge 0x8b abs 0x92 add sub mul 0xb6 demote_f64',
  f64: '0x2b load 0x39 store 0x61 eq - lt gt 0x99 abs neg 0x9d trunc 0xa0 add sub mul div - - copysign 0xb9 convert_i64_s - promote_f32 0xbf reinterpret_i64',
} as const

/** After the byte 0xfd; from 256 on relaxed ones. */
const vector = {
  v128: '0 load - load8x8_u - load16x4_u 7 load8_splat load16_splat load32_splat load64_splat store const 77 not and andnot or xor bitselect any_true load8_lane load16_lane load32_lane load64_lane store8_lane store16_lane store32_lane store64_lane load32_zero load64_zero',
  i8x16: '13 shuffle 21 extract_lane_s extract_lane_u replace_lane 102 narrow_i16x8_u',
  i16x8: '24 extract_lane_s extract_lane_u replace_lane 133 narrow_i32x4_s 137 extend_low_i8x16_u',
  i32x4:
    '17 splat 27 extract_lane replace_lane 55 eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u 160 abs neg - all_true 169 extend_low_i16x8_u - shl shr_s shr_u add - - sub - - - mul min_s min_u max_s max_u 248 trunc_sat_f32x4_s trunc_sat_f32x4_u 252 trunc_sat_f64x2_s_zero trunc_sat_f64x2_u_zero 267 relaxed_laneselect',
  i64x2: '29 extract_lane replace_lane 199 extend_low_i32x4_s 203 shl shr_s - add - - sub',
  f32x4:
    '19 splat 31 extract_lane replace_lane 65 eq ne lt gt le ge 94 demote_f64x2_zero 103 ceil floor trunc nearest 224 abs neg - sqrt add sub mul div min max pmin pmax 250 convert_i32x4_s convert_i32x4_u 261 relaxed_madd relaxed_nmadd',
  f64x2:
    '33 extract_lane replace_lane 71 eq - lt 95 promote_low_f32x4 122 trunc 148 nearest 240 add sub mul div min max 254 convert_low_i32x4_s convert_low_i32x4_u',
} as const

/** After the byte 0xfe. */
const atomic = {
  'i32.atomic': '0x10 load 0x17 store 0x1e rmw.add',
  'i64.atomic': '0x11 load 0x18 store 0x49 rmw.cmpxchg',
  'memory.atomic': '0 notify wait32',
} as const

type Words<S extends string> = S extends `${infer A} ${infer B}` ? A | Words<B> : S
type Names<T extends Record<string, string>> = {
  [P in keyof T & string]: `${P}.${Exclude<Words<T[P]>, '-' | `${number}`>}`
}[keyof T & string]

/** Address on the stack, and operands after it; an offset as immediate. */
export type AtomicOp = Names<typeof atomic>
type Op = Names<typeof plain> | Names<typeof vector>
/** Loads into, and stores of, one lane; the lane number is an immediate too. */
export type LaneAccessOp = Extract<Op, `${string}${8 | 16 | 32 | 64}_lane`>
export type LoadOp = Exclude<Extract<Op, `${string}.load${string}`>, LaneAccessOp>
export type StoreOp = Exclude<Extract<Op, `${string}.store${string}`>, LaneAccessOp>
/** Lane reads and replacements; the lane number is an immediate. */
export type LaneOp = Extract<Op, `${string}.${'extract' | 'replace'}_lane${string}`>
/** Every instruction that takes its operands from the stack and has no immediate. */
export type SimpleOp = Exclude<Op, LaneAccessOp | LoadOp | StoreOp | LaneOp | 'v128.const' | 'i8x16.shuffle'>

const widths: Readonly<Record<string, number>> = { i32: 32, f32: 32, memory: 32, i64: 64, f64: 64, v128: 128 }

/** log2 of the bytes that an instruction reads or writes, which is its natural alignment; nothing for other ones. */
function alignment(name: string): number[] {
  const [, bits, times = 1] = /(?:load|store|wait)(\d+)(?:x(\d+))?/.exec(name) ?? []
  if (!bits && !/load$|store$|rmw|notify/.test(name)) return []
  return [Math.log2((bits ? Number(bits) * Number(times) : (widths[name.split('.')[0] ?? ''] as number)) / 8)]
}

/** [name, opcode in bytes, with the alignment where there is one]. */
function encode(prefix: readonly number[], rows: Readonly<Record<string, string>>): [string, readonly number[]][] {
  return Object.entries(rows).flatMap(([type, list]) => {
    let next = 0
    return list.split(' ').flatMap((word): [string, readonly number[]][] => {
      const jump = Number(word)
      const code = next
      next = Number.isNaN(jump) ? next + 1 : jump
      if (next === jump || word === '-') return []
      const name = `${type}.${word}`
      // Numbers after a prefix are LEB128.
      const number = prefix.length === 0 || code < 0x80 ? [code] : [(code & 0x7f) | 0x80, code >> 7]
      return [[name, [...prefix, ...number, ...alignment(name)]]]
    })
  })
}

const encoded = new Map([...encode([], plain), ...encode([0xfd], vector), ...encode([0xfe], atomic)])

/** The bytes of an instruction before its immediates; for loads and stores the alignment is the last one. */
export const bytesOf = (op: Op | AtomicOp): readonly number[] => encoded.get(op) as readonly number[]
