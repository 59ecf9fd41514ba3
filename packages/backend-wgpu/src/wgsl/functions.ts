import { type BinaryFn, type DType, internalError, isFloat, type UnaryFn } from '@tessella/ir'

/** How a function is written: what it calls of the prelude, and its text over operands that are names or literals. */
export interface FunctionText {
  readonly uses: readonly string[]
  readonly text: (...operands: readonly string[]) => string
}

const infix = (op: string): FunctionText => ({ uses: [], text: (a, b) => `(${a} ${op} ${b})` })
const call = (name: string, ...uses: string[]): FunctionText => ({
  uses,
  text: (...operands) => `${name}(${operands.join(', ')})`,
})
const own = (name: string): FunctionText => call(name, name)
const written = (text: (...operands: readonly string[]) => string, ...uses: string[]): FunctionText => ({ uses, text })

type UnaryTable = { readonly [F in UnaryFn]?: FunctionText }
type BinaryTable = { readonly [F in BinaryFn]?: FunctionText }

/** On f32; what is missing here is decomposed by the compiler. */
const floatUnary = {
  neg: written((x) => `(-${x})`),
  abs: call('abs'),
  sign: own('f_sign'),
  floor: own('f_floor'),
  ceil: own('f_ceil'),
  round: own('f_round'),
  trunc: own('f_trunc'),
  sqrt: own('f_sqrt'),
  exp: own('m_exp'),
  expm1: own('m_expm1'),
  log: own('m_log'),
  log1p: own('m_log1p'),
  sin: own('m_sin'),
  cos: own('m_cos'),
  atan: own('m_atan'),
  tanh: own('m_tanh'),
  erf: own('m_erf'),
  isNan: own('is_nan'),
  reciprocal: written((x) => `(1.0f / ${x})`),
  rsqrt: written((x) => `(1.0f / f_sqrt(${x}))`, 'f_sqrt'),
  exp2: own('m_exp2'),
  log2: own('m_log2'),
  tan: own('m_tan'),
  sigmoid: own('m_sigmoid'),
  isInf: own('is_inf'),
  isFinite: own('is_finite'),
} satisfies UnaryTable

const floatBinary = {
  add: infix('+'),
  sub: infix('-'),
  mul: infix('*'),
  div: infix('/'),
  pow: own('m_pow'),
  max: own('f_max'),
  min: own('f_min'),
  rem: own('f_rem'),
  eq: infix('=='),
  // `!=` of NaN and itself is false on drivers that we know.
  ne: written((a, b) => `!(${a} == ${b})`),
  lt: infix('<'),
  le: infix('<='),
  gt: infix('>'),
  ge: infix('>='),
  atan2: own('m_atan2'),
} satisfies BinaryTable

const intUnary: UnaryTable = {
  neg: written((x) => `(-${x})`),
  abs: call('abs'),
  sign: call('sign'),
  not: written((x) => `(~${x})`),
}
const uintUnary: UnaryTable = {
  neg: written((x) => `(0u - ${x})`),
  abs: written((x) => x),
  sign: written((x) => `min(${x}, 1u)`),
  not: written((x) => `(~${x})`),
}

const integerBinary: BinaryTable = {
  add: infix('+'),
  sub: infix('-'),
  mul: infix('*'),
  max: call('max'),
  min: call('min'),
  eq: infix('=='),
  ne: infix('!='),
  lt: infix('<'),
  le: infix('<='),
  gt: infix('>'),
  ge: infix('>='),
  and: infix('&'),
  or: infix('|'),
  xor: infix('^'),
  shl: written((a, b) => `(${a} << (u32(${b}) & 31u))`),
  shr: written((a, b) => `(${a} >> (u32(${b}) & 31u))`),
}
const intBinary: BinaryTable = { ...integerBinary, div: own('i_div'), rem: own('i_rem') }
const uintBinary: BinaryTable = { ...integerBinary, div: own('u_div'), rem: own('u_rem') }

const boolUnary: UnaryTable = { not: written((x) => `(!${x})`) }
const boolBinary: BinaryTable = {
  max: infix('|'),
  min: infix('&'),
  eq: infix('=='),
  ne: infix('!='),
  lt: written((a, b) => `(!${a} & ${b})`),
  le: written((a, b) => `(!${a} | ${b})`),
  gt: written((a, b) => `(${a} & !${b})`),
  ge: written((a, b) => `(${a} | !${b})`),
  and: infix('&'),
  or: infix('|'),
  xor: infix('!='),
}

const tableOf = <T>(dtype: DType, float: T, int: T, uint: T, bool: T): T =>
  isFloat(dtype) ? float : dtype === 'bool' ? bool : dtype === 'int32' ? int : uint

export function unaryText(dtype: DType, fn: UnaryFn): FunctionText {
  const row = tableOf<UnaryTable>(dtype, floatUnary, intUnary, uintUnary, boolUnary)[fn]
  if (row === undefined) throw internalError(`no ${fn} of ${dtype} in the wgpu backend`)
  return row
}

/** `right` is the second operand where it is a constant other than NaN: some functions are shorter then. */
export function binaryText(dtype: DType, fn: BinaryFn, right?: number): FunctionText {
  const short = dtype === 'float32' && right !== undefined ? withConstant(fn, right) : undefined
  const row = short ?? tableOf<BinaryTable>(dtype, floatBinary, intBinary, uintBinary, boolBinary)[fn]
  if (row === undefined) throw internalError(`no ${fn} of ${dtype} in the wgpu backend`)
  return row
}

/** Comparisons with NaN are false, so the selections keep a NaN operand. */
function withConstant(fn: BinaryFn, right: number): FunctionText | undefined {
  if (fn === 'max') return written((a, b) => `select(${a}, ${b}, ${a} < ${b})`)
  if (fn === 'min') return written((a, b) => `select(${a}, ${b}, ${a} > ${b})`)
  return fn === 'pow' ? powers[right] : undefined
}

/** Exponents that are a few multiplications. */
const powers: { readonly [exponent: number]: FunctionText } = {
  1: written((a) => a),
  2: written((a) => `(${a} * ${a})`),
  3: written((a) => `(${a} * ${a} * ${a})`),
  4: written((a) => `((${a} * ${a}) * (${a} * ${a}))`),
  [-1]: written((a) => `(1.0f / ${a})`),
  [-2]: written((a) => `(1.0f / (${a} * ${a}))`),
}

/** What the compiler may leave undecomposed. */
export const nativeUnary: ReadonlySet<UnaryFn> = new Set([...(Object.keys(floatUnary) as UnaryFn[]), 'not'] as const)
export const nativeBinary: ReadonlySet<BinaryFn> = new Set([
  ...(Object.keys(floatBinary) as BinaryFn[]),
  ...(Object.keys(intBinary) as BinaryFn[]),
])
