import type { Unit } from '../contract.ts'
import { flops, gpt, type ModelName, type Work } from './work.ts'

/** How a case is measured: repeated work, one look at a fresh process, growth over many steps, or a bundle's size. */
export type Measure =
  | { readonly how: 'repeat'; readonly work: Work }
  | { readonly how: 'startup'; readonly work: Work }
  | { readonly how: 'memory'; readonly work: Work; readonly steps: number }
  | { readonly how: 'size'; readonly bundle: 'tensor' | 'autograd' | 'optimizers' | 'all-cpu' }

export interface Case {
  readonly name: string
  readonly unit: Unit
  readonly measure: Measure
  /** Units of work (floating-point operations, bytes, images, tokens) in one run. */
  readonly amount: number
  /** One of the few that `--quick` runs. */
  readonly quick: boolean
  /** What the rate is compared with. */
  readonly ceiling?: 'fma' | 'copy'
}

const million16 = 16 * 1024 * 1024

const matmul = (m: number, k: number, n: number, name = `${m}x${k}x${n}`, quick = false): Case => {
  const work: Work = { kind: 'matmul', m, k, n }
  return {
    name: `matmul/${name}`,
    unit: 'GFLOP/s',
    measure: { how: 'repeat', work },
    amount: flops(work),
    quick,
    ceiling: 'fma',
  }
}

const conv = (mode: 'fwd' | 'train'): Case => {
  const work: Work = { kind: 'conv3x3', mode, batch: 32, channels: 64, size: 56 }
  return {
    name: `conv3x3/${mode}-b32-64x56x56`,
    unit: 'GFLOP/s',
    measure: { how: 'repeat', work },
    amount: flops(work),
    quick: false,
    ceiling: 'fma',
  }
}

/** `arrays`: float32 arrays that must be read or written once each. */
const elementwise = (fn: 'add' | 'exp' | 'gelu' | 'adam', arrays: number): Case => ({
  name: `elementwise/${fn}-16M`,
  unit: 'GB/s',
  measure: { how: 'repeat', work: { kind: 'elementwise', fn, size: million16 } },
  amount: arrays * 4 * million16,
  quick: false,
  ceiling: 'copy',
})

const rows = (fn: 'softmax' | 'layernorm', count: number, columns: number, name: string, quick = false): Case => ({
  name: `${fn}/${name}`,
  unit: 'GB/s',
  measure: { how: 'repeat', work: { kind: 'rows', fn, rows: count, columns } },
  amount: 8 * count * columns,
  quick,
  ceiling: 'copy',
})

const train = (model: ModelName, optimizer: 'sgd' | 'adam', batch: number, name: string, quick = false): Case => ({
  name: `train/${name}`,
  unit: model === 'gpt-tiny' ? 'tokens/s' : 'images/s',
  measure: { how: 'repeat', work: { kind: 'train', model, optimizer, batch } },
  amount: model === 'gpt-tiny' ? batch * gpt.context : batch,
  quick,
})

const lenet: Work = { kind: 'train', model: 'lenet', optimizer: 'sgd', batch: 64 }

const size = (bundle: 'tensor' | 'autograd' | 'optimizers' | 'all-cpu', quick = false): Case => ({
  name: `size/${bundle}`,
  unit: 'gzip bytes',
  measure: { how: 'size', bundle },
  amount: 1,
  quick,
})

/** All cases, in the order in which they run. Their names are fixed: results are compared by them. */
export const cases: readonly Case[] = [
  matmul(256, 256, 256, '256'),
  matmul(512, 512, 512, '512', true),
  matmul(1024, 1024, 1024, '1024'),
  matmul(2048, 2048, 2048, '2048'),
  matmul(64, 784, 120, undefined, true),
  matmul(1000, 784, 120),
  matmul(1000, 120, 84),
  matmul(64, 84, 10),
  matmul(257, 129, 65),
  conv('fwd'),
  conv('train'),
  elementwise('add', 3),
  elementwise('exp', 2),
  elementwise('gelu', 2),
  elementwise('adam', 7),
  rows('softmax', 16_000, 1000, '16000x1000'),
  rows('softmax', 1_000_000, 10, '1Mx10', true),
  rows('layernorm', 16_000, 1000, '16000x1000'),
  train('lenet', 'sgd', 64, 'lenet-sgd-b64', true),
  train('lenet', 'sgd', 1000, 'lenet-sgd-b1000'),
  train('lenet', 'adam', 64, 'lenet-adam-b64'),
  train('lenet', 'adam', 1000, 'lenet-adam-b1000'),
  train('mlp', 'sgd', 64, 'mlp-sgd-b64', true),
  train('mlp', 'sgd', 1000, 'mlp-sgd-b1000'),
  train('mlp', 'adam', 64, 'mlp-adam-b64'),
  train('mlp', 'adam', 1000, 'mlp-adam-b1000'),
  train('resnet8', 'sgd', 64, 'resnet8-b64'),
  train('gpt-tiny', 'adam', 16, 'gpt-tiny-b16'),
  {
    name: 'startup/first-step-lenet',
    unit: 'ms',
    measure: { how: 'startup', work: lenet },
    amount: 1,
    quick: true,
  },
  {
    name: 'overhead/compiled-step-empty',
    unit: 'us',
    measure: { how: 'repeat', work: { kind: 'overhead' } },
    amount: 1,
    quick: true,
  },
  {
    name: 'memory/lenet-10k-steps',
    unit: 'bytes',
    measure: { how: 'memory', work: lenet, steps: 10_000 },
    amount: 1,
    quick: false,
  },
  size('tensor'),
  size('autograd'),
  size('optimizers'),
  size('all-cpu', true),
]

/** The figure of a case when `runs` runs took `seconds`. */
export function figure(unit: Unit, amount: number, runs: number, seconds: number): number {
  const each = seconds / runs
  switch (unit) {
    case 'GFLOP/s':
    case 'GB/s':
      return amount / each / 1e9
    case 'images/s':
    case 'tokens/s':
      return amount / each
    case 'ms':
      return each * 1e3
    case 'us':
      return each * 1e6
    case 'bytes':
    case 'gzip bytes':
      return amount
  }
}
