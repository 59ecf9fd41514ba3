import { isFloat, isStorageOnly } from './dtype.ts'
import { OpError } from './errors.ts'
import type { ConvAttrs, Node, PoolAttrs, WindowAttrs } from './ops.ts'
import { type Dims, sameShape, windowSize } from './shape.ts'
import { checkWhole } from './whole.ts'

function checkWindow(op: string, attrs: WindowAttrs, spatial: number): void {
  const { stride, padding, dilation } = attrs
  if (stride.length !== spatial || padding.length !== spatial || dilation.length !== spatial)
    throw new OpError(op, `stride, padding and dilation need ${spatial} entries, one per spatial dimension`)
  checkWhole(op, 'stride', stride, 1)
  checkWhole(op, 'dilation', dilation, 1)
  checkWhole(op, 'padding', padding, 0)
}

function checkDtypes(op: string, a: Node, b: Node): void {
  if (a.dtype !== b.dtype || !isFloat(a.dtype) || isStorageOnly(a.dtype))
    throw new OpError(op, `needs two floating operands of one dtype, got ${a.dtype} and ${b.dtype}`, {
      dtypes: [a.dtype, b.dtype],
      hint: "Cast first: x.cast('float32').",
    })
}

/** Spatial output sizes of a window over `input`, or an error that names both shapes. */
function outputSizes(op: string, input: Dims, kernel: Dims, attrs: WindowAttrs): number[] {
  return input.map((n, i) => {
    const [lo, hi] = attrs.padding[i] as readonly [number, number]
    const out = windowSize(n, kernel[i] as number, attrs.stride[i] as number, lo, hi, attrs.dilation[i] as number)
    if (out < 1)
      throw new OpError(op, `the kernel [${kernel}] is larger than the padded input [${input}]`, {
        hint: 'Use a smaller kernel or more padding.',
      })
    return out
  })
}

function checkRanks(op: string, a: Node, b: Node): number {
  if (a.shape.length !== b.shape.length || a.shape.length < 3 || a.shape.length > 5)
    throw new OpError(
      op,
      'needs [N, C, ...spatial] with one to three spatial dimensions and a weight of the same rank',
      { shapes: [a.shape, b.shape] },
    )
  return a.shape.length - 2
}

function checkGroups(
  op: string,
  channels: number,
  outputs: number,
  perGroup: number,
  groups: number,
  shapes: Dims[],
): void {
  if (!Number.isInteger(groups) || groups < 1 || channels % groups !== 0 || outputs % groups !== 0)
    throw new OpError(op, `groups ${groups} must divide ${channels} input and ${outputs} output channels`, { shapes })
  if (channels / groups !== perGroup)
    throw new OpError(op, `the weight expects ${perGroup * groups} input channels, the input has ${channels}`, {
      shapes,
    })
}

export function inferConv(x: Node, w: Node, attrs: ConvAttrs): number[] {
  checkDtypes('conv', x, w)
  checkWindow('conv', attrs, checkRanks('conv', x, w))
  const [o = 0, perGroup = 0, ...kernel] = w.shape
  const [n = 0, c = 0, ...spatial] = x.shape
  checkGroups('conv', c, o, perGroup, attrs.groups, [x.shape, w.shape])
  return [n, o, ...outputSizes('conv', spatial, kernel, attrs)]
}

export function inferConvGradInput(dy: Node, w: Node, attrs: ConvAttrs & { readonly inputSize: Dims }): number[] {
  checkDtypes('convGradInput', dy, w)
  checkWindow('convGradInput', attrs, checkRanks('convGradInput', dy, w))
  const [o = 0, perGroup = 0, ...kernel] = w.shape
  const shape = [dy.shape[0] as number, perGroup * attrs.groups, ...attrs.inputSize]
  checkGroups('convGradInput', perGroup * attrs.groups, o, perGroup, attrs.groups, [dy.shape, w.shape])
  const expected = [dy.shape[0] as number, o, ...outputSizes('convGradInput', attrs.inputSize, kernel, attrs)]
  if (!sameShape(expected, dy.shape))
    throw new OpError('convGradInput', 'the gradient does not have the shape that this input size gives', {
      shapes: [dy.shape, expected],
    })
  return shape
}

export function inferConvGradWeight(x: Node, dy: Node, attrs: ConvAttrs & { readonly kernelSize: Dims }): number[] {
  checkDtypes('convGradWeight', x, dy)
  checkWindow('convGradWeight', attrs, checkRanks('convGradWeight', x, dy))
  const [n = 0, c = 0, ...spatial] = x.shape
  const o = dy.shape[1] as number
  checkGroups('convGradWeight', c, o, c / attrs.groups, attrs.groups, [x.shape, dy.shape])
  const expected = [n, o, ...outputSizes('convGradWeight', spatial, attrs.kernelSize, attrs)]
  if (!sameShape(expected, dy.shape))
    throw new OpError('convGradWeight', 'the gradient does not have the shape that this kernel size gives', {
      shapes: [dy.shape, expected],
    })
  return [o, c / attrs.groups, ...attrs.kernelSize]
}

export function inferPool(x: Node, attrs: PoolAttrs): number[] {
  const [n = 0, c = 0, ...spatial] = x.shape
  if (!isFloat(x.dtype) || isStorageOnly(x.dtype))
    throw new OpError('maxPool', `needs a floating dtype, got ${x.dtype}`, { dtypes: [x.dtype] })
  if (spatial.length < 1 || spatial.length > 3 || attrs.kernel.length !== spatial.length)
    throw new OpError('maxPool', `needs [N, C, ...spatial] and a kernel of ${spatial.length} entries`, {
      shapes: [x.shape, attrs.kernel],
    })
  checkWindow('maxPool', attrs, spatial.length)
  for (const [i, [lo]] of attrs.padding.entries())
    if (lo >= (attrs.dilation[i] as number) * ((attrs.kernel[i] as number) - 1) + 1)
      throw new OpError(
        'maxPool',
        `padding [${attrs.padding.map((p) => p[0])}] is as large as the kernel [${attrs.kernel}]`,
        { hint: 'Every window must see the input.' },
      )
  return [n, c, ...outputSizes('maxPool', spatial, attrs.kernel, attrs)]
}

/** Checks the second operand of maxPoolGrad ('out' shaped) and maxPoolPick ('in' shaped); answers the pooled shape. */
export function inferPoolPair(x: Node, other: Node, attrs: PoolAttrs, like: 'in' | 'out'): number[] {
  const out = inferPool(x, attrs)
  const expected = like === 'in' ? x.shape : out
  if (other.dtype !== x.dtype || !sameShape(other.shape, expected))
    throw new OpError(
      like === 'in' ? 'maxPoolPick' : 'maxPoolGrad',
      `needs ${x.dtype} of the ${like === 'in' ? 'input' : 'output'} shape`,
      {
        shapes: [other.shape, expected],
      },
    )
  return out
}
