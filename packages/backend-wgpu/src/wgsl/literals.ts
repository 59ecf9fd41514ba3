import type { DType } from '@tessella/ir'
import { literal } from './snippet.ts'

const view = new DataView(new ArrayBuffer(4))

const floatWord = (value: number): number => {
  view.setFloat32(0, value)
  return view.getUint32(0)
}

const smallestNormal = 2 ** -126

/** A float32 value; infinities, NaN, -0 and subnormals come out of bits. */
function floatText(value: number): string {
  const v = Math.fround(value)
  const plain = Number.isFinite(v) && !Object.is(v, -0) && (v === 0 || Math.abs(v) >= smallestNormal)
  return plain ? literal(v) : `float_of(0x${floatWord(v).toString(16)}u)`
}

/** The nearest IEEE binary16 bits, ties to even. */
function halfWord(value: number): number {
  if (Number.isNaN(value)) return 0x7e00
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const size = Math.abs(value)
  if (size >= 65520) return sign | 0x7c00
  // Units of the last place: 2^-24 for subnormals, else by the exponent. Adding and subtracting 2^52 units rounds to even.
  const exponent = size < 2 ** -14 ? -14 : Math.floor(Math.log2(size))
  const unit = 2 ** (exponent - 10)
  const units = size / unit + 2 ** 52 - 2 ** 52
  return sign | (units + ((exponent + 14) << 10))
}

const int32Text = (v: number): string => (v === -(2 ** 31) ? 'i32(-2147483647 - 1)' : `${v}i`)

const texts: { readonly [D in Exclude<DType, 'float64'>]: (value: number) => string } = {
  float32: floatText,
  float16: (v) => `${halfWord(v)}u`,
  int32: (v) => int32Text(v | 0),
  uint32: (v) => `${v >>> 0}u`,
  uint8: (v) => `${v & 255}u`,
  bool: (v) => (v === 0 ? 'false' : 'true'),
}

/** A constant of a dtype as WGSL; uses `float_of` of the prelude. */
export const literalText = (dtype: Exclude<DType, 'float64'>, value: number): string => texts[dtype](value)
