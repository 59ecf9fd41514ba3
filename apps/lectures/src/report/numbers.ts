import { formatNumber } from '@tessella/training'

/** A count with thousands separators: 10,000. */
export const count = (n: number): string => n.toLocaleString('en-US')

/** A share in percent with three significant digits: 1.47 %. */
export const percent = (share: number): string =>
  Number.isFinite(share) ? `${share === 0 || share === 1 ? 100 * share : (100 * share).toPrecision(3)} %` : '-'

/** How sure a network was: whole percents, without claiming a certainty that rounding made up. */
export const sureness = (probability: number): string => {
  const p = 100 * probability
  if (p >= 99.5 && p < 100) return '> 99 %'
  return `${Math.round(p)} %`
}

/** Bytes in the unit that suits them. */
export function bytes(n: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'] as const
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, n)) / 10)))
  return `${formatNumber(n / 1024 ** power, 3)} ${units[power]}`
}

/** One noun or its plural: 1 epoch, 2 epochs. */
export const plural = (n: number, noun: string): string => `${count(n)} ${noun}${n === 1 ? '' : 's'}`

/** A difference that should be 0, as a power of ten. */
export const tiny = (value: number): string => (value === 0 ? '0' : value.toExponential(1))
