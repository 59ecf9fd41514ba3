import type { Kernel, WholeOperand } from '@tessella/compiler'
import { sizeOf } from '@tessella/ir'
import { type Cut, plainCut } from './cut.ts'
import { halvesOf, mover } from './domain.ts'
import { sumOfParts } from './partials.ts'
import type { Workspace } from './workspace.ts'

type ConvKernel = Extract<Kernel, { kind: 'conv' | 'convGradInput' | 'convGradWeight' }>
type PoolKernel = Extract<Kernel, { kind: 'maxPool' }> | Extract<Kernel, { kind: 'maxPoolGrad' | 'maxPoolPick' }>

/** Part of a whole operand along dimension `dim`; all dimensions before it have size 1. */
type Take = (whole: WholeOperand, dim: number) => WholeOperand

const taker =
  (workspace: Workspace, first: number, count: number): Take =>
  ({ buffer, shape }, dim) => {
    const each = sizeOf(shape.slice(dim + 1))
    return { buffer: workspace.part(buffer, first * each, count * each), shape: shape.with(dim, count) }
  }

/** In halves of `size` things: `own` says what is part of what, along `dim` of the result. */
function inHalves<K extends ConvKernel | PoolKernel>(
  kernel: K,
  size: number,
  dim: number,
  own: (take: Take) => Partial<K>,
  workspace: Workspace,
): Cut {
  const parts = halvesOf(size).map(([first, n]): Kernel => {
    const { write } = mover(dim, first)
    const operands = own(taker(workspace, first, n))
    return { ...kernel, ...operands, domain: kernel.domain.with(dim, n), writes: kernel.writes.map(write) }
  })
  return plainCut(parts)
}

/** Half of the images each; of one image, half of the channels. */
export function cutPool<K extends PoolKernel>(kernel: K, workspace: Workspace): readonly Cut[] {
  const dim = kernel.domain[0] === 1 ? 1 : 0
  const size = kernel.domain[dim] as number
  if (size === 1) return []
  const own = (take: Take) => ({
    x: take(kernel.x, dim),
    ...('other' in kernel ? { other: take(kernel.other, dim) } : {}),
  })
  return [inHalves<PoolKernel>(kernel, size, dim, own, workspace)]
}

/** Half of the images each; of one image, half of the outputs' channels. Sums over what is cut are added up. */
export function cutConv(kernel: ConvKernel, workspace: Workspace): readonly Cut[] {
  const { kind, a, b, domain, attrs } = kernel
  const images = a.shape[0] as number
  const sum = (size: number, own: (take: Take) => Partial<ConvKernel>): Cut =>
    sumOfParts(
      kernel,
      halvesOf(size).map(([first, n]) => ({ ...kernel, ...own(taker(workspace, first, n)) })),
      workspace,
    )
  if (images > 1) {
    if (kind === 'convGradWeight') return [sum(images, (take) => ({ a: take(a, 0), b: take(b, 0) }))]
    return [inHalves(kernel, images, 0, (take) => ({ a: take(a, 0) }), workspace)]
  }
  const outputs = { conv: domain[1], convGradInput: b.shape[0], convGradWeight: domain[0] }[kind] as number
  if (outputs === 1 || attrs.groups > 1) return []
  switch (kind) {
    case 'conv':
      return [inHalves(kernel, outputs, 1, (take) => ({ b: take(b, 0) }), workspace)]
    case 'convGradInput':
      return [sum(outputs, (take) => ({ a: take(a, 1), b: take(b, 0) }))]
    case 'convGradWeight':
      return [inHalves(kernel, outputs, 0, (take) => ({ b: take(b, 1) }), workspace)]
  }
}
