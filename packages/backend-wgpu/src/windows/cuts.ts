import type { Kernel } from '@tessella/compiler'
import { type Cut, plainCut } from './cut.ts'
import { type DomainKernel, halvesOf, restrict } from './domain.ts'
import { cutGather } from './gather.ts'
import { cutConv, cutPool } from './images.ts'
import { cutCumulative, cutLines, cutScatter, cutScatterLines } from './lines.ts'
import { cutInner, sumOfParts } from './partials.ts'
import type { Workspace } from './workspace.ts'

type Rows = {
  readonly [K in Kernel['kind']]: (
    kernel: Extract<Kernel, { readonly kind: K }>,
    workspace: Workspace,
  ) => readonly (Cut | undefined)[]
}

/** The ways to take each kind of kernel in parts. */
const rows: Rows = {
  map: (kernel, workspace) => [...cutDomain(kernel), cutGather(kernel, workspace)],
  reduce: (kernel, workspace) => [...cutDomain(kernel), cutInner(kernel, workspace)],
  rows: cutDomain,
  matmul: (kernel, workspace) => [...cutDomain(kernel), cutDepth(kernel, workspace)],
  conv: cutConv,
  convGradInput: cutConv,
  convGradWeight: cutConv,
  maxPool: cutPool,
  maxPoolGrad: cutPool,
  maxPoolPick: cutPool,
  cumulative: (kernel, workspace) => [cutLines(kernel, workspace), cutCumulative(kernel, workspace)],
  argsort: (kernel, workspace) => [cutLines(kernel, workspace)],
  scatterAdd: (kernel, workspace) => [cutScatterLines(kernel, workspace), cutScatter(kernel, workspace)],
}

export function cutsOf(kernel: Kernel, workspace: Workspace): readonly Cut[] {
  const row = rows[kernel.kind] as (kernel: Kernel, workspace: Workspace) => readonly (Cut | undefined)[]
  return row(kernel, workspace).filter((cut) => cut !== undefined)
}

/** In halves of each dimension of the domain. */
function cutDomain(kernel: DomainKernel): readonly Cut[] {
  return kernel.domain.flatMap((n, dim) =>
    n > 1 ? [plainCut(halvesOf(n).map(([first, length]) => restrict(kernel, dim, first, length)))] : [],
  )
}

/** A product as the sum of two over half of k each. */
function cutDepth(kernel: Extract<Kernel, { kind: 'matmul' }>, workspace: Workspace): Cut | undefined {
  if (kernel.k === 1) return undefined
  const parts = halvesOf(kernel.k).map(([first, k]) => {
    const a = { ...kernel.a, offset: kernel.a.offset + first * kernel.a.colStride }
    const b = { ...kernel.b, offset: kernel.b.offset + first * kernel.b.rowStride }
    return { ...kernel, k, a, b }
  })
  return sumOfParts(kernel, parts, workspace)
}
