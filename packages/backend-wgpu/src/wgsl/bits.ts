import type { Snippets } from './snippet.ts'

/*
 * WGSL lets a compiler assume that there is no NaN and no infinity, and forbids both in constant expressions. So tests
 * look at bits, and such constants come out of a variable.
 */
export const bitSnippets: Snippets = {
  float_of: { text: 'fn float_of(word: u32) -> f32 { var w = word; return bitcast<f32>(w); }' },
  is_nan: { text: 'fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }' },
  is_inf: { text: 'fn is_inf(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) == 0x7f800000u; }' },
  is_finite: { text: 'fn is_finite(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) < 0x7f800000u; }' },
  is_negative: { text: 'fn is_negative(x: f32) -> bool { return (bitcast<u32>(x) >> 31u) != 0u; }' },
  // The first 12 bits of the fraction: what is left of it is exact, and no compiler simplifies the difference away.
  head_of: { text: 'fn head_of(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) & 0xfffff000u); }' },
  // The operand that is NaN wins; max(-0, 0) may be either zero.
  f_max: {
    text: 'fn f_max(a: f32, b: f32) -> f32 { return select(b, a, a > b || is_nan(a)); }',
    uses: ['is_nan'],
  },
  f_min: {
    text: 'fn f_min(a: f32, b: f32) -> f32 { return select(b, a, a < b || is_nan(a)); }',
    uses: ['is_nan'],
  },
  // x itself where it is zero or NaN.
  f_sign: { text: 'fn f_sign(x: f32) -> f32 { return select(x, select(-1.0, 1.0, x > 0.0), abs(x) > 0.0); }' },
  f_whole: {
    text: `fn f_whole(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) >= 0x4b000000u; }`,
  },
  // From 2^23 on every float32 is whole, infinite or NaN: nothing to round.
  f_floor: { text: 'fn f_floor(x: f32) -> f32 { return select(floor(x), x, f_whole(x)); }', uses: ['f_whole'] },
  f_ceil: { text: 'fn f_ceil(x: f32) -> f32 { return select(ceil(x), x, f_whole(x)); }', uses: ['f_whole'] },
  f_round: { text: 'fn f_round(x: f32) -> f32 { return select(round(x), x, f_whole(x)); }', uses: ['f_whole'] },
  f_trunc: { text: 'fn f_trunc(x: f32) -> f32 { return select(trunc(x), x, f_whole(x)); }', uses: ['f_whole'] },
  f_sqrt: {
    text: `fn f_sqrt(x: f32) -> f32 {
  if (bitcast<u32>(x) > 0x80000000u) { return float_of(0x7fc00000u); }
  return select(sqrt(x), x, x == 0.0 || !is_finite(x));
}`,
    uses: ['float_of', 'is_finite'],
  },
  i_div: {
    text: `fn i_div(a: i32, b: i32) -> i32 {
  let d = select(b, 1, b == 0 || (b == -1 && a == i32(-2147483647 - 1)));
  return select(a / d, 0, b == 0);
}`,
  },
  i_rem: {
    text: `fn i_rem(a: i32, b: i32) -> i32 {
  let d = select(b, 1, b == 0 || b == -1);
  return a % d;
}`,
  },
  u_div: { text: 'fn u_div(a: u32, b: u32) -> u32 { return select(a / select(b, 1u, b == 0u), 0u, b == 0u); }' },
  u_rem: { text: 'fn u_rem(a: u32, b: u32) -> u32 { return a % select(b, 1u, b == 0u); }' },
}
