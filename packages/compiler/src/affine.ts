import { type Dims, stridesOf } from '@tessella/ir'
import type { Affine } from './program.ts'

/** A dimension of a kernel's domain to be cut in two, the inner part of size `inner`. */
export interface Split {
  readonly dim: number
  readonly inner: number
}

/** A digit of a mixed-radix number: it counts `coefficient`s and stays below `extent`. */
export interface Place {
  readonly coefficient: number
  readonly extent: number
}

/** The row-major position in `domain`; sizes of 1 get stride 0, so that equal forms look equal. */
export function rowMajor(domain: Dims): Affine {
  const strides = stridesOf(domain)
  for (let i = 0; i < strides.length; i++) if (domain[i] === 1) strides[i] = 0
  return { offset: 0, strides }
}

export const affineKey = (a: Affine): string => `${a.offset}:${a.strides.join()}`

export function sameAffine(a: Affine, b: Affine): boolean {
  if (a.offset !== b.offset || a.strides.length !== b.strides.length) return false
  for (let i = 0; i < a.strides.length; i++) if (a.strides[i] !== b.strides[i]) return false
  return true
}

/** offset + sum(coefficients[i] * terms[i]) over a domain of `rank` dimensions. */
export function combine(offset: number, coefficients: Dims, terms: readonly Affine[], rank: number): Affine {
  let sum = offset
  const strides = new Array<number>(rank).fill(0)
  for (let i = 0; i < terms.length; i++) {
    const c = coefficients[i] as number
    const term = terms[i] as Affine
    if (c === 0) continue
    sum += c * term.offset
    for (let d = 0; d < rank; d++) strides[d] = (strides[d] as number) + c * (term.strides[d] as number)
  }
  return { offset: sum, strides }
}

/** The same form after `split` cut a dimension. */
export function splitAffine(a: Affine, { dim, inner }: Split): Affine {
  const c = a.strides[dim] as number
  return { offset: a.offset, strides: a.strides.toSpliced(dim, 1, c * inner, c) }
}

export function splitDims(domain: Dims, { dim, inner }: Split): number[] {
  return domain.toSpliced(dim, 1, (domain[dim] as number) / inner, inner)
}

/**
 * Writes `value` as sum(coefficient * digit) with every digit affine in the domain and inside its extent.
 * Answers the digits, or the split of a domain dimension that brings them nearer, or undefined when no affine
 * digits exist. Dimensions that count down are mirrored, so flips do not hinder.
 */
export function digits(value: Affine, domain: Dims, places: readonly Place[]): Affine[] | Split | undefined {
  const rank = domain.length
  const only = places[0]
  if (places.length === 1 && only?.coefficient === 1) return isWithin(value, domain, only.extent) ? [value] : undefined
  const order = places.map((_, i) => i).filter((i) => (places[i] as Place).extent > 1)
  order.sort((p, q) => (places[q] as Place).coefficient - (places[p] as Place).coefficient)
  const coefficient = (p: number) => (places[p] as Place).coefficient
  let room = 0
  for (let i = order.length - 1; i >= 0; i--) {
    const p = order[i] as number
    if (coefficient(p) <= room) return undefined
    room += coefficient(p) * ((places[p] as Place).extent - 1)
  }

  let rest = value.offset
  for (let d = 0; d < rank; d++) {
    const c = value.strides[d] as number
    if (c < 0) rest += c * ((domain[d] as number) - 1)
  }
  if (rest < 0) return undefined
  const low = new Array<number>(places.length).fill(0)
  const span = new Array<number>(places.length).fill(0)
  for (const p of order) {
    low[p] = Math.floor(rest / coefficient(p))
    rest -= (low[p] as number) * coefficient(p)
  }
  if (rest !== 0) return undefined

  const offsets = low.slice()
  const strides = places.map(() => new Array<number>(rank).fill(0))
  const home = new Array<number>(rank).fill(-1)
  for (let d = 0; d < rank; d++) {
    const c = value.strides[d] as number
    const size = Math.abs(c)
    if (size === 0 || domain[d] === 1) continue
    const at = order.findIndex((p) => coefficient(p) <= size)
    const p = order[at]
    if (p === undefined || size % coefficient(p) !== 0) return undefined
    const m = size / coefficient(p)
    const reach = m * ((domain[d] as number) - 1)
    span[p] = (span[p] as number) + reach
    if (c < 0) offsets[p] = (offsets[p] as number) + reach
    ;(strides[p] as number[])[d] = c < 0 ? -m : m
    home[d] = at
  }
  for (let i = order.length - 1; i >= 0; i--) {
    const p = order[i] as number
    if ((low[p] as number) + (span[p] as number) < (places[p] as Place).extent) continue
    return findSplit(value, domain, home, i, i > 0 ? coefficient(order[i - 1] as number) : 0)
  }
  return places.map((_, p) => ({ offset: offsets[p] as number, strides: strides[p] as number[] }))
}

/** Whether no two points of the domain have the same value, as far as sizes of strides tell. */
export function isInjective({ strides }: Affine, domain: Dims): boolean {
  const dims = domain.map((_, d) => d).filter((d) => (domain[d] as number) > 1)
  const size = (d: number) => Math.abs(strides[d] as number)
  let reach = 0
  for (const d of dims.sort((a, b) => size(a) - size(b))) {
    if (size(d) <= reach) return false
    reach += size(d) * ((domain[d] as number) - 1)
  }
  return true
}

/** Whether the form stays in [0, extent) over the domain. */
function isWithin(value: Affine, domain: Dims, extent: number): boolean {
  let low = value.offset
  let high = value.offset
  for (const [d, size] of domain.entries()) {
    const reach = (value.strides[d] as number) * (size - 1)
    if (reach < 0) low += reach
    else high += reach
  }
  return low >= 0 && high < extent
}

/** A dimension of place `at` that reaches `next`, the coefficient of the place above. */
function findSplit(value: Affine, domain: Dims, home: Dims, at: number, next: number): Split | undefined {
  for (let d = 0; d < domain.length; d++) {
    const size = Math.abs(value.strides[d] as number)
    const inner = next / size
    if (home[d] !== at || !Number.isInteger(inner) || inner < 2) continue
    const extent = domain[d] as number
    if (inner < extent && extent % inner === 0) return { dim: d, inner }
  }
  return undefined
}
