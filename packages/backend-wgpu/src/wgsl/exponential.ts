import { horner, type Snippets } from './snippet.ts'

/** exp(r) = 1 + r + r^2 P(r) on |r| <= ln(2)/2: Cephes expf (Moshier). */
const expTail = [1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1]

/** ln(1 + t) = t - t^2/2 + t^3 P(t) on [sqrt(1/2) - 1, sqrt(2) - 1]: Cephes logf (Moshier). */
const logTail = [
  7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
  2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
]

/** The largest float32 whose exponential is finite. */
const expLimit = '88.72283172607422f'

/*
 * ln 2 is 0.693359375 - 2.12194440e-4 (Cody and Waite): the first part has zeros enough for an exact product with any
 * exponent, so no fused multiply-add is needed.
 */
export const exponentialSnippets: Snippets = {
  power_of_two: { text: 'fn power_of_two(n: i32) -> f32 { return bitcast<f32>(u32(n + 127) << 23u); }' },
  // In two steps, so that results may be subnormal or overflow properly.
  scaled: {
    text: 'fn scaled(p: f32, n: i32) -> f32 { let h = n >> 1u; return p * power_of_two(h) * power_of_two(n - h); }',
    uses: ['power_of_two'],
  },
  exp_tail: { text: `fn exp_tail(r: f32) -> f32 { return r + r * r * ${horner('r', expTail)}; }` },
  m_exp: {
    text: `fn m_exp(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  if (x > ${expLimit}) { return float_of(0x7f800000u); }
  if (x < -104.0f) { return 0.0f; }
  let n = round(x * 1.4426950408889634f);
  let r = (x - n * 0.693359375f) + n * 2.12194440054690583e-4f;
  return scaled(1.0f + exp_tail(r), i32(n));
}`,
    uses: ['is_nan', 'float_of', 'scaled', 'exp_tail'],
  },
  m_exp2: {
    text: `fn m_exp2(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  if (x >= 128.0f) { return float_of(0x7f800000u); }
  if (x < -150.0f) { return 0.0f; }
  let n = round(x);
  return scaled(1.0f + exp_tail((x - n) * 0.6931471805599453f), i32(n));
}`,
    uses: ['is_nan', 'float_of', 'scaled', 'exp_tail'],
  },
  // 2^n expm1(r) + (2^n - 1) keeps small results exact; halved inside, so that n = 128 does not overflow early.
  m_expm1: {
    text: `fn m_expm1(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  if (x > ${expLimit}) { return float_of(0x7f800000u); }
  if (x < -18.0f) { return -1.0f; }
  let n = round(x * 1.4426950408889634f);
  let r = (x - n * 0.693359375f) + n * 2.12194440054690583e-4f;
  let q = exp_tail(r);
  if (n == 0.0f) { return q; }
  let half = power_of_two(i32(n) - 1);
  let y = q * half + (half - 0.5f);
  return y + y;
}`,
    uses: ['is_nan', 'float_of', 'power_of_two', 'exp_tail'],
  },
  // From exp(-|x|), so that nothing overflows.
  m_sigmoid: {
    text: `fn m_sigmoid(x: f32) -> f32 {
  let e = m_exp(-abs(x));
  return select(1.0f, e, x < 0.0f) / (1.0f + e);
}`,
    uses: ['m_exp'],
  },
  log_tail: {
    text: `fn log_tail(t: f32) -> f32 { let z = t * t; return z * t * ${horner('t', logTail)}; }`,
  },
  // log of what is not a positive finite number.
  log_special: {
    text: `fn log_special(x: f32) -> f32 {
  let word = bitcast<u32>(x);
  if ((word & 0x7fffffffu) == 0u) { return float_of(0xff800000u); }
  return select(float_of(0x7fc00000u), x, word == 0x7f800000u);
}`,
    uses: ['float_of'],
  },
  // x = 2^e (1 + t), 1 + t in [sqrt(1/2), sqrt(2)), as (e, t), for positive finite x; subnormals by their integer.
  log_split: {
    text: `fn log_split(x: f32) -> vec2f {
  let word = bitcast<u32>(x);
  let tiny = word < 0x00800000u;
  let u = select(word, bitcast<u32>(f32(word)), tiny) - 0x3f3504f3u;
  let e = f32(bitcast<i32>(u) >> 23u) - select(0.0f, 149.0f, tiny);
  return vec2f(e, bitcast<f32>((u & 0x007fffffu) + 0x3f3504f3u) - 1.0f);
}`,
  },
  is_ordinary: {
    text: 'fn is_ordinary(x: f32) -> bool { return bitcast<u32>(x) - 1u < 0x7f7fffffu; }',
  },
  m_log: {
    text: `fn m_log(x: f32) -> f32 {
  if (!is_ordinary(x)) { return log_special(x); }
  let s = log_split(x);
  let y = log_tail(s.y) - s.x * 2.12194440054690583e-4f - 0.5f * s.y * s.y;
  return (s.y + y) + s.x * 0.693359375f;
}`,
    uses: ['is_ordinary', 'log_special', 'log_split', 'log_tail'],
  },
  // (t + y) log2(e), small terms first, as in Cephes log2f.
  m_log2: {
    text: `fn m_log2(x: f32) -> f32 {
  if (!is_ordinary(x)) { return log_special(x); }
  let s = log_split(x);
  let y = log_tail(s.y) - 0.5f * s.y * s.y;
  var sum = y * 0.44269504088896340735992f;
  sum += s.y * 0.44269504088896340735992f;
  return ((sum + y) + s.y) + s.x;
}`,
    uses: ['is_ordinary', 'log_special', 'log_split', 'log_tail'],
  },
  // Away from 0: log(h) + log1p(q) with h the head of 1 + x and q = (1 + x - h) / h below 2^-11.
  m_log1p: {
    text: `fn m_log1p(x: f32) -> f32 {
  if (x > -0.29f && x < 0.41f) { return x + (log_tail(x) - 0.5f * x * x); }
  let h = head_of(1.0f + x);
  if (!is_ordinary(h)) { return m_log(1.0f + x); }
  let q = select((1.0f - h) + x, (x - h) + 1.0f, x > 1.0f) / h;
  return m_log(h) + (q - 0.5f * q * q);
}`,
    uses: ['is_ordinary', 'head_of', 'm_log', 'log_tail'],
  },
}
