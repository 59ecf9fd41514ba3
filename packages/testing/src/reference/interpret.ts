import { hostArray, type NodeOf, sizeOf, stridesOf, type Table } from '@tessella/ir'
import { conv, convGradInput, convGradWeight, maxPool, maxPoolGrad, maxPoolPick } from './convolution.ts'
import { at, binary, type Compute, select, unary } from './elementwise.ts'
import { argReduce, argsort, cumulative, matmul, reduce } from './folds.ts'
import { addresses } from './layout.ts'
import { threefry2x32 } from './random.ts'
import { castArray, encoder } from './storage.ts'
import { concat, expand, flip, gather, pad, permute, same, scatterAdd, slice } from './views.ts'

function constant({ attrs, dtype }: NodeOf<'constant'>): Compute {
  const value = encoder(dtype)(attrs.value)
  return () => hostArray(dtype, 1).fill(value)
}

function iota({ attrs, shape, dtype }: NodeOf<'iota'>): Compute {
  const strides = stridesOf(shape).map((_, i) => (i === attrs.axis ? 1 : 0))
  return () => castArray(addresses(shape, strides) as Int32Array<ArrayBuffer>, 'int32', dtype)
}

function cast({ src: [x], dtype }: NodeOf<'cast'>): Compute {
  const from = x.dtype
  return (sources) => castArray(at(sources, 0), from, dtype)
}

function randomBits({ shape }: NodeOf<'randomBits'>): Compute {
  const length = sizeOf(shape)
  return (sources) => {
    const key = at(sources, 0)
    const out = new Uint32Array(length)
    for (let i = 0; i < length; i++) out[i] = threefry2x32(key[0] as number, key[1] as number, i, 0)[0]
    return out
  }
}

/** What each operation computes; `parameter` is bound before, and its row never runs. */
export const rows: Table<undefined, Compute> = {
  constant,
  parameter: () => same,
  iota,
  unary,
  binary,
  select,
  cast,
  reduce,
  argReduce,
  cumulative,
  matmul,
  conv,
  convGradInput,
  convGradWeight,
  maxPool,
  maxPoolGrad,
  maxPoolPick,
  gather,
  scatterAdd,
  argsort,
  reshape: () => same,
  permute,
  expand,
  slice,
  flip,
  pad,
  concat,
  randomBits,
  alias: () => same,
  stopGradient: () => same,
  after: () => same,
  custom: () => same,
}
