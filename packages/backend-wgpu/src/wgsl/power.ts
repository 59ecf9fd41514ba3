import { horner, type Snippets } from './snippet.ts'

/** (atanh(z) / z - 1 - z^2 / 3) / z^4 in z^2, |z| <= 0.172. */
const atanhTail = [1 / 11, 1 / 9, 1 / 7, 1 / 5]

export const powerSnippets: Snippets = {
  // The error of the rounded product p = a b, by halves whose products are exact (Dekker).
  product_error: {
    text: `fn product_error(a: f32, b: f32, p: f32) -> f32 {
  let ah = head_of(a);
  let bh = head_of(b);
  let al = a - ah;
  let bl = b - bh;
  return ((ah * bh - p) + ah * bl + al * bh) + al * bl;
}`,
    uses: ['head_of'],
  },
  // log2 of a positive finite number as a sum of two floats: 2 atanh(z) / ln 2, z = t / (2 + t). The remainder of the
  // quotient is (t - 2 z) - z t, and z^3 / 3 needs its error, too.
  log2_pair: {
    text: `fn log2_pair(x: f32) -> vec2f {
  let s = log_split(x);
  let t = s.y;
  let d = t + 2.0f;
  let z = t / d;
  let p = z * t;
  let zl = (((t - 2.0f * z) - p) - product_error(z, t, p)) / d;
  let w = z * z;
  let wl = product_error(z, z, w) + 2.0f * z * zl;
  let third = w * 0.3333333432674408f;
  let third_l = product_error(w, 0.3333333432674408f, third) + (wl * 0.33333334f - w * 9.934107e-9f);
  let cubic = z * third;
  let rest = z * (w * w * ${horner('w', atanhTail)});
  let low = (zl + rest) + (product_error(z, third, cubic) + (z * third_l + zl * third));
  let h = head_of(z + cubic);
  let l = ((z - h) + cubic) + low;
  let q = h * 2.885390043258667f;
  let ql = product_error(h, 2.885390043258667f, q) + (h * 3.8519259e-8f + l * 2.885390043258667f);
  let sum = head_of(s.x + q);
  return vec2f(sum, ((s.x - sum) + q) + ql);
}`,
    uses: ['log_split', 'product_error', 'head_of'],
  },
  // a^y for positive finite a and finite y.
  pow_positive: {
    text: `fn pow_positive(a: f32, y: f32) -> f32 {
  let g = log2_pair(a);
  let p = y * g.x;
  if (p > 129.0f) { return float_of(0x7f800000u); }
  if (p < -151.0f) { return 0.0f; }
  let n = round(p);
  let f = (p - n) + (product_error(y, g.x, p) + y * g.y);
  return scaled(1.0f + exp_tail(f * 0.6931471805599453f), i32(n));
}`,
    uses: ['log2_pair', 'product_error', 'float_of', 'scaled', 'exp_tail'],
  },
  // The special cases are those of JavaScript's Math.pow: pow(1, infinity) is NaN.
  m_pow: {
    text: `fn m_pow(x: f32, y: f32) -> f32 {
  if (y == 0.0f) { return 1.0f; }
  if (is_nan(x) || is_nan(y)) { return float_of(0x7fc00000u); }
  let a = abs(x);
  let whole = f_whole(y) || trunc(y) == y;
  let odd = whole && abs(y) < 16777216.0f && (i32(y) & 1) == 1;
  if (is_negative(x) && !whole && is_ordinary(a)) { return float_of(0x7fc00000u); }
  var size = 0.0f;
  if (is_inf(y)) {
    if (a == 1.0f) { return float_of(0x7fc00000u); }
    if ((a > 1.0f) == (y > 0.0f)) { size = float_of(0x7f800000u); }
  } else if (!is_ordinary(a)) {
    if (is_inf(a) == (y > 0.0f)) { size = float_of(0x7f800000u); }
  } else {
    size = pow_positive(a, y);
  }
  return select(size, -size, odd && is_negative(x));
}`,
    uses: ['is_nan', 'is_inf', 'is_negative', 'is_ordinary', 'float_of', 'f_whole', 'pow_positive'],
  },
  // Exact, with the sign of the dividend: long division of the mantissas, eight bits a step.
  f_rem: {
    text: `fn f_rem(a: f32, b: f32) -> f32 {
  let ua = bitcast<u32>(a) & 0x7fffffffu;
  let ub = bitcast<u32>(b) & 0x7fffffffu;
  if (ub == 0u || ua >= 0x7f800000u || ub > 0x7f800000u) { return float_of(0x7fc00000u); }
  if (ua < ub) { return a; }
  let eb = max(ub >> 23u, 1u);
  let mb = (ub & 0x7fffffu) | select(0u, 0x800000u, ub >= 0x800000u);
  var d = max(ua >> 23u, 1u) - eb;
  var r = ((ua & 0x7fffffu) | select(0u, 0x800000u, ua >= 0x800000u)) % mb;
  while (d > 0u && r != 0u) {
    let s = min(d, 8u);
    r = (r << s) % mb;
    d -= s;
  }
  let sign = bitcast<u32>(a) & 0x80000000u;
  if (r == 0u) { return float_of(sign); }
  let word = bitcast<u32>(f32(r));
  if ((word >> 23u) + eb > 150u) { return float_of(sign | (word + (eb << 23u) - (150u << 23u))); }
  return float_of(sign | (r << (eb - 1u)));
}`,
    uses: ['float_of'],
  },
}
