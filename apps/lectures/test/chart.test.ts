import { describe, expect, it } from 'vitest'
import { logTicks, spread, wholeTicks } from '../src/report/chart.ts'
import { escapeText, html } from '../src/report/html.ts'
import { smooth, thin } from '../src/report/lossChart.ts'
import { bytes, percent, plural, sureness } from '../src/report/numbers.ts'

describe('html', () => {
  it('escapes text and numbers of others, not markup; joins lists; drops nothing-values', () => {
    const inner = html`<b>${'<&>'}</b>`
    expect(html`<p title="${`"'`}">${[inner, 'a', [1, 2]]}${undefined}${false}</p>`.markup).toBe(
      '<p title="&quot;&#39;"><b>&lt;&amp;&gt;</b>a12</p>',
    )
    expect(escapeText('plain')).toBe('plain')
  })
})

describe('ticks', () => {
  it.each([
    [100, 1000, [100, 150, 200, 300, 400, 500, 700, 1000], 8],
    [100, 1000, [100, 200, 300, 500, 1000], 7],
    [0.01, 3, [0.01, 0.03, 0.1, 0.3, 1, 3], 7],
    [140, 290, [150, 200, 250], 7],
    [1e-9, 1e9, Array.from({ length: 19 }, (_, i) => Number(`1e${i - 9}`)), 7],
  ] as const)('of a logarithmic axis from %f to %f', (low, high, ticks, most) => {
    expect(logTicks(low, high, most)).toEqual(ticks)
  })

  it.each([
    [1, 15, 16, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]],
    [1, 15, 8, [1, 3, 5, 7, 9, 11, 13, 15]],
    [1, 1, 8, [1]],
    [0, 100, 8, [0, 20, 40, 60, 80, 100]],
  ] as const)('of whole numbers from %i to %i', (first, last, most, ticks) => {
    expect(wholeTicks(first, last, most)).toEqual(ticks)
  })
})

describe('spread', () => {
  it.each([
    [
      [10, 50],
      [10, 50],
    ],
    [
      [10, 12, 14],
      [10, 20, 30],
    ],
    [
      [95, 97, 99],
      [80, 90, 100],
    ],
    [[], []],
  ] as const)('%j', (places, out) => expect(spread(places, 10, 100)).toEqual(out))
})

describe('loss lines', () => {
  it('keeps a level line level and the first loss as it is', () => {
    expect(smooth([4, 4, 4, 4], 2)).toEqual([4, 4, 4, 4].map((v) => expect.closeTo(v, 12)))
    expect(smooth([8, 2, 1], 5)).toEqual([8, Math.cbrt(16), Math.cbrt(16)].map((v) => expect.closeTo(v, 12)))
    expect(smooth([], 3)).toEqual([])
  })

  it('thins to the lowest and highest point of every stretch, in order', () => {
    const points = [5, 9, 1, 3, 7, 7, 2, 2].map((y, x) => [x, y] as const)
    expect(thin(points, 8)).toBe(points)
    expect(thin(points, 4)).toEqual([
      [1, 9],
      [2, 1],
      [4, 7],
      [6, 2],
    ])
  })
})

describe('numbers', () => {
  it('have the digits they deserve', () => {
    expect([0.0147, 0, 1, 0.5, 0.017, Number.NaN].map(percent)).toEqual([
      '1.47 %',
      '0 %',
      '100 %',
      '50.0 %',
      '1.70 %',
      '-',
    ])
    expect([0.999, 0.984, 1, 0.2].map(sureness)).toEqual(['> 99 %', '98 %', '100 %', '20 %'])
    expect([0, 1023, 43_000_000, 2 ** 45].map(bytes)).toEqual(['0 B', '1023 B', '41.0 MiB', '32768 GiB'])
    expect([0, 1, 1234].map((n) => plural(n, 'error'))).toEqual(['0 errors', '1 error', '1,234 errors'])
  })
})
