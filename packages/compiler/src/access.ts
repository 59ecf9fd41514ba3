import { internalError } from '@tessella/ir'
import { sameAffine } from './affine.ts'
import { walkExprs } from './expr.ts'
import type { Affine, Expr, Kernel, Write } from './program.ts'

/** One load or store; a kernel's points do their loads before their stores, pass by pass. */
export interface Touch {
  readonly buffer: number
  /** Undefined for kernels that write a whole buffer. */
  readonly at: Affine | undefined
  readonly pass: number
}

/** How a kernel touches buffers. */
export interface Access {
  readonly writes: readonly Touch[]
  /** Loads at a point of the stores' domain. */
  readonly loads: readonly Touch[]
  /** Buffers read in another order: operands, gathers, what reductions read. */
  readonly operands: ReadonlySet<number>
}

function loadsOf(roots: readonly Expr[], operands: Set<number>, pass = 0): Touch[] {
  const loads: Touch[] = []
  walkExprs(roots, (e) => {
    if (e.kind === 'load') loads.push({ buffer: e.buffer, at: e.at, pass })
    else if (e.kind === 'gather') operands.add(e.buffer)
    else if (e.kind === 'random') operands.add(e.key)
  })
  return loads
}

const valuesOf = (list: readonly { readonly value: Expr }[]): Expr[] => list.map((entry) => entry.value)

/** The buffers that a convolution or a gradient of one reads whole. */
function convOperands({ kind, a, b, pooled }: Extract<Kernel, { pooled?: unknown }>): number[] {
  if (!pooled) return [a.buffer, b.buffer]
  return [pooled.values, pooled.places, kind === 'convGradInput' ? (pooled.weights ?? b.buffer) : a.buffer]
}

function fixedOperands(kernel: Kernel): number[] {
  switch (kernel.kind) {
    case 'map':
    case 'reduce':
    case 'rows':
      return []
    case 'matmul':
      return [kernel.a.buffer, kernel.b.buffer]
    case 'conv':
    case 'convGradInput':
    case 'convGradWeight':
      return convOperands(kernel)
    case 'maxPool':
      return [kernel.x.buffer]
    case 'maxPoolGrad':
    case 'maxPoolPick':
      return [kernel.places ?? kernel.x.buffer, kernel.other.buffer]
    case 'cumulative':
    case 'argsort':
      return [kernel.x]
    case 'scatterAdd':
      return [kernel.index, kernel.values]
  }
}

/** Every load, store and operand of a kernel. */
export function accessOf(kernel: Kernel): Access {
  const operands = new Set(fixedOperands(kernel))
  if ('out' in kernel) return { writes: [{ buffer: kernel.out, at: undefined, pass: 0 }], loads: [], operands }
  if (kernel.kind === 'reduce')
    for (const { buffer } of loadsOf(valuesOf(kernel.accumulators), operands)) operands.add(buffer)
  const passes = kernel.kind === 'rows' ? kernel.passes : []
  const last = passes.length
  const loads = passes.flatMap((p, i) => loadsOf(valuesOf([...p.accumulators, ...p.writes]), operands, i))
  const touch =
    (pass: number) =>
    (w: Write): Touch => ({ buffer: w.buffer, at: w.at, pass })
  const places: Touch[] =
    kernel.kind === 'maxPool' && kernel.places !== undefined ? [{ buffer: kernel.places, at: undefined, pass: 0 }] : []
  return {
    writes: [...places, ...passes.flatMap((p, i) => p.writes.map(touch(i))), ...kernel.writes.map(touch(last))],
    loads: [...loads, ...loadsOf(valuesOf(kernel.writes), operands, last)],
    operands,
  }
}

/** True when the kernel may write `written` into the memory of `read`: every load of it comes first, at the address of the store. */
export function mayOverwrite({ writes, loads, operands }: Access, read: number, written: number): boolean {
  if (operands.has(read)) return false
  const [store, ...more] = writes.filter((w) => w.buffer === written)
  if (store === undefined) throw internalError('a buffer is not written where it should be')
  const { at, pass } = store
  if (more.length > 0 || at === undefined) return !loads.some((l) => l.buffer === read)
  return loads.every((l) => l.buffer !== read || (l.pass <= pass && l.at !== undefined && sameAffine(l.at, at)))
}
