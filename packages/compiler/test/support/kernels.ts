import type { Kernel } from '../../src/index.ts'

export type { Accumulator, Affine, Expr, Kernel, MatrixOperand, Program, Write } from '../../src/index.ts'
export type ConvKernel = Extract<Kernel, { kind: 'conv' | 'convGradInput' | 'convGradWeight' }>
export type PoolKernel = Extract<Kernel, { kind: 'maxPool' | 'maxPoolGrad' | 'maxPoolPick' }>
