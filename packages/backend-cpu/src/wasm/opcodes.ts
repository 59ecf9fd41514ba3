/** Opcodes without immediates, by their WebAssembly names. Values above 0xfd00 and 0xfc00 carry a prefix. */
const names = (start: number, list: string): [string, number][] =>
  list
    .trim()
    .split(/\s+/)
    .map((name, i): [string, number] => [name, start + i])
    .filter(([name]) => name !== '-')

type Words<S extends string> = S extends `${infer A} ${infer B}` ? A | Words<B> : S

/** `base.suffix` for every suffix of a list, in opcode order. */
const run = <B extends string, const L extends string>(base: B, start: number, list: L) => ({
  base,
  start,
  list,
})

type RunName<R> = R extends { base: infer B extends string; list: infer L extends string }
  ? `${B}.${Exclude<Words<L>, '-'>}`
  : never

const simd = 0xfd00
const relaxed = 0xfe00
const saturating = 0xfc00
const compareInt = 'eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u'
const compareFloat = 'eq ne lt gt le ge'
const integer = 'clz ctz popcnt add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr'
const float = 'abs neg ceil floor trunc nearest sqrt add sub mul div min max copysign'

const runs = [
  run('i32', 0x45, 'eqz eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u'),
  run('i64', 0x50, 'eqz eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u'),
  run('f32', 0x5b, compareFloat),
  run('f64', 0x61, compareFloat),
  run('i32', 0x67, integer),
  run('i64', 0x79, integer),
  run('f32', 0x8b, float),
  run('f64', 0x99, float),
  run('i32', 0xa7, 'wrap_i64 trunc_f32_s trunc_f32_u trunc_f64_s trunc_f64_u'),
  run('i64', 0xac, 'extend_i32_s extend_i32_u'),
  run('f32', 0xb2, 'convert_i32_s convert_i32_u convert_i64_s convert_i64_u demote_f64'),
  run('f64', 0xb7, 'convert_i32_s convert_i32_u convert_i64_s convert_i64_u promote_f32'),
  run('i32', 0xbc, 'reinterpret_f32'),
  run('i64', 0xbd, 'reinterpret_f64'),
  run('f32', 0xbe, 'reinterpret_i32'),
  run('f64', 0xbf, 'reinterpret_i64'),
  run('i32', 0xc0, 'extend8_s extend16_s'),
  run('i32', saturating, 'trunc_sat_f32_s trunc_sat_f32_u trunc_sat_f64_s trunc_sat_f64_u'),
  run('i8x16', simd + 14, 'swizzle splat'),
  run('i16x8', simd + 16, 'splat'),
  run('i32x4', simd + 17, 'splat'),
  run('i64x2', simd + 18, 'splat'),
  run('f32x4', simd + 19, 'splat'),
  run('f64x2', simd + 20, 'splat'),
  run('i8x16', simd + 35, compareInt),
  run('i16x8', simd + 45, compareInt),
  run('i32x4', simd + 55, compareInt),
  run('f32x4', simd + 65, compareFloat),
  run('f64x2', simd + 71, compareFloat),
  run('v128', simd + 77, 'not and andnot or xor bitselect any_true'),
  run('f32x4', simd + 94, 'demote_f64x2_zero'),
  run('f64x2', simd + 95, 'promote_low_f32x4'),
  run('i8x16', simd + 96, 'abs neg popcnt all_true bitmask narrow_i16x8_s narrow_i16x8_u'),
  run('f32x4', simd + 103, 'ceil floor trunc nearest'),
  run('i8x16', simd + 107, 'shl shr_s shr_u add add_sat_s add_sat_u sub sub_sat_s sub_sat_u'),
  run('f64x2', simd + 116, 'ceil floor'),
  run('f64x2', simd + 122, 'trunc'),
  run('i16x8', simd + 131, 'all_true bitmask narrow_i32x4_s narrow_i32x4_u'),
  run('i16x8', simd + 135, 'extend_low_i8x16_s extend_high_i8x16_s extend_low_i8x16_u extend_high_i8x16_u'),
  run('i16x8', simd + 139, 'shl shr_s shr_u add'),
  run('f64x2', simd + 148, 'nearest'),
  run('i32x4', simd + 160, 'abs neg - all_true bitmask'),
  run('i32x4', simd + 167, 'extend_low_i16x8_s extend_high_i16x8_s extend_low_i16x8_u extend_high_i16x8_u'),
  run('i32x4', simd + 171, 'shl shr_s shr_u add - - sub - - - mul min_s min_u max_s max_u'),
  run('i64x2', simd + 192, 'abs neg - all_true bitmask'),
  run('i64x2', simd + 199, 'extend_low_i32x4_s extend_high_i32x4_s extend_low_i32x4_u extend_high_i32x4_u'),
  run('i64x2', simd + 203, 'shl shr_s shr_u add - - sub - - - mul eq ne lt_s gt_s le_s ge_s'),
  run('f32x4', simd + 224, 'abs neg - sqrt add sub mul div min max pmin pmax'),
  run('f64x2', simd + 236, 'abs neg - sqrt add sub mul div min max pmin pmax'),
  run('i32x4', simd + 248, 'trunc_sat_f32x4_s trunc_sat_f32x4_u'),
  run('f32x4', simd + 250, 'convert_i32x4_s convert_i32x4_u'),
  run('i32x4', simd + 252, 'trunc_sat_f64x2_s_zero trunc_sat_f64x2_u_zero'),
  run('f64x2', simd + 254, 'convert_low_i32x4_s convert_low_i32x4_u'),
  run('i8x16', relaxed + 0, 'relaxed_swizzle'),
  run('i32x4', relaxed + 1, 'relaxed_trunc_f32x4_s relaxed_trunc_f32x4_u'),
  run('f32x4', relaxed + 5, 'relaxed_madd relaxed_nmadd'),
  run('f64x2', relaxed + 7, 'relaxed_madd relaxed_nmadd'),
  run('i32x4', relaxed + 11, 'relaxed_laneselect'),
] as const

/** Every instruction that takes its operands from the stack and has no immediate. */
export type SimpleOp = RunName<(typeof runs)[number]>

const table = new Map<string, number>(
  runs.flatMap(({ base, start, list }) =>
    names(start, list).map(([n, code]): [string, number] => [`${base}.${n}`, code]),
  ),
)

/** Bytes of an instruction's opcode. */
function encode(code: number): readonly number[] {
  if (code < 0x100) return [code]
  const prefix = code >> 8
  // SIMD and relaxed SIMD share the prefix 0xfd; the number is a LEB128.
  const value = prefix === 0xfe ? 0x100 + (code & 0xff) : code & 0xff
  const leb = value < 0x80 ? [value] : [(value & 0x7f) | 0x80, value >> 7]
  return [prefix === 0xfc ? 0xfc : 0xfd, ...leb]
}

const encoded = new Map([...table].map(([name, code]) => [name, encode(code)]))

export function simpleOpcode(op: SimpleOp): readonly number[] {
  return encoded.get(op) as readonly number[]
}

/** Opcode bytes and natural alignment (log2 of the bytes accessed). */
interface Access {
  readonly code: readonly number[]
  readonly align: number
}

const scalarAccess = (code: number, align: number): Access => ({ code: [code], align })
const vectorAccess = (code: number, align: number): Access => ({ code: encode(simd + code), align })

export const loads = {
  'i32.load': scalarAccess(0x28, 2),
  'i64.load': scalarAccess(0x29, 3),
  'f32.load': scalarAccess(0x2a, 2),
  'f64.load': scalarAccess(0x2b, 3),
  'i32.load8_s': scalarAccess(0x2c, 0),
  'i32.load8_u': scalarAccess(0x2d, 0),
  'i32.load16_s': scalarAccess(0x2e, 1),
  'i32.load16_u': scalarAccess(0x2f, 1),
  'i64.load32_s': scalarAccess(0x34, 2),
  'i64.load32_u': scalarAccess(0x35, 2),
  'v128.load': vectorAccess(0, 4),
  'v128.load8x8_u': vectorAccess(2, 3),
  'v128.load16x4_u': vectorAccess(4, 3),
  'v128.load8_splat': vectorAccess(7, 0),
  'v128.load16_splat': vectorAccess(8, 1),
  'v128.load32_splat': vectorAccess(9, 2),
  'v128.load64_splat': vectorAccess(10, 3),
  'v128.load32_zero': vectorAccess(92, 2),
  'v128.load64_zero': vectorAccess(93, 3),
} as const satisfies Record<string, Access>

export const stores = {
  'i32.store': scalarAccess(0x36, 2),
  'i64.store': scalarAccess(0x37, 3),
  'f32.store': scalarAccess(0x38, 2),
  'f64.store': scalarAccess(0x39, 3),
  'i32.store8': scalarAccess(0x3a, 0),
  'i32.store16': scalarAccess(0x3b, 1),
  'v128.store': vectorAccess(11, 4),
} as const satisfies Record<string, Access>

/** Loads into, and stores of, one lane; the lane number is an immediate. */
export const laneAccesses = {
  'v128.load8_lane': vectorAccess(84, 0),
  'v128.load16_lane': vectorAccess(85, 1),
  'v128.load32_lane': vectorAccess(86, 2),
  'v128.load64_lane': vectorAccess(87, 3),
  'v128.store8_lane': vectorAccess(88, 0),
  'v128.store16_lane': vectorAccess(89, 1),
  'v128.store32_lane': vectorAccess(90, 2),
  'v128.store64_lane': vectorAccess(91, 3),
} as const satisfies Record<string, Access>

/** Lane reads and replacements; the lane number is an immediate. */
export const laneOps = {
  'i8x16.extract_lane_s': encode(simd + 21),
  'i8x16.extract_lane_u': encode(simd + 22),
  'i8x16.replace_lane': encode(simd + 23),
  'i16x8.extract_lane_s': encode(simd + 24),
  'i16x8.extract_lane_u': encode(simd + 25),
  'i16x8.replace_lane': encode(simd + 26),
  'i32x4.extract_lane': encode(simd + 27),
  'i32x4.replace_lane': encode(simd + 28),
  'i64x2.extract_lane': encode(simd + 29),
  'i64x2.replace_lane': encode(simd + 30),
  'f32x4.extract_lane': encode(simd + 31),
  'f32x4.replace_lane': encode(simd + 32),
  'f64x2.extract_lane': encode(simd + 33),
  'f64x2.replace_lane': encode(simd + 34),
} as const

export type LoadOp = keyof typeof loads
export type StoreOp = keyof typeof stores
export type LaneAccessOp = keyof typeof laneAccesses
export type LaneOp = keyof typeof laneOps
export const v128Const: readonly number[] = encode(simd + 12)
export const shuffle: readonly number[] = encode(simd + 13)
