import {
  type ConvAttrs,
  type DType,
  make,
  type Node,
  OpError,
  type OpName,
  type PoolAttrs,
  parameter,
  unaryFacts,
  unaryFns,
} from '@tessella/ir'
import { describe, expect, it } from 'vitest'

const f = (...shape: number[]): Node => parameter(shape, 'float32')
const of = (dtype: DType, ...shape: number[]): Node => parameter(shape, dtype)
const window = {
  stride: [1, 1],
  padding: [
    [0, 0],
    [0, 0],
  ],
  dilation: [1, 1],
} as const
const conv: ConvAttrs = { ...window, groups: 1 }
const pool: PoolAttrs = { ...window, kernel: [2, 2] }

type Bad = readonly [what: string, act: () => Node, message: string]

/** What each operation refuses, with the whole message: people read these. 'any' operations take whatever comes. */
const bad: { readonly [K in OpName]: readonly Bad[] | 'any' } = {
  constant: 'any',
  parameter: [
    [
      'a negative size',
      () => parameter([2, -1], 'float32'),
      '[parameter] sizes must be whole numbers of at least 0, got [2, -1].',
    ],
    [
      'a broken size',
      () => parameter([1.5], 'float32'),
      '[parameter] sizes must be whole numbers of at least 0, got [1.5].',
    ],
  ],
  iota: [
    [
      'an axis outside',
      () => make('iota', [], { shape: [3], axis: 1, dtype: 'int32' }),
      '[iota] axis 1 is not in the shape (shapes [3]).',
    ],
    [
      'a negative size',
      () => make('iota', [], { shape: [-3], axis: 0, dtype: 'int32' }),
      '[iota] sizes must be whole numbers of at least 0, got [-3].',
    ],
  ],
  unary: [
    [
      'exp of integers',
      () => make('unary', [of('int32', 2)], { fn: 'exp' }),
      "[exp] needs a floating dtype, got int32. Cast first: x.cast('float32').",
    ],
    [
      'neg of bool',
      () => make('unary', [of('bool', 2)], { fn: 'neg' }),
      "[neg] needs a number, got bool. Cast first: x.cast('float32').",
    ],
    [
      'not of floats',
      () => make('unary', [f(2)], { fn: 'not' }),
      "[not] needs bool, int32 or uint32, got float32. Cast first: x.cast('int32').",
    ],
    [
      'anything of uint8',
      () => make('unary', [of('uint8', 2)], { fn: 'neg' }),
      "[neg] uint8 holds data but does not compute. Cast first: x.cast('float32').",
    ],
    [
      'anything of float16',
      () => make('unary', [of('float16', 2)], { fn: 'exp' }),
      "[exp] float16 holds data but does not compute. Cast first: x.cast('float32').",
    ],
  ],
  binary: [
    [
      'two dtypes',
      () => make('binary', [f(2), of('int32', 2)], { fn: 'add' }),
      '[add] operands have dtypes float32 and int32. Cast one of them.',
    ],
    [
      'two shapes',
      () => make('binary', [f(2), f(3)], { fn: 'mul' }),
      '[mul] operands differ in shape (shapes [2] and [3]).',
    ],
    [
      'no implicit broadcast',
      () => make('binary', [f(2, 1), f(2, 3)], { fn: 'add' }),
      '[add] operands differ in shape (shapes [2, 1] and [2, 3]).',
    ],
    [
      'shifts of floats',
      () => make('binary', [f(2), f(2)], { fn: 'shl' }),
      "[shl] needs int32 or uint32, got float32. Cast first: x.cast('int32').",
    ],
    [
      'sums of bool',
      () => make('binary', [of('bool'), of('bool')], { fn: 'add' }),
      "[add] needs a number, got bool. Cast first: x.cast('float32').",
    ],
    [
      'comparison of uint8',
      () => make('binary', [of('uint8'), of('uint8')], { fn: 'lt' }),
      "[lt] uint8 holds data but does not compute. Cast first: x.cast('float32').",
    ],
  ],
  select: [
    [
      'a condition of numbers',
      () => make('select', [f(2), f(2), f(2)], {}),
      '[where] condition must be bool, got float32. Compare it: x.ne(0).',
    ],
    [
      'a condition of another shape',
      () => make('select', [of('bool', 3), f(2), f(2)], {}),
      '[where] condition differs in shape (shapes [3] and [2]).',
    ],
    [
      'branches of two dtypes',
      () => make('select', [of('bool', 2), f(2), of('int32', 2)], {}),
      '[where] operands have dtypes float32 and int32. Cast one of them.',
    ],
    [
      'branches of two shapes',
      () => make('select', [of('bool', 2), f(2), f(3)], {}),
      '[where] operands differ in shape (shapes [2] and [3]).',
    ],
  ],
  cast: 'any',
  reduce: [
    [
      'an axis outside',
      () => make('reduce', [f(2, 3)], { fn: 'sum', axes: [2] }),
      '[sum] axis 2 is not in the shape (shapes [2, 3]).',
    ],
    [
      'a negative axis',
      () => make('reduce', [f(2, 3)], { fn: 'sum', axes: [-1] }),
      '[sum] axis -1 is not in the shape (shapes [2, 3]).',
    ],
    [
      'a repeated axis',
      () => make('reduce', [f(2, 3)], { fn: 'sum', axes: [0, 0] }),
      '[sum] axes [0, 0] must increase (shapes [2, 3]).',
    ],
    [
      'the largest of nothing',
      () => make('reduce', [f(2, 0)], { fn: 'max', axes: [1] }),
      '[max] cannot reduce an empty dimension (shapes [2, 0]). There is no largest or smallest of nothing.',
    ],
    [
      'a sum of bool',
      () => make('reduce', [of('bool', 2)], { fn: 'sum', axes: [0] }),
      "[sum] needs a number, got bool. Cast first: x.cast('float32').",
    ],
  ],
  argReduce: [
    [
      'an axis outside',
      () => make('argReduce', [f(2)], { fn: 'max', axis: 1 }),
      '[argmax] axis 1 is not in the shape (shapes [2]).',
    ],
    [
      'nothing',
      () => make('argReduce', [f(0, 2)], { fn: 'min', axis: 0 }),
      '[argmin] cannot reduce an empty dimension (shapes [0, 2]).',
    ],
  ],
  cumulative: [
    [
      'a scalar',
      () => make('cumulative', [f()], { fn: 'sum', axis: 0, reverse: false }),
      '[cumsum] axis 0 is not in the shape (shapes []).',
    ],
    [
      'products of bool',
      () => make('cumulative', [of('bool', 2)], { fn: 'prod', axis: 0, reverse: false }),
      "[cumprod] needs a number, got bool. Cast first: x.cast('float32').",
    ],
  ],
  matmul: [
    [
      'inner sizes',
      () => make('matmul', [f(2, 3), f(4, 5)], {}),
      '[matmul] the last size of the first must equal the second-last of the second (shapes [2, 3] and [4, 5]). Transpose or reshape one operand.',
    ],
    [
      'batches',
      () => make('matmul', [f(2, 2, 3), f(3, 3, 4)], {}),
      '[matmul] the last size of the first must equal the second-last of the second (shapes [2, 2, 3] and [3, 3, 4]). Transpose or reshape one operand.',
    ],
    [
      'vectors',
      () => make('matmul', [f(3), f(3)], {}),
      '[matmul] the last size of the first must equal the second-last of the second (shapes [3] and [3]). Transpose or reshape one operand.',
    ],
    [
      'integers',
      () => make('matmul', [of('int32', 2, 2), of('int32', 2, 2)], {}),
      "[matmul] needs two floating operands of one dtype, got int32 and int32. Cast first: x.cast('float32').",
    ],
  ],
  conv: [
    [
      'channels',
      () => make('conv', [f(1, 3, 8, 8), f(4, 2, 3, 3)], conv),
      '[conv] the weight expects 2 input channels, the input has 3 (shapes [1, 3, 8, 8] and [4, 2, 3, 3]).',
    ],
    [
      'groups',
      () => make('conv', [f(1, 4, 8, 8), f(3, 2, 3, 3)], { ...conv, groups: 2 }),
      '[conv] groups 2 must divide 4 input and 3 output channels (shapes [1, 4, 8, 8] and [3, 2, 3, 3]).',
    ],
    [
      'a large kernel',
      () => make('conv', [f(1, 3, 4, 4), f(4, 3, 5, 5)], conv),
      '[conv] the kernel [5,5] is larger than the padded input [4,4]. Use a smaller kernel or more padding.',
    ],
    [
      'ranks',
      () => make('conv', [f(3, 8, 8), f(4, 3, 3, 3)], conv),
      '[conv] needs [N, C, ...spatial] with one to three spatial dimensions and a weight of the same rank (shapes [3, 8, 8] and [4, 3, 3, 3]).',
    ],
    [
      'attributes of another rank',
      () => make('conv', [f(1, 3, 8), f(4, 3, 3)], conv),
      '[conv] stride, padding and dilation need 1 entries, one per spatial dimension.',
    ],
    [
      'a stride of 0',
      () => make('conv', [f(1, 3, 8, 8), f(4, 3, 3, 3)], { ...conv, stride: [1, 0] }),
      '[conv] stride must be whole numbers of at least 1, got [1, 0].',
    ],
    [
      'negative padding',
      () =>
        make('conv', [f(1, 3, 8, 8), f(4, 3, 3, 3)], {
          ...conv,
          padding: [
            [0, -1],
            [0, 0],
          ],
        }),
      '[conv] padding must be whole numbers of at least 0, got [0, -1, 0, 0].',
    ],
    [
      'two dtypes',
      () => make('conv', [f(1, 3, 8, 8), of('float64', 4, 3, 3, 3)], conv),
      "[conv] needs two floating operands of one dtype, got float32 and float64. Cast first: x.cast('float32').",
    ],
  ],
  convGradInput: [
    [
      'another input size',
      () => make('convGradInput', [f(1, 4, 6, 6), f(4, 3, 3, 3)], { ...conv, inputSize: [9, 8] }),
      '[convGradInput] the gradient does not have the shape that this input size gives (shapes [1, 4, 6, 6] and [1, 4, 7, 6]).',
    ],
  ],
  convGradWeight: [
    [
      'another kernel size',
      () => make('convGradWeight', [f(1, 3, 8, 8), f(1, 4, 6, 6)], { ...conv, kernelSize: [5, 3] }),
      '[convGradWeight] the gradient does not have the shape that this kernel size gives (shapes [1, 4, 6, 6] and [1, 4, 4, 6]).',
    ],
  ],
  maxPool: [
    [
      'integers',
      () => make('maxPool', [of('int32', 1, 1, 4, 4)], pool),
      '[maxPool] needs a floating dtype, got int32.',
    ],
    [
      'a kernel of another rank',
      () => make('maxPool', [f(1, 1, 4)], pool),
      '[maxPool] needs [N, C, ...spatial] and a kernel of 1 entries (shapes [1, 1, 4] and [2, 2]).',
    ],
    [
      'padding as large as the kernel',
      () =>
        make('maxPool', [f(1, 1, 4, 4)], {
          ...pool,
          padding: [
            [2, 0],
            [0, 0],
          ],
        }),
      '[maxPool] padding [2,0] is as large as the kernel [2,2]. Every window must see the input.',
    ],
  ],
  maxPoolGrad: [
    [
      'a gradient of another shape',
      () => make('maxPoolGrad', [f(1, 1, 4, 4), f(1, 1, 4, 4)], pool),
      '[maxPoolGrad] needs float32 of the output shape (shapes [1, 1, 4, 4] and [1, 1, 3, 3]).',
    ],
  ],
  maxPoolPick: [
    [
      'values of another shape',
      () => make('maxPoolPick', [f(1, 1, 4, 4), f(1, 1, 3, 3)], pool),
      '[maxPoolPick] needs float32 of the input shape (shapes [1, 1, 3, 3] and [1, 1, 4, 4]).',
    ],
  ],
  gather: [
    [
      'a float index',
      () => make('gather', [f(3), f(3)], { axis: 0 }),
      "[gather] index must be int32, got float32. Cast it: index.cast('int32').",
    ],
    [
      'an index of another shape',
      () => make('gather', [f(3, 4), of('int32', 2, 5)], { axis: 0 }),
      '[gather] index must have the shape of the source but for axis 0 (shapes [3, 4] and [2, 5]).',
    ],
    [
      'an axis outside',
      () => make('gather', [f(3), of('int32', 3)], { axis: 1 }),
      '[gather] axis 1 is not in the shape (shapes [3]).',
    ],
  ],
  scatterAdd: [
    [
      'an unsigned index',
      () => make('scatterAdd', [of('uint32', 3), f(3)], { axis: 0, size: 2 }),
      "[scatterAdd] index must be int32, got uint32. Cast it: index.cast('int32').",
    ],
    [
      'values of another shape',
      () => make('scatterAdd', [of('int32', 3), f(4)], { axis: 0, size: 2 }),
      '[scatterAdd] index and values differ in shape (shapes [3] and [4]).',
    ],
    [
      'a negative size',
      () => make('scatterAdd', [of('int32', 3), f(3)], { axis: 0, size: -2 }),
      '[scatterAdd] sizes must be whole numbers of at least 0, got [-2].',
    ],
    [
      'values of bool',
      () => make('scatterAdd', [of('int32', 3), of('bool', 3)], { axis: 0, size: 2 }),
      "[scatterAdd] needs a number, got bool. Cast first: x.cast('float32').",
    ],
  ],
  argsort: [
    [
      'an axis outside',
      () => make('argsort', [f(3)], { axis: 1, descending: false }),
      '[argsort] axis 1 is not in the shape (shapes [3]).',
    ],
    [
      'uint8',
      () => make('argsort', [of('uint8', 3)], { axis: 0, descending: false }),
      "[argsort] uint8 holds data but does not compute. Cast first: x.cast('float32').",
    ],
  ],
  reshape: [
    [
      'other counts',
      () => make('reshape', [f(2, 3)], { shape: [4] }),
      '[reshape] 6 elements do not fill 4 (shapes [2, 3] and [4]).',
    ],
    [
      'an unknown size',
      () => make('reshape', [f(2, 3)], { shape: [-1] }),
      '[reshape] sizes must be whole numbers of at least 0, got [-1].',
    ],
  ],
  permute: [
    [
      'a repeated axis',
      () => make('permute', [f(2, 3)], { perm: [0, 0] }),
      '[permute] [0, 0] is not a permutation of the dimensions (shapes [2, 3]).',
    ],
    [
      'too few axes',
      () => make('permute', [f(2, 3)], { perm: [0] }),
      '[permute] [0] is not a permutation of the dimensions (shapes [2, 3]).',
    ],
  ],
  expand: [
    [
      'a size above 1',
      () => make('expand', [f(2, 3)], { shape: [4, 3] }),
      '[expand] only sizes of 1 can grow (shapes [2, 3] and [4, 3]).',
    ],
    [
      'a new dimension',
      () => make('expand', [f(3)], { shape: [2, 3] }),
      '[expand] only sizes of 1 can grow (shapes [3] and [2, 3]).',
    ],
  ],
  slice: [
    [
      'a range that leaves',
      () => make('slice', [f(5)], { start: [3], size: [3], step: [1] }),
      '[slice] start 3, 3 elements by 1 leave dimension 0 (shapes [5]).',
    ],
    [
      'a step of 0',
      () => make('slice', [f(5)], { start: [0], size: [2], step: [0] }),
      '[slice] start 0, 2 elements by 0 leave dimension 0 (shapes [5]).',
    ],
    [
      'a negative start',
      () => make('slice', [f(5)], { start: [-1], size: [2], step: [1] }),
      '[slice] start -1, 2 elements by 1 leave dimension 0 (shapes [5]).',
    ],
    [
      'lists of another rank',
      () => make('slice', [f(5, 2)], { start: [0], size: [2], step: [1] }),
      '[slice] needs one entry per dimension (2) (shapes [5, 2]).',
    ],
  ],
  flip: [
    ['an axis outside', () => make('flip', [f(2)], { axes: [1] }), '[flip] axis 1 is not in the shape (shapes [2]).'],
  ],
  pad: [
    [
      'a negative border',
      () => make('pad', [f(2)], { lo: [-1], hi: [0], interior: [0], value: 0 }),
      '[pad] sizes must be whole numbers of at least 0, got [-1].',
    ],
    [
      'lists of another rank',
      () => make('pad', [f(2)], { lo: [1, 1], hi: [0], interior: [0], value: 0 }),
      '[pad] needs one entry per dimension (1) (shapes [2]).',
    ],
  ],
  concat: [
    ['nothing', () => make('concat', [], { axis: 0 }), '[concat] needs at least one tensor.'],
    [
      'other sizes',
      () => make('concat', [f(2, 3), f(2, 4)], { axis: 0 }),
      '[concat] sizes must agree but for axis 0 (shapes [2, 3] and [2, 4]).',
    ],
    [
      'two dtypes',
      () => make('concat', [f(2), of('int32', 2)], { axis: 0 }),
      '[concat] dtypes float32 and int32 differ.',
    ],
    ['scalars', () => make('concat', [f(), f()], { axis: 0 }), '[concat] axis 0 is not in the shape (shapes []).'],
  ],
  randomBits: [
    [
      'a key of another dtype',
      () => make('randomBits', [of('int32', 2)], { shape: [3] }),
      '[randomBits] the key must be uint32 [2], got int32 (shapes [2]).',
    ],
    [
      'a key of another size',
      () => make('randomBits', [of('uint32', 3)], { shape: [3] }),
      '[randomBits] the key must be uint32 [2], got uint32 (shapes [3]).',
    ],
    [
      'a negative size',
      () => make('randomBits', [of('uint32', 2)], { shape: [-3] }),
      '[randomBits] sizes must be whole numbers of at least 0, got [-3].',
    ],
  ],
  alias: 'any',
  stopGradient: 'any',
  after: 'any',
  custom: 'any',
}

for (const [op, rows] of Object.entries(bad))
  if (rows !== 'any')
    describe(`${op} refuses`, () => {
      it.each(rows)('%s', (_, act, message) => {
        let error: unknown
        try {
          act()
        } catch (caught) {
          error = caught
        }
        expect(error).toBeInstanceOf(OpError)
        expect((error as OpError).message).toBe(message)
      })
    })

describe('inferred shapes and dtypes', () => {
  const rows: readonly (readonly [string, Node, readonly number[], DType])[] = [
    ['isNan', make('unary', [f(2)], { fn: 'isNan' }), [2], 'bool'],
    ['lt', make('binary', [f(2), f(2)], { fn: 'lt' }), [2], 'bool'],
    ['argReduce', make('argReduce', [f(2, 3)], { fn: 'max', axis: 0 }), [3], 'int32'],
    ['reduce', make('reduce', [f(2, 3, 4)], { fn: 'sum', axes: [0, 2] }), [3], 'float32'],
    ['matmul', make('matmul', [f(5, 2, 3), f(5, 3, 4)], {}), [5, 2, 4], 'float32'],
    [
      'conv',
      make('conv', [f(2, 3, 9, 8), f(4, 3, 3, 2)], {
        ...conv,
        stride: [2, 3],
        padding: [
          [1, 0],
          [0, 2],
        ],
      }),
      [2, 4, 4, 3],
      'float32',
    ],
    ['maxPool', make('maxPool', [f(2, 3, 9, 8)], { ...pool, stride: [2, 2] }), [2, 3, 4, 4], 'float32'],
    ['gather', make('gather', [of('uint8', 3, 4), of('int32', 7, 4)], { axis: 0 }), [7, 4], 'uint8'],
    ['scatterAdd', make('scatterAdd', [of('int32', 3, 4), f(3, 4)], { axis: 1, size: 9 }), [3, 9], 'float32'],
    ['pad', make('pad', [f(3)], { lo: [1], hi: [2], interior: [2], value: 0 }), [10], 'float32'],
    ['pad of nothing', make('pad', [f(0)], { lo: [1], hi: [2], interior: [2], value: 0 }), [3], 'float32'],
    ['concat', make('concat', [f(2, 3), f(2, 4)], { axis: 1 }), [2, 7], 'float32'],
    ['randomBits', make('randomBits', [of('uint32', 2)], { shape: [4] }), [4], 'uint32'],
  ]
  it.each(rows)('%s', (_, node, shape, dtype) => {
    expect([...node.shape]).toEqual(shape)
    expect(node.dtype).toBe(dtype)
  })
  it('unary functions take what their facts say, and nothing else', () => {
    const takes = (fn: (typeof unaryFns)[number], dtype: DType) => {
      try {
        return make('unary', [of(dtype, 1)], { fn }).dtype === (unaryFacts[fn].result === 'bool' ? 'bool' : dtype)
      } catch {
        return false
      }
    }
    const kinds = {
      float: 'float32 float64',
      number: 'float32 float64 int32 uint32',
      integer: 'int32 uint32',
      logical: 'int32 uint32 bool',
      ordered: 'float32 float64 int32 uint32 bool',
    }
    const all: DType[] = ['float32', 'float64', 'int32', 'uint32', 'bool', 'uint8', 'float16']
    for (const fn of unaryFns) expect(all.filter((d) => takes(fn, d)).join(' '), fn).toBe(kinds[unaryFacts[fn].on])
  })
})
