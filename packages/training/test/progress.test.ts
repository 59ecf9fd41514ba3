import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { formatNumber, formatSeconds, type ProgressOptions, progress, type TrainingEvent } from '../src/index.ts'

const events: readonly TrainingEvent[] = [
  { type: 'epoch-start', epoch: 0, epochs: 10, steps: 4 },
  { type: 'step', epoch: 0, step: 0, steps: 4, loss: 2.3031, seconds: 1 },
  { type: 'step', epoch: 0, step: 1, steps: 4, loss: 0.0000123, seconds: 2 },
  { type: 'epoch-end', epoch: 0, epochs: 10, loss: 1.15, metrics: { errors: 264, share: 0.0264 }, seconds: 4 },
  { type: 'epoch-start', epoch: 1, epochs: 10, steps: 4 },
  { type: 'step', epoch: 1, step: 3, steps: 4, loss: 1, seconds: 90 },
  { type: 'epoch-end', epoch: 1, epochs: 10, loss: 1, metrics: {}, seconds: 90 },
  { type: 'end', reason: 'aborted', epochs: 2, seconds: 94 },
]

/** What a stream gets, each write on a line of its own and control characters as words. */
function shown(
  options: Omit<ProgressOptions, 'stream'> & { isTTY?: boolean; columns?: number },
  of = events,
): string[] {
  const writes: string[] = []
  const { isTTY = false, columns, ...rest } = options
  const stream = { write: (text: string) => writes.push(text), isTTY, ...(columns === undefined ? {} : { columns }) }
  const line = progress({ stream, ...rest })
  for (const e of of) {
    line.event(e)
    vi.advanceTimersByTime(1000)
  }
  line.close()
  return writes.map((w) => w.replace('\r\u001b[2K', '<clear>').replaceAll('\u001b[', '<').replace(/\n$/, '<end>'))
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
afterEach(() => void vi.useRealTimers())

const plain = [
  'epoch  1/10  loss 1.150  errors 264  share 0.02640  4.0 s  left 36 s<end>',
  'epoch  2/10  loss 1  1:30 min  left 6:16 min<end>',
]
const aborted = 'aborted after 2 epochs<end>'

describe('progress', () => {
  it('redraws one line on a terminal', () => {
    expect(shown({ isTTY: true, columns: 100, color: false })).toEqual([
      '<clear>epoch  1/10 █████                1/4  loss 2.303  1.0 s  left 39 s',
      '<clear>epoch  1/10 ██████████           2/4  loss 1.230e-5  2.0 s  left 38 s',
      '<clear>',
      plain[0],
      '<clear>epoch  2/10 ████████████████████ 4/4  loss 1  1:30 min  left 32 s',
      '<clear>',
      plain[1],
      aborted,
    ])
  })

  it.each([
    ['no terminal', {}],
    ['CI', { isTTY: true, environment: { CI: 'true', NO_COLOR: '1' } }],
    ['a dumb terminal', { isTTY: true, environment: { TERM: 'dumb' } }],
    ['live: false', { isTTY: true, live: false, color: false }],
  ])('prints a line per epoch: %s', (_, options) => {
    expect(shown(options)).toEqual([...plain, aborted])
  })

  it.each<[string, Parameters<typeof shown>[0], boolean]>([
    ['a terminal', { isTTY: true }, true],
    ['no terminal', {}, false],
    ['NO_COLOR', { isTTY: true, environment: { NO_COLOR: '1' } }, false],
    ['an empty NO_COLOR', { isTTY: true, environment: { NO_COLOR: '' } }, true],
    ['FORCE_COLOR without a terminal', { environment: { FORCE_COLOR: '1' } }, true],
    ['FORCE_COLOR=0', { environment: { FORCE_COLOR: '0' } }, false],
    ['FORCE_COLOR against NO_COLOR', { environment: { FORCE_COLOR: '1', NO_COLOR: '1' } }, true],
    ['a dumb terminal', { isTTY: true, environment: { TERM: 'dumb' } }, false],
  ])('colours: %s', (_, options, coloured) => {
    const [line] = shown({ ...options, live: false })
    expect(line).toBe(
      coloured
        ? 'epoch  1/10  loss 1.150  errors <1m264<0m  share <1m0.02640<0m  4.0 s<2m  left 36 s<0m<end>'
        : plain[0],
    )
  })

  it('never writes into the last column', () => {
    for (const columns of [1, 10, 40]) {
      const live = shown({ isTTY: true, columns, color: false }).filter((w) => /^<clear>./.test(w))
      for (const w of live) expect(w.length - '<clear>'.length).toBeLessThan(Math.max(columns, 1))
    }
    expect(shown({ isTTY: true, columns: 20, color: false })[0]).toBe('<clear>epoch  1/10 █████  ')
  })

  it('takes 0 columns, which some terminals report, for unknown', () => {
    expect(shown({ isTTY: true, columns: 0, color: false })).toEqual(shown({ isTTY: true, color: false }))
  })

  it('draws no more than ten times a second, but the last step always', () => {
    const steps = Array.from(
      { length: 100 },
      (_, step) => ({ type: 'step', epoch: 0, step, steps: 100, loss: 1, seconds: 1 }) as const,
    )
    const writes: string[] = []
    const line = progress({ stream: { write: (t) => writes.push(t), isTTY: true }, environment: {} })
    for (const e of steps) line.event(e)
    expect(writes.length).toBe(2)
    expect(writes[1]).toContain('100/100')
  })

  it('does not know how many steps there are', () => {
    const unknown = [
      { type: 'epoch-start', epoch: 0, epochs: 1, steps: 0 },
      { ...events[1], steps: 0 },
    ] as TrainingEvent[]
    expect(shown({ isTTY: true, columns: 100 }, unknown)).toEqual([
      '<clear>epoch 1/1                      1/?  loss 2.303  1.0 s  left -',
      '<clear>',
    ])
  })

  it('labels its lines, and says nothing at a good end', () => {
    const end = { type: 'end', reason: 'finished', epochs: 2, seconds: 1 } as const
    expect(shown({ label: 'mlp  ' }, [events[0], events[3], end] as TrainingEvent[])).toEqual([`mlp  ${plain[0]}`])
  })
})

describe('formats', () => {
  it.each([
    [0.04, '0.0 s'],
    [9.94, '9.9 s'],
    [12.4, '12 s'],
    [59.6, '1:00 min'],
    [3599.6, '1:00:00 h'],
    [3725, '1:02:05 h'],
    [Number.NaN, '-'],
    [Number.POSITIVE_INFINITY, '-'],
  ])('%d seconds are %s', (seconds, text) => expect(formatSeconds(seconds)).toBe(text))

  it.each([
    [0, '0'],
    [264, '264'],
    [0.026412, '0.02641'],
    [-1.5, '-1.500'],
    [0.0000123456, '1.235e-5'],
    [1234567.5, '1.235e+6'],
    [Number.NaN, 'NaN'],
    [Number.NEGATIVE_INFINITY, '-Infinity'],
  ])('%d is %s', (value, text) => expect(formatNumber(value)).toBe(text))
})
