import type { Expr, Kernel } from '@tessella/compiler'
import { buffersOf } from '../kernels/buffers.ts'

function operandsOf(kernel: Kernel): number[] {
  switch (kernel.kind) {
    case 'map':
    case 'reduce':
    case 'rows':
      return []
    case 'matmul':
    case 'conv':
    case 'convGradInput':
    case 'convGradWeight':
      return [kernel.a.buffer, kernel.b.buffer]
    case 'maxPool':
      return [kernel.x.buffer]
    case 'maxPoolGrad':
    case 'maxPoolPick':
      return [kernel.x.buffer, kernel.other.buffer]
    case 'cumulative':
    case 'argsort':
      return [kernel.x, kernel.out]
    case 'scatterAdd':
      return [kernel.index, kernel.values, kernel.out]
  }
}

/** All buffers that a kernel reads or writes. */
export function touched(kernel: Kernel): Set<number> {
  const parts: { readonly value: Expr }[] = []
  const written: number[] = []
  if ('accumulators' in kernel) parts.push(...kernel.accumulators)
  for (const pass of kernel.kind === 'rows' ? kernel.passes : []) parts.push(...pass.accumulators, ...pass.writes)
  if ('writes' in kernel) parts.push(...kernel.writes)
  if (kernel.kind === 'rows') for (const pass of kernel.passes) written.push(...pass.writes.map((w) => w.buffer))
  if ('writes' in kernel) written.push(...kernel.writes.map((w) => w.buffer))
  return new Set([...operandsOf(kernel), ...buffersOf(parts.map((part) => part.value)), ...written])
}
