import { flops, type Work } from './work.ts'

/** Work from this size on is tried small before it is done whole: it may take a system minutes. */
const large = 1e9

/** A part of large work, and how many times longer the whole should take; undefined where the work is not large. */
export function smaller(work: Work): { readonly work: Work; readonly times: number } | undefined {
  if (flops(work) < large) return undefined
  const part = (size: number): number => Math.ceil(size / 16)
  switch (work.kind) {
    case 'matmul':
      return { work: { ...work, m: part(work.m) }, times: work.m / part(work.m) }
    case 'conv3x3':
    case 'train':
      return { work: { ...work, batch: part(work.batch) }, times: work.batch / part(work.batch) }
    default:
      return undefined
  }
}
