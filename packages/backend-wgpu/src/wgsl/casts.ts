import type { DType } from '@tessella/ir'
import type { Snippets } from './snippet.ts'

/** Float to integer truncates and saturates, NaN gives 0; halves are their 16 bits in a u32. */
export const castSnippets: Snippets = {
  f_to_i: {
    text: `fn f_to_i(x: f32) -> i32 {
  if (is_nan(x)) { return 0; }
  if (x >= 2147483648.0) { return 2147483647; }
  if (x <= -2147483648.0) { return i32(-2147483647 - 1); }
  return i32(x);
}`,
    uses: ['is_nan'],
  },
  f_to_u: {
    text: `fn f_to_u(x: f32) -> u32 {
  if (is_nan(x) || x <= 0.0) { return 0u; }
  if (x >= 4294967296.0) { return 4294967295u; }
  return u32(x);
}`,
    uses: ['is_nan'],
  },
  // The nearest float32: a conversion in one step is off by one unit on some drivers.
  u_to_f: { text: 'fn u_to_f(x: u32) -> f32 { return f32(x >> 16u) * 65536.0f + f32(x & 0xffffu); }' },
  f_is_true: { text: 'fn f_is_true(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) != 0u; }' },
  half_to_f: {
    text: `fn half_to_f(h: u32) -> f32 {
  let sign = (h & 0x8000u) << 16u;
  let rest = h & 0x7fffu;
  var word = (rest << 13u) + 0x38000000u;
  if (rest >= 0x7c00u) { word = 0x7f800000u | ((rest & 0x3ffu) << 13u); }
  if (rest < 0x400u) { word = bitcast<u32>(f32(rest) * 5.9604644775390625e-8f); }
  return float_of(sign | word);
}`,
    uses: ['float_of'],
  },
  // Of a device with float16. What a conversion makes of values too large is the driver's choice; these are infinite.
  halves_of: {
    text: `fn halves_of(x: vec4f) -> vec4h {
  let size = bitcast<vec4u>(x) & vec4u(0x7fffffffu);
  let infinity = bitcast<vec4h>(vec2u(0x7c007c00u | (size.x & 0u)));
  let large = (size >= vec4u(0x477ff000u)) & (size <= vec4u(0x7f800000u));
  return select(vec4h(x), select(infinity, -infinity, x < vec4f()), large);
}`,
  },
  // Of numbers that are no halves by far, nothing is left.
  rests_of: {
    text: `fn rests_of(x: vec4f) -> vec4h {
  let large = (bitcast<vec4u>(x) & vec4u(0x7fffffffu)) >= vec4u(0x477ff000u);
  return vec4h(select((x - vec4f(halves_of(x))) * 2048.0f, vec4f(), large));
}`,
    uses: ['halves_of'],
  },
  // To nearest even; overflow gives infinity, any NaN 0x7e00.
  f_to_half: {
    text: `fn f_to_half(x: f32) -> u32 {
  let word = bitcast<u32>(x);
  let size = word & 0x7fffffffu;
  let sign = (word >> 16u) & 0x8000u;
  if (size > 0x7f800000u) { return 0x7e00u; }
  if (size >= 0x477ff000u) { return sign | 0x7c00u; }
  if (size >= 0x38800000u) { return sign | ((size - 0x38000000u + 0xfffu + ((size >> 13u) & 1u)) >> 13u); }
  let shift = min(126u - (size >> 23u), 31u);
  let mantissa = (size & 0x7fffffu) | 0x800000u;
  let kept = mantissa >> shift;
  let rest = mantissa & ((1u << shift) - 1u);
  let half = 1u << (shift - 1u);
  let up = rest > half || (rest == half && (kept & 1u) == 1u);
  return sign | (kept + select(0u, 1u, up));
}`,
  },
}

/** What a cast calls and how it is written. */
export interface CastText {
  readonly uses: readonly string[]
  readonly text: (x: string) => string
}

const plain = (text: (x: string) => string): CastText => ({ uses: [], text })
const call = (name: string): CastText => ({ uses: [name], text: (x) => `${name}(${x})` })

type Source = 'float32' | 'int32' | 'uint32'
type Target = Exclude<DType, 'float64'>

const fromFloat: { readonly [T in Target]: CastText } = {
  float32: plain((x) => x),
  float16: call('f_to_half'),
  int32: call('f_to_i'),
  uint32: call('f_to_u'),
  uint8: { uses: ['f_to_u'], text: (x) => `min(f_to_u(${x}), 255u)` },
  bool: call('f_is_true'),
}
const fromInt: { readonly [T in Target]: CastText } = {
  float32: plain((x) => `f32(${x})`),
  float16: { uses: ['f_to_half'], text: (x) => `f_to_half(f32(${x}))` },
  int32: plain((x) => `bitcast<i32>(${x})`),
  uint32: plain((x) => `bitcast<u32>(${x})`),
  uint8: plain((x) => `(bitcast<u32>(${x}) & 255u)`),
  bool: plain((x) => `(bitcast<u32>(${x}) != 0u)`),
}
const fromUint: { readonly [T in Target]: CastText } = {
  ...fromInt,
  float32: call('u_to_f'),
  float16: { uses: ['u_to_f', 'f_to_half'], text: (x) => `f_to_half(u_to_f(${x}))` },
}
const fromBool: { readonly [T in Target]: CastText } = {
  float32: plain((x) => `select(0.0f, 1.0f, ${x})`),
  float16: plain((x) => `select(0u, 0x3c00u, ${x})`),
  int32: plain((x) => `select(0i, 1i, ${x})`),
  uint32: plain((x) => `select(0u, 1u, ${x})`),
  uint8: plain((x) => `select(0u, 1u, ${x})`),
  bool: plain((x) => x),
}
const sources: { readonly [S in Source]: { readonly [T in Target]: CastText } } = {
  float32: fromFloat,
  int32: fromInt,
  uint32: fromUint,
}

/** The text of a cast between two dtypes of the backend. */
export function castText(from: Target, to: Target): CastText {
  if (from === to) return plain((x) => x)
  if (from === 'bool') return fromBool[to]
  if (from === 'float16') {
    const rest = fromFloat[to]
    return { uses: ['half_to_f', ...rest.uses], text: (x) => rest.text(`half_to_f(${x})`) }
  }
  return sources[from === 'uint8' ? 'int32' : from][to]
}
