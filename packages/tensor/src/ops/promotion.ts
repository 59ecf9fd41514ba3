import { broadcastShapes, build, type DType, isFloat, type Node, OpError, promote } from '@tessella/ir'

/** An operand as the node-level functions take it: a number adopts the dtype of its partner. */
export type NodeOperand = Node | number

/** Storage dtypes widen to the dtype they compute in: uint8 to int32, float16 to float32. */
export const computeDType = (dtype: DType): DType =>
  dtype === 'uint8' ? 'int32' : dtype === 'float16' ? 'float32' : dtype

/** The dtype of sums and products: as {@link computeDType}, and bool counts in int32. */
export const arithDType = (dtype: DType): DType => (dtype === 'bool' ? 'int32' : computeDType(dtype))

/** The dtype of functions that leave the integers: float64 stays, everything else computes in float32. */
export const floatDType = (dtype: DType): DType => (dtype === 'float64' ? 'float64' : 'float32')

export const asCompute = (x: Node): Node => build.cast(x, computeDType(x.dtype))
export const asArith = (x: Node): Node => build.cast(x, arithDType(x.dtype))
export const asFloat = (x: Node): Node => build.cast(x, floatDType(x.dtype))

/** Index tensors become int32; floats and bool are refused. */
export function asIndex(op: string, x: Node): Node {
  if (x.dtype === 'bool' || isFloat(x.dtype))
    throw new OpError(op, `an index must hold integers, got ${x.dtype}`, {
      dtypes: [x.dtype],
      hint: "Cast it: index.cast('int32').",
    })
  return build.cast(x, 'int32')
}

/** Conditions become bool: what is not zero is true. */
export const asBool = (x: Node): Node => build.cast(x, 'bool')

const range: { readonly int32: readonly [number, number]; readonly uint32: readonly [number, number] } = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
}

/** The dtype of a tensor and a number together: fractions turn integers into float32, as in PyTorch. */
function withNumber(op: string, dtype: DType, value: number): DType {
  if (isFloat(dtype)) return dtype
  if (!Number.isInteger(value)) return 'float32'
  const target = dtype === 'uint32' ? 'uint32' : 'int32'
  const [lo, hi] = range[target]
  if (value < lo || value > hi)
    throw new OpError(op, `the number ${value} does not fit ${target}`, {
      dtypes: [dtype],
      hint: `Cast the tensor first: x.cast('${value < 0 && value >= -(2 ** 31) ? 'int32' : 'float32'}').`,
    })
  return target
}

/** The common dtype of operands; numbers alone are float32. */
export function commonDType(op: string, operands: readonly NodeOperand[]): DType {
  let dtype: DType | undefined
  for (const x of operands) if (typeof x !== 'number') dtype = dtype === undefined ? x.dtype : promote(dtype, x.dtype)
  if (dtype === undefined) return 'float32'
  for (const x of operands) if (typeof x === 'number') dtype = promote(dtype, withNumber(op, dtype, x))
  return dtype
}

export const toNode = (x: NodeOperand, dtype: DType): Node =>
  typeof x === 'number' ? build.constant(x, dtype) : build.cast(x, dtype)

/** Both operands in the dtype that `rule` gives for their common one, grown to their common shape. */
export function pair(op: string, a: NodeOperand, b: NodeOperand, rule: (dtype: DType) => DType): readonly [Node, Node] {
  const dtype = rule(commonDType(op, [a, b]))
  const x = toNode(a, dtype)
  const y = toNode(b, dtype)
  const shape = broadcastShapes(op, x.shape, y.shape)
  return [build.broadcastTo(x, shape), build.broadcastTo(y, shape)]
}
