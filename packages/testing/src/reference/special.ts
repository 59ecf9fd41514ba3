const TWO_OVER_ROOT_PI = 2 / Math.sqrt(Math.PI)

/** erf by its all-positive Maclaurin form: 2/sqrt(pi) x e^(-x^2) sum (2x^2)^n / (2n+1)!! (Abramowitz and Stegun 7.1.6). */
function erfSeries(x: number): number {
  const square = x * x
  let term = 1
  let sum = 1
  for (let n = 1; term > sum * 1e-17; n++) {
    term *= (2 * square) / (2 * n + 1)
    sum += term
  }
  return TWO_OVER_ROOT_PI * x * Math.exp(-square) * sum
}

/** erfc for x >= 2 by its continued fraction, evaluated from the tail (Abramowitz and Stegun 7.1.14). */
function erfcFraction(x: number): number {
  let tail = x
  for (let n = 80; n >= 1; n--) tail = x + n / 2 / tail
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * tail)
}

/** The error function. */
export function erf(x: number): number {
  if (Number.isNaN(x)) return x
  const a = Math.abs(x)
  const y = a < 2 ? erfSeries(a) : a > 6 ? 1 : 1 - erfcFraction(a)
  return x < 0 || Object.is(x, -0) ? -y : y
}

/** 1 - erf(x) for x >= 0, without cancellation in the tail. */
const erfc = (x: number): number => (x < 2 ? 1 - erfSeries(x) : erfcFraction(x))

/** The inverse error function: Winitzki's estimate, then Newton's steps on erf (erfc near the ends). */
export function erfinv(x: number): number {
  const a = Math.abs(x)
  if (!(a <= 1)) return Number.NaN
  if (a === 1) return x * Number.POSITIVE_INFINITY
  if (a === 0) return x
  const log = Math.log1p(-a * a)
  const half = 2 / (Math.PI * 0.147) + log / 2
  let y = Math.sqrt(Math.sqrt(half * half - log / 0.147) - half)
  for (let i = 0; i < 6; i++) {
    const residual = a < 0.5 ? erf(y) - a : 1 - a - erfc(y)
    const step = residual / (TWO_OVER_ROOT_PI * Math.exp(-y * y))
    // Halley's correction: the second derivative of erf is -2y times the first.
    y -= step / (1 + y * step)
  }
  return x < 0 ? -y : y
}

/** 1 / (1 + e^-x) without overflow on either side. */
export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x))
  const e = Math.exp(x)
  return e / (1 + e)
}
