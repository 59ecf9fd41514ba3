export type { Backend, DeviceBuffer, Executable, MemoryReport } from './backend.ts'
export * as build from './build.ts'
export {
  constantLike,
  decomposeBinary,
  decomposeUnary,
  isDecomposableBinary,
  isDecomposableUnary,
} from './decompose.ts'
export {
  byteWidth,
  type DType,
  dtypes,
  type HostArray,
  type HostArrays,
  hostArray,
  isFloat,
  isInteger,
  isStorageOnly,
  promote,
} from './dtype.ts'
export { BackendError, type BackendErrorCode, internalError, OpError, type OpErrorDetails } from './errors.ts'
export { type Inferred, inferNode } from './infer.ts'
export { type Canonical, canonical } from './key.ts'
export { idMark, make, parameter, parameterLike, settle, twin } from './make.ts'
export {
  type Attrs,
  type ConvAttrs,
  type CustomVjp,
  type Graph,
  irVersion,
  type Node,
  type NodeOf,
  type OpName,
  type Ops,
  type PoolAttrs,
  type Sources,
  type WindowAttrs,
} from './ops.ts'
export { checkOptions } from './options.ts'
export { printGraph } from './print.ts'
export {
  type BinaryFn,
  binaryFacts,
  binaryFns,
  type CoreBinaryFn,
  type CoreUnaryFn,
  type DecomposableBinaryFn,
  type DecomposableUnaryFn,
  type FnFacts,
  type ReduceFn,
  type UnaryFn,
  unaryFacts,
  unaryFns,
} from './scalar.ts'
export {
  broadcastShapes,
  type Dims,
  normalizeAxes,
  normalizeAxis,
  sameShape,
  showShape,
  sizeOf,
  stridesOf,
  windowSize,
} from './shape.ts'
export { dispatch, type Table } from './table.ts'
export { countUses, rewrite, substitute, topological, withSources } from './walk.ts'
export { checkWhole } from './whole.ts'
