import { type Expr, type Kernel, mapExprs, walkExprs } from '@tessella/compiler'
import { sizeOf } from '@tessella/ir'
import type { Cut } from './cut.ts'
import { halvesOf } from './domain.ts'
import { rowMajor } from './partials.ts'
import type { Workspace } from './workspace.ts'

type MapKernel = Extract<Kernel, { kind: 'map' }>
type Gather = Extract<Expr, { kind: 'gather' }>

/** What a map gathers from the most memory is brought first, from one half and then from the other, into scratch memory. */
export function cutGather(kernel: MapKernel, workspace: Workspace): Cut | undefined {
  const { domain, writes } = kernel
  const gather = widest(kernel)
  const [store] = writes
  if (gather === undefined || store === undefined) return undefined
  const { dtype } = gather
  const pieces = halvesOf(gather.size).map(([first, size]) => pieceOf(gather, first, size))
  const bring = (value: Expr): MapKernel => ({ kind: 'map', domain, writes: [{ ...store, value }] })
  const make = (): readonly Kernel[] => {
    const at = rowMajor(domain)
    const [buffer = 0] = workspace.scratch([{ dtype, length: sizeOf(domain) }])
    const found: Expr = { kind: 'load', dtype, buffer, at }
    const brought = pieces.map(({ value, isHere }, i): MapKernel => {
      const kept: Expr = i === 0 ? value : { kind: 'select', dtype, condition: isHere, a: value, b: found }
      return { kind: 'map', domain, writes: [{ buffer, at, value: kept }] }
    })
    const rest = mapExprs((e, original) => (original === gather ? found : e))
    return [...brought, { ...kernel, writes: writes.map((w) => ({ ...w, value: rest(w.value) })) }]
  }
  // A store of the kernel's stands for the scratch memory, which is as large.
  return { parts: pieces.map(({ value }) => bring(value)), make }
}

function widest({ writes }: MapKernel): Gather | undefined {
  let found: Gather | undefined
  const reach = (g: Gather | undefined) => (g ? Math.abs(g.stride) * (g.size - 1) : 0)
  const visit = (e: Expr) => {
    if (e.kind === 'gather' && reach(e) > reach(found)) found = e
  }
  walkExprs(
    writes.map((w) => w.value),
    visit,
  )
  return found
}

/** The gather from `size` places on from `first`, and whether an index is not before them. */
function pieceOf(gather: Gather, first: number, size: number): { readonly value: Gather; readonly isHere: Expr } {
  const dtype = 'int32'
  const given = gather.index
  const index: Expr = given.dtype === dtype ? given : { kind: 'cast', dtype, x: given }
  const from: Expr = { kind: 'constant', dtype, value: first }
  const at = { ...gather.at, offset: gather.at.offset + first * gather.stride }
  return {
    value: { ...gather, at, size, index: { kind: 'binary', dtype, fn: 'sub', a: index, b: from } },
    isHere: { kind: 'binary', dtype: 'bool', fn: 'ge', a: index, b: from },
  }
}
