/** The value of IEEE binary16 bits. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

/** The nearest IEEE binary16, ties to even; overflow gives infinity. */
export function numberToHalf(value: number): number {
  if (Number.isNaN(value)) return 0x7e00
  const sign = Object.is(value, -0) || value < 0 ? 0x8000 : 0
  const magnitude = Math.abs(value)
  // 65520 is halfway between the largest half and the next power of two: it rounds up.
  if (magnitude >= 65520) return sign | 0x7c00
  if (magnitude < 2 ** -14) return sign | roundToEven(magnitude * 2 ** 24)
  let exponent = Math.floor(Math.log2(magnitude))
  // log2 rounds: next to a power of two it may name the neighbour.
  if (magnitude < 2 ** exponent) exponent--
  else if (magnitude >= 2 ** (exponent + 1)) exponent++
  const fraction = roundToEven((magnitude / 2 ** exponent - 1) * 1024)
  // A fraction that rounds up to 1024 carries into the exponent, as it should.
  return sign | (((exponent + 15) << 10) + fraction)
}

/** The nearest integer, ties to even. */
export function roundToEven(x: number): number {
  const down = Math.floor(x)
  const rest = x - down
  if (rest < 0.5) return down
  // The sum of -1 and 1 must keep the sign of x: round(-0.6) is -1, round(-0.5) is -0.
  const up = rest > 0.5 || down % 2 !== 0 ? down + 1 : down
  return up === 0 && x < 0 ? -0 : up
}
