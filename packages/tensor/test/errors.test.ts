import { OpError } from '@tessella/ir'
import { reference } from '@tessella/testing'
import { describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'

// Types would refuse most of these calls; people who do not use them read the messages.
const z = (...shape: number[]): t.Tensor => t.zeros(shape)
const ints = (...shape: number[]): t.Tensor => t.zeros(shape, 'int32')
const untyped = (x: unknown): never => x as never

const table: readonly (readonly [name: string, call: () => unknown, message: string])[] = [
  ['a tensor compared as a number', () => untyped(z(2)) > 0, '[tensor] a tensor was used as a number (shapes [2]).'],
  ['a tensor in arithmetic', () => untyped(z(2)) * 2, 'Use its operations (x.gt(0), x.mul(2), where)'],
  ['a tensor plus a number', () => untyped(z(2)) + 1, 'or read it: await x.item()'],
  ['no tensor', () => t.exp(untyped(3)), '[exp] expected a tensor, got a number. Make one with tensor(...).'],
  ['null', () => t.exp(untyped(null)), '[exp] expected a tensor, got null.'],
  ['no operand', () => t.add(z(2), untyped(undefined) as t.Tensor), '[add] expected a tensor, got undefined.'],
  [
    'an array',
    () => z(2).add(untyped([1, 2])),
    '[add] expected a tensor, got an array. Make one of it: tensor([...]).',
  ],
  ['an array to join', () => t.concat(untyped([[1]])), '[concat] expected a tensor, got an array.'],
  ['a number as the shape', () => t.zeros(untyped(3)), '[zeros] 3 is not a shape. Use [3].'],
  [
    'sizes one by one',
    () => z(6).reshape(untyped(2)),
    '[reshape] sizes come in an array, got 2. Write reshape([2, ...]).',
  ],
  ['axes one by one', () => z(2, 3).permute(untyped(1)), '[permute] axes come in an array, got 1.'],
  ['no axis', () => t.cummax(z(2), untyped(undefined)), '[cummax] needs an axis. Axes are integers; -1 is the last.'],
  [
    'options in place of the axis',
    () => t.norm(z(2), untyped({ p: 1 })),
    '[norm] needs an axis, or an array of axes, got an object. Options come after the axis; undefined stands for all axes.',
  ],
  [
    "NumPy's keepdims",
    () => t.sum(z(2), 0, untyped({ keepdims: true })),
    "[sum] there is no option 'keepdims'. Options are keepdim.",
  ],
  [
    'an option of std',
    () => z(2).std(0, untyped({ ddof: 0 })),
    "[std] there is no option 'ddof'. Options are keepdim, correction.",
  ],
  [
    'an option of norm',
    () => t.norm(z(2), 0, untyped({ ord: 1 })),
    "[norm] there is no option 'ord'. Options are keepdim, p.",
  ],
  ['an option of sort', () => t.sort(z(2), 0, untyped({ desc: true })), "[sort] there is no option 'desc'"],
  ['an option of topk', () => z(2).topk(1, 0, untyped({ smallest: true })), "[topk] there is no option 'smallest'"],
  [
    'an option of pad',
    () => t.pad(z(2), 1, untyped({ fill: 1 })),
    "[pad] there is no option 'fill'. Options are value, mode.",
  ],
  ['an option of softplus', () => t.softplus(z(2), untyped({ alpha: 1 })), "[softplus] there is no option 'alpha'"],
  ['an option of allClose', () => t.allClose(z(2), z(2), untyped({ tol: 1 })), "[allClose] there is no option 'tol'"],
  ['an option of nanToNum', () => t.nanToNum(z(2), untyped({ inf: 1 })), "[nanToNum] there is no option 'inf'"],
  ['an option of normal', () => t.normal(t.key(0), [1], untyped({ sd: 1 })), "[normal] there is no option 'sd'"],
  [
    'an option of conv',
    () => t.conv2d(z(1, 1, 8, 8), z(6, 1, 5, 5), untyped({ strides: 2 })),
    "[conv2d] there is no option 'strides'",
  ],
  [
    'an option of pooling',
    () => t.maxPool2d(z(1, 1, 8, 8), 2, { strides: 2 } as Record<never, never>),
    "[maxPool2d] there is no option 'strides'",
  ],
  ['options that are none', () => t.sum(z(2), 0, untyped(true)), '[sum] options come in an object, got a boolean.'],
  ['a Variable of nothing', () => new t.Variable(untyped(undefined)), '[Variable] expected a tensor, got undefined.'],
  [
    'an option of Variable',
    () => new t.Variable(z(2), untyped({ train: false })),
    "[Variable] there is no option 'train'",
  ],
  [
    'ragged rows',
    () => t.tensor([[1, 2], [3]]),
    '[tensor] ragged data: element [1] is an array of 1, the first one says [2, 2].',
  ],
  ['ragged depth', () => t.tensor([1, [2]]), '[tensor] ragged data: element [1] is a'],
  [
    'a string element',
    () => t.tensor(untyped([1, 'a'])),
    '[tensor] element [1] is string. Elements are numbers or booleans.',
  ],
  [
    'big integers',
    () => t.tensor(untyped(new BigInt64Array(2)), [2]),
    '[tensor] element 0 is a bigint. Elements are numbers.',
  ],
  ['mixed kinds', () => t.tensor([1, true]), '[tensor] booleans and numbers are mixed.'],
  [
    'NaN in integers',
    () => t.tensor([1, Number.NaN], 'int32'),
    '[tensor] element 1 is NaN, which is not a int32. Integers have no NaN',
  ],
  ['a fraction in integers', () => t.tensor([0.5], 'int32'), '[tensor] element 0 is 0.5, which is not a int32.'],
  ['uint8 overflow', () => t.tensor([256], 'uint8'), '[tensor] element 0 is 256, which is not a uint8.'],
  ['too few elements', () => t.tensor([1, 2, 3], [2, 2]), '[tensor] 3 elements do not fill 4 (shapes [2, 2]).'],
  [
    'a wrong host array',
    () => t.fromData(untyped(new Float64Array(2)), [2], 'float32'),
    '[fromData] float32 elements come in a Float32Array, got a Float64Array.',
  ],
  ['a bad dtype', () => t.zeros([1], untyped('float')), "[zeros] 'float' is not a dtype."],
  ['a bad shape', () => t.zeros([2, -1]), '[zeros] [2,-1] is not a shape.'],
  ['infinite integers', () => t.full([1], Number.POSITIVE_INFINITY, 'int32'), '[full] element 0 is Infinity'],
  ['an endless range', () => t.arange(0, 1, 0), '[arange] start 0, stop 1 and step 0 make no range.'],
  [
    'broadcast',
    () => t.add(z(2, 3), z(4, 3)),
    '[add] sizes 2 and 4 at dimension -2 do not broadcast (shapes [2, 3] and [4, 3]).',
  ],
  ['comparison broadcast', () => t.maximum(z(2), z(3)), '[maximum] sizes 2 and 3'],
  ['bits of floats', () => t.bitwiseAnd(z(2), z(2)), '[bitwiseAnd] needs integers or bool, got float32.'],
  ['negative integer power', () => t.pow(ints(2), -1), '[pow] integers have no power -1.'],
  ['clip without bounds', () => t.clip(z(2)), '[clip] needs a lower bound, an upper bound or both.'],
  ['fill with a fraction', () => t.maskedFill(ints(2), ints(2), 0.5), '[maskedFill] 0.5 does not fit int32.'],
  [
    'mask larger',
    () => t.maskedFill(z(2), z(3, 2), 1),
    '[maskedFill] the mask does not broadcast to the tensor (shapes [2] and [3, 2]).',
  ],
  ['axis', () => t.sum(z(2, 3), 2), '[sum] axis 2 is out of range for 2 dimensions. Use an integer from -2 to 1.'],
  ['repeated axes', () => t.sum(z(2, 3), [0, -2]), '[sum] axes [0, 0] repeat an axis.'],
  ['empty maximum', () => t.max(z(0)), '[max] an empty dimension has no extreme (shapes [0]).'],
  [
    'reshape',
    () => t.reshape(z(2, 3), [4, 2]),
    '[reshape] 6 elements do not fill the new shape (shapes [2, 3] and [4, 2]).',
  ],
  ['two open sizes', () => t.reshape(z(2, 3), untyped([-1, -1])), '[reshape] only one size may be -1'],
  ['squeeze', () => t.squeeze(z(2, 3), 0), '[squeeze] axis 0 has size 2, not 1 (shapes [2, 3]).'],
  ['permute', () => t.permute(z(2, 3), [0, 0]), '[permute] axes [0, 0] repeat an axis'],
  ['expand', () => t.expand(z(2, 3), [4, 3]), '[expand] only sizes of 1 can grow'],
  [
    'slice index',
    () => z(3).slice(3),
    '[slice] index 3 is out of range for dimension 0 of size 3. Use an integer from -3 to 2.',
  ],
  ['slice step', () => z(3).slice([0, 3, 0]), '[slice] step 0 of dimension 0'],
  ['narrow', () => z(3).narrow(0, 2, 2), '[narrow] start 2 and length 2 leave dimension 0 of size 3'],
  [
    'concat',
    () => t.concat([z(2, 3), z(2, 4)]),
    '[concat] sizes must agree but for axis 0 (shapes [2, 3] and [2, 4]).',
  ],
  ['concat of nothing', () => t.concat(untyped([])), '[concat] no tensors to join.'],
  ['stack', () => t.stack([z(2), z(3)]), '[stack] shapes differ (shapes [2] and [3]).'],
  ['split', () => t.split(z(5), [2, 2]), '[split] sizes [2, 2] do not add up to 5'],
  ['pad widths', () => t.pad(z(2, 3), [[1, 1]]), '[pad] 1 pairs of widths for 2 dimensions'],
  [
    'pad too much',
    () => t.pad(z(2), [[2, 0]], { mode: 'reflect' }),
    "[pad] mode 'reflect' can add at most 1 to dimension 0 of size 2, asked for [2, 0]",
  ],
  ['matmul', () => t.matmul(z(2, 3), z(4, 5)), '[matmul] inner sizes 3 and 4 differ (shapes [2, 3] and [4, 5]).'],
  ['matmul of a scalar', () => t.matmul(z(), z(2)), '[matmul] a scalar has no inner size'],
  [
    'linear',
    () => t.linear(z(2, 3), z(5, 4)),
    '[linear] the weight takes 4 features, the input has 3 (shapes [2, 3] and [5, 4]).',
  ],
  ['linear bias', () => t.linear(z(2, 3), z(5, 3), z(4)), '[linear] the bias must be [5]'],
  [
    'float index',
    () => t.take(z(3), z(1)),
    "[take] an index must hold integers, got float32. Cast it: index.cast('int32').",
  ],
  ['gather rank', () => t.gather(z(3, 2), 0, ints(3)), '[gather] the index must have 2 dimensions'],
  ['topk', () => t.topk(z(3), 4), '[topk] k = 4 is not within the size 3 of axis 0'],
  [
    'conv input',
    () => t.conv2d(z(1, 28, 28), z(6, 1, 5, 5)),
    '[conv2d] the input must be [N, C, H, W] (shapes [1, 28, 28]). Add a batch dimension: x.unsqueeze(0).',
  ],
  [
    'conv channels',
    () => t.conv2d(z(1, 2, 8, 8), z(6, 1, 5, 5)),
    '[conv] the weight expects 1 input channels, the input has 2',
  ],
  [
    'conv kernel',
    () => t.conv2d(z(1, 1, 3, 3), z(6, 1, 5, 5)),
    '[conv2d] a kernel of [5, 5] does not fit the padded input (shapes [1, 1, 3, 3]).',
  ],
  [
    'conv stride',
    () => t.conv2d(z(1, 1, 8, 8), z(6, 1, 5, 5), { stride: [1, 1, 1] }),
    '[conv2d] stride [1, 1, 1] needs 2 entries.',
  ],
  [
    'conv padding',
    () => t.conv2d(z(1, 1, 8, 8), z(6, 1, 5, 5), { padding: untyped('full') }),
    "[conv2d] 'full' is not a padding.",
  ],
  ['conv bias', () => t.conv2d(z(1, 1, 8, 8), z(6, 1, 5, 5), { bias: z(5) }), '[conv2d] the bias must be [6]'],
  [
    'pool padding',
    () => t.maxPool2d(z(1, 1, 8, 8), 2, { padding: 2 }),
    '[maxPool2d] padding 2 is more than half of the kernel 2',
  ],
  [
    'pool kernel',
    () => t.maxPool2d(z(1, 1, 3, 3), 5),
    '[maxPool2d] a kernel of [5, 5] does not fit the padded input (shapes [1, 1, 3, 3]).',
  ],
  [
    'outputPadding',
    () => t.convTranspose1d(z(1, 1, 4), z(1, 1, 3), { outputPadding: 1 }),
    '[convTranspose1d] outputPadding [1] must be smaller than the stride [1]',
  ],
  ['einsum label', () => t.einsum('i?->i', z(2)), "[einsum] 'i?->i': '?' is not a label."],
  ['einsum operands', () => t.einsum(untyped('i,j->ij'), z(2)), "[einsum] 'i,j->ij': names 2 operands, got 1."],
  [
    'einsum sizes',
    () => t.einsum('ij,jk->ik', z(2, 3), z(4, 5)),
    "[einsum] 'ij,jk->ik': 'j' is 3 and 4 (shapes [2, 3] and [4, 5]).",
  ],
  ['einsum rank', () => t.einsum('ij->i', z(2)), "[einsum] 'ij->i': operand 0 has 1 dimensions, its labels name 2"],
  [
    'einsum result',
    () => t.einsum(untyped('i->j'), z(2)),
    "[einsum] 'i->j': the result names 'j', which no operand has.",
  ],
  ['seed', () => t.key(-1), '[key] the seed -1 is not a whole number from 0 to 2^53 - 1.'],
  ['key', () => t.uniform(untyped(z(2)), [1]), '[uniform] a key is uint32 [2], got float32'],
  ['probability', () => t.bernoulli(t.key(0), [1], 2), '[bernoulli] p 2 is not a probability.'],
  ['range', () => t.randint(t.key(0), [1], 3, 3), '[randint] [3, 3) is not a range of int32.'],
]

describe('mistakes are named, with shapes and a fix', () => {
  it.each(table)('%s', (_, call, message) => {
    expect(call).toThrow(OpError)
    expect(call).toThrow(message)
  })
  it('items of several elements', async () => {
    await expect(z(2).item()).rejects.toThrow('[item] needs exactly one element, there are 2 (shapes [2]).')
  })
  it('carries the facts as fields', () => {
    try {
      t.add(z(2, 3), z(4, 3))
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({
        op: 'add',
        shapes: [
          [2, 3],
          [4, 3],
        ],
      })
    }
  })
})

describe('backends', () => {
  it.each([
    ['the function', reference, '[useBackend] expected a backend, got a function: call reference().'],
    ['nothing', undefined, '[useBackend] expected a backend, got undefined. Write `await useBackend(cpu())`.'],
    ['a name', 'cpu', '[useBackend] expected a backend, got string.'],
  ])('%s is refused', async (_, backend, message) => {
    await expect(t.useBackend(untyped(backend))).rejects.toThrow(message)
  })
  it('another instance of one backend is named', async () => {
    await t.useBackend(reference())
    const x = t.arange(100_000).add(1)
    await x.data()
    await t.useBackend(reference())
    await expect(x.add(1).data()).rejects.toThrow("a tensor lives on another instance of 'reference'")
    t.disposeBackend()
  })
})
