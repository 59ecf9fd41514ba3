import { horner, type Snippets } from './snippet.ts'

/** tanh(x) = x + x z P(z), z = x^2, on |x| <= 0.625: Cephes tanhf (Moshier). */
const tanhTail = [-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1]

/** erf by N. Juffa's minimax polynomials: x + x P(x^2) below 0.9277, 1 - exp(t P(t) - t) above. */
const erfNear = [-5.96761703e-4, 4.99119423e-3, -2.67681349e-2, 1.12819925e-1, -3.76125336e-1, 1.28379166e-1]
const erfFar = [
  -1.7285347e-5, 3.83197126e-4, -3.88396438e-3, 2.42546219e-2, -1.06777877e-1, -6.34846687e-1, -1.28717512e-1,
]

/** atan(t) = t + t z P(z), z = t^2, on [0, 1]: least maximum relative error (2^-25.8) by weighted least squares. */
const atanTail = [
  0.00292064599, -0.0163677447, 0.0432115644, -0.0755218938, 0.106659934, -0.142110527, 0.199937731, -0.333331525,
]

export const boundedSnippets: Snippets = {
  m_tanh: {
    text: `fn m_tanh(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  let a = abs(x);
  if (a < 0.625f) { let z = x * x; return x + x * (z * ${horner('z', tanhTail)}); }
  let y = 1.0f - 2.0f / (m_exp(2.0f * min(a, 20.0f)) + 1.0f);
  return select(y, -y, x < 0.0f);
}`,
    uses: ['is_nan', 'm_exp'],
  },
  m_erf: {
    text: `fn m_erf(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  let a = abs(x);
  if (a < 1e-18f) { return x * 1.1283791670955126f; }
  if (a <= 0.927734375f) { let z = x * x; return x + x * ${horner('z', erfNear)}; }
  let t = min(a, 10.0f);
  let y = 1.0f - m_exp(t * ${horner('t', erfFar)} - t);
  return select(y, -y, x < 0.0f);
}`,
    uses: ['is_nan', 'm_exp'],
  },
  atan_unit: { text: `fn atan_unit(t: f32) -> f32 { let z = t * t; return t + t * (z * ${horner('z', atanTail)}); }` },
  m_atan: {
    text: `fn m_atan(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  let a = abs(x);
  let steep = a > 1.0f;
  let ratio = select(a, select(1.0f / a, 0.0f, is_inf(a)), steep);
  let y = atan_unit(ratio);
  let angle = select(y, 1.5707963267948966f - y, steep);
  return select(angle, -angle, is_negative(x));
}`,
    uses: ['is_nan', 'is_inf', 'is_negative', 'atan_unit'],
  },
  // The angle of (x, y) with IEEE signs and quadrants: equal operands are 45 degrees even when infinite. Sizes are compared
  // by bits, and divided as integers where both are subnormal.
  m_atan2: {
    text: `fn m_atan2(y: f32, x: f32) -> f32 {
  if (is_nan(x) || is_nan(y)) { return float_of(0x7fc00000u); }
  let ay = bitcast<u32>(y) & 0x7fffffffu;
  let ax = bitcast<u32>(x) & 0x7fffffffu;
  let steep = ay > ax;
  let low = min(ay, ax);
  let high = max(ay, ax);
  var ratio = 0.0f;
  if (low == high) { ratio = select(1.0f, 0.0f, high == 0u); }
  else if (high < 0x00800000u) { ratio = f32(low) / f32(high); }
  else if (high < 0x7f800000u) { ratio = bitcast<f32>(low) / bitcast<f32>(high); }
  let base = atan_unit(ratio);
  let first = select(base, 1.5707963267948966f - base, steep);
  let half = select(first, 3.141592653589793f - first, is_negative(x));
  return select(half, -half, is_negative(y));
}`,
    uses: ['is_nan', 'is_negative', 'float_of', 'atan_unit'],
  },
}
