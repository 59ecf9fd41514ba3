import type { BinaryFn, ConvAttrs, Dims, DType, PoolAttrs, ReduceFn, UnaryFn } from '@tessella/ir'

/*
 * The compiled form of a graph: plain, printable data that a backend turns into code.
 * A kernel loops over a `domain`; addresses are affine in the loop indices, in elements.
 */

/** offset + sum(index[i] * strides[i]), one stride per dimension of the kernel's domain. */
export interface Affine {
  readonly offset: number
  readonly strides: Dims
}

/**
 * A scalar computed at one point of the domain. A DAG by object identity: a shared object is computed once.
 * Operands agree in dtype; bool values are 0 or 1 by meaning, any mask inside a backend.
 */
export type Expr =
  | { readonly kind: 'constant'; readonly dtype: DType; readonly value: number }
  | { readonly kind: 'load'; readonly dtype: DType; readonly buffer: number; readonly at: Affine }
  /** The value of an affine form of the indices (iota and what follows from it). */
  | { readonly kind: 'index'; readonly dtype: DType; readonly at: Affine }
  | { readonly kind: 'unary'; readonly dtype: DType; readonly fn: UnaryFn; readonly x: Expr }
  | { readonly kind: 'binary'; readonly dtype: DType; readonly fn: BinaryFn; readonly a: Expr; readonly b: Expr }
  | { readonly kind: 'select'; readonly dtype: DType; readonly condition: Expr; readonly a: Expr; readonly b: Expr }
  | { readonly kind: 'cast'; readonly dtype: DType; readonly x: Expr }
  /** buffer[at + index * stride], or NaN (0 for non-floats) when index is outside [0, size). */
  | {
      readonly kind: 'gather'
      readonly dtype: DType
      readonly buffer: number
      readonly at: Affine
      readonly index: Expr
      readonly stride: number
      readonly size: number
    }
  /** Word 0 of Threefry-2x32 with the two words of buffer `key` and the counter (at, 0). dtype uint32. */
  | {
      readonly kind: 'random'
      readonly dtype: DType
      readonly key: number
      readonly keyOffset: number
      readonly at: Affine
    }
  /** In an epilogue: the kernel's result number `index` at this point. */
  | { readonly kind: 'result'; readonly dtype: DType; readonly index: number }

/** One store of a kernel: `value` at every point of the domain goes to buffer[at]. Distinct points have distinct addresses. */
export interface Write {
  readonly buffer: number
  readonly at: Affine
  readonly value: Expr
}

/** A reduction of a reduce kernel; arg reductions give int32 positions in the row-major inner domain. */
export interface Accumulator {
  readonly fn: ReduceFn | 'argmax' | 'argmin'
  /** Over domain + inner: the affine forms have domain.length + inner.length strides. */
  readonly value: Expr
}

/** One walk over the inner domain of a `rows` kernel. Its stores see the results of earlier passes, and what those stored. */
export interface Pass {
  readonly accumulators: readonly Accumulator[]
  /** Over domain + inner. */
  readonly writes: readonly Write[]
}

/** A strided matrix operand inside a buffer; batch strides have one entry per batch dimension. */
export interface MatrixOperand {
  readonly buffer: number
  readonly offset: number
  readonly batchStrides: Dims
  readonly rowStride: number
  readonly colStride: number
}

/** A gradient that comes from a pool and is zero but for one element of each window: the operand itself is not read. */
export interface PooledGradient {
  /** The buffers of the gradient of the pool's result, and of the places that the pool kept. */
  readonly values: number
  readonly places: number
  /** The weights as the input's gradient reads them, in place of the operand. */
  readonly weights?: number
}

/** A whole contiguous value. */
export interface WholeOperand {
  readonly buffer: number
  readonly shape: Dims
}

/**
 * One launch. At each point all loads happen before all stores: a written buffer may be the memory of a loaded one
 * (an in-place temporary, an output that reuses its input), and then every such load has the address of the store.
 * Parts of an expression whose strides are 0 along a dimension do not change along it and may be hoisted.
 * Domains of map and reduce kernels have no sizes of 1 and as few dimensions as their addresses allow; [] is one point.
 * `writes` see the results as `result` expressions: reduce kernels number their accumulators,
 * routines have the single result 0, map kernels have none.
 */
export type Kernel =
  | { readonly kind: 'map'; readonly domain: Dims; readonly writes: readonly Write[] }
  | {
      readonly kind: 'reduce'
      readonly domain: Dims
      readonly inner: Dims
      readonly accumulators: readonly Accumulator[]
      readonly writes: readonly Write[]
    }
  /**
   * A reduction in several passes over each point of the domain, a row (softmax, normalisation, their gradients): the passes
   * run in order over the inner domain, then `writes` once per row. `result` numbers run through all passes; a pass sees
   * those of earlier ones, and loads what they stored at the same address. Made only for targets with `rows`.
   */
  | {
      readonly kind: 'rows'
      readonly domain: Dims
      readonly inner: Dims
      readonly passes: readonly Pass[]
      readonly writes: readonly Write[]
    }
  /** domain = [...batch, M, N]; result = sum over K of a[m, k] * b[k, n]. */
  | {
      readonly kind: 'matmul'
      readonly domain: Dims
      readonly k: number
      readonly dtype: DType
      readonly a: MatrixOperand
      readonly b: MatrixOperand
      readonly writes: readonly Write[]
    }
  /** domain = the result's shape; operands as in the language's conv, convGradInput and convGradWeight. */
  | {
      readonly kind: 'conv' | 'convGradInput' | 'convGradWeight'
      readonly domain: Dims
      readonly dtype: DType
      readonly attrs: ConvAttrs
      readonly a: WholeOperand
      readonly b: WholeOperand
      /** What stands for the gradient of the convolution's result, where a backend knows more of it; the compiler sets none. */
      readonly pooled?: PooledGradient
      readonly writes: readonly Write[]
    }
  | {
      readonly kind: 'maxPool'
      readonly domain: Dims
      readonly dtype: DType
      readonly attrs: PoolAttrs
      readonly x: WholeOperand
      /** A buffer for the place of each maximum in its window, where a backend keeps them; the compiler sets none. */
      readonly places?: number
      readonly writes: readonly Write[]
    }
  | {
      readonly kind: 'maxPoolGrad' | 'maxPoolPick'
      readonly domain: Dims
      readonly dtype: DType
      readonly attrs: PoolAttrs
      readonly x: WholeOperand
      readonly other: WholeOperand
      /** The places that the pool kept: `x` is not read. */
      readonly places?: number
      readonly writes: readonly Write[]
    }
  /** Arrays seen as [outer, length, inner] around an axis; the results go to `out`, whole and contiguous. */
  | {
      readonly kind: 'cumulative'
      readonly fn: ReduceFn
      readonly reverse: boolean
      readonly dtype: DType
      readonly outer: number
      readonly length: number
      readonly inner: number
      readonly x: number
      readonly out: number
    }
  | {
      readonly kind: 'argsort'
      readonly descending: boolean
      readonly dtype: DType
      readonly outer: number
      readonly length: number
      readonly inner: number
      readonly x: number
      readonly out: number
    }
  /** out [outer, size, inner] = 0, then += values [outer, length, inner] at index (int32, same shape), in order. */
  | {
      readonly kind: 'scatterAdd'
      readonly dtype: DType
      readonly outer: number
      readonly length: number
      readonly inner: number
      readonly size: number
      readonly index: number
      readonly values: number
      readonly out: number
    }

/** Where a value lives. `reuses`: an output may be written into this input's buffer when that input is donated. */
export type Place =
  | { readonly kind: 'input'; readonly index: number }
  | { readonly kind: 'output'; readonly index: number; readonly reuses: number | undefined }
  | { readonly kind: 'temporary'; readonly offset: number }

/** One value in memory: contiguous, row-major. Temporaries are byte ranges of one arena. */
export interface BufferPlan {
  readonly dtype: DType
  readonly length: number
  readonly place: Place
}

export interface Program {
  /** Indexed by the buffer numbers that kernels use. */
  readonly buffers: readonly BufferPlan[]
  readonly kernels: readonly Kernel[]
  /** Buffer numbers in the graph's order. */
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
  /** Size of the arena of temporaries. */
  readonly temporaryBytes: number
}

/** What a backend can do; the compiler keeps within it. */
export interface Target {
  readonly name: string
  readonly dtypes: ReadonlySet<DType>
  /** Functions the backend has itself; decomposable ones it lacks are written in core functions. */
  readonly unary: ReadonlySet<UnaryFn>
  readonly binary: ReadonlySet<BinaryFn>
  /** Alignment of temporaries in bytes. */
  readonly alignment: number
  /** Most distinct buffers in one kernel. */
  readonly maxBuffers: number
  /** Present when the backend has `rows` kernels; without it reductions that follow each other stay apart. */
  readonly rows?: RowsTarget
}

/** What rows a backend can walk several times. */
export interface RowsTarget {
  /** Most elements of a row. */
  readonly elements: number
  /** Whether dear values wait in memory for a later pass (a row stays in the cache) or are computed again. */
  readonly keep: boolean
}
