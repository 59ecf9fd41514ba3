import { horner, type Snippets } from './snippet.ts'

/** sin(r) = r + r^3 P(r^2), cos(r) = 1 - r^2/2 + r^4 Q(r^2) on |r| <= pi/4: Cephes sinf and cosf (Moshier). */
const sinTail = [-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1]
const cosTail = [2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2]

export const trigonometricSnippets: Snippets = {
  mul_high: {
    text: `fn mul_high(a: u32, b: u32) -> u32 {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let left = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let right = (a & 0xffffu) * (b >> 16u) + (left & 0xffffu);
  return (a >> 16u) * (b >> 16u) + (left >> 16u) + (right >> 16u);
}`,
  },
  // Payne and Hanek: 96 bits of 2/pi from where multiples of four quadrants end, times the mantissa, in integers.
  angle_large: {
    text: `fn angle_large(x: f32) -> vec2f {
  var table = array<u32, 8>(
    0u, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u, 0xdb629599u, 0x3c439041u, 0xfe5163abu);
  let word = bitcast<u32>(x);
  let m = (word & 0x7fffffu) | 0x800000u;
  let bit = ((word >> 23u) & 0xffu) - 120u;
  let at = bit >> 5u;
  let by = bit & 31u;
  var w = array<u32, 3>(table[at], table[at + 1u], table[at + 2u]);
  if (by != 0u) {
    for (var i = 0u; i < 3u; i++) { w[i] = (w[i] << by) | (table[at + i + 1u] >> (32u - by)); }
  }
  let low = mul_high(m, w[2]);
  let product = m * w[1];
  let middle = low + product;
  let top = mul_high(m, w[1]) + m * w[0] + select(0u, 1u, middle < low);
  var quadrant = top >> 30u;
  var high = (top << 2u) | (middle >> 30u);
  var rest = middle << 2u;
  let up = high >= 0x80000000u;
  if (up) {
    quadrant += 1u;
    rest = ~rest + 1u;
    high = ~high + select(0u, 1u, rest == 0u);
  }
  let r = (f32(high) * 2.3283064365386963e-10f + f32(rest) * 5.421010862427522e-20f) * 1.5707963267948966f;
  let negative = up != is_negative(x);
  return vec2f(f32(select(quadrant, (4u - quadrant) & 3u, is_negative(x))), select(r, -r, negative));
}`,
    uses: ['mul_high', 'is_negative'],
  },
  // (quadrant, r) with x = quadrant pi/2 + r: Cody and Waite's parts of pi/2 have exact products with quadrants to 2^13.
  angle_of: {
    text: `fn angle_of(x: f32) -> vec2f {
  if (abs(x) >= 8192.0f) { return angle_large(x); }
  let n = round(x * 0.6366197723675814f);
  let r = ((x - n * 1.5703125f) - n * 4.837512969970703125e-4f) - n * 7.549533620476723e-8f;
  return vec2f(n, r - n * 2.5633441515e-12f);
}`,
    uses: ['angle_large'],
  },
  // sin(r + quadrant pi/2).
  sine_at: {
    text: `fn sine_at(quadrant: i32, r: f32) -> f32 {
  let z = r * r;
  var y = r + r * (z * ${horner('z', sinTail)});
  if ((quadrant & 1) == 1) { y = (1.0f - 0.5f * z) + z * z * ${horner('z', cosTail)}; }
  return select(y, -y, (quadrant & 2) == 2);
}`,
  },
  m_sin: {
    text: `fn m_sin(x: f32) -> f32 {
  if (!is_finite(x)) { return float_of(0x7fc00000u); }
  let a = angle_of(x);
  return sine_at(i32(a.x), a.y);
}`,
    uses: ['is_finite', 'float_of', 'angle_of', 'sine_at'],
  },
  m_cos: {
    text: `fn m_cos(x: f32) -> f32 {
  if (!is_finite(x)) { return float_of(0x7fc00000u); }
  let a = angle_of(x);
  return sine_at(i32(a.x) + 1, a.y);
}`,
    uses: ['is_finite', 'float_of', 'angle_of', 'sine_at'],
  },
  m_tan: {
    text: `fn m_tan(x: f32) -> f32 {
  if (!is_finite(x)) { return float_of(0x7fc00000u); }
  let a = angle_of(x);
  return sine_at(i32(a.x), a.y) / sine_at(i32(a.x) + 1, a.y);
}`,
    uses: ['is_finite', 'float_of', 'angle_of', 'sine_at'],
  },
}
