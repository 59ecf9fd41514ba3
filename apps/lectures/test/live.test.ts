import { mnist } from '@tessella/datasets'
import { disposeBackend, useBackend } from '@tessella/tensor'
import { reference } from '@tessella/testing'
import { afterAll, describe, expect, it } from 'vitest'
import { toMnist } from '../src/live/digit.ts'
import { mayOpen, type Surroundings } from '../src/live/open.ts'
import { pace } from '../src/live/pace.ts'
import type { Job, News } from '../src/live/protocol.ts'
import { commandOf, fromQuery, type Settings, toQuery } from '../src/live/settings.ts'
import { after, doneRuns, first, isBusy, speedOf, started, statusOf } from '../src/live/state.ts'
import { trainer } from '../src/live/trainer.ts'
import { tinyData } from './support/samples.ts'

const usual: Settings = { model: 'both', backend: 'auto', epochs: 15, seed: 1, quick: false }
const odd: Settings = { model: 'cnn', backend: 'wgpu', epochs: 3, seed: 0, quick: true, threads: 2 }

describe('settings in an address', () => {
  it.each([usual, odd, { ...usual, quick: true, epochs: 2 }])('come back: %j', (settings) => {
    expect(fromQuery(toQuery(settings))).toEqual(settings)
  })
  it('leaves out what is usual, in the command too', () => {
    expect(toQuery(usual)).toBe('')
    expect(commandOf(odd)).toBe(
      'npx pnpm@12 start --browser --model cnn --backend wgpu --quick --epochs 3 --seed 0 --threads 2',
    )
  })
  it.each(['?epochs=0', '?epochs=many', '?epochs=1e3', '?seed=-1', '?model=lenet', '?backend=gpu', '?threads=0'])(
    'makes what is usual of %s',
    (query) => expect(fromQuery(query)).toEqual(usual),
  )
})

describe('mayOpen', () => {
  const desk: Surroundings = { platform: 'linux', terminal: true, environment: { DISPLAY: ':0' } }
  it.each<[string, Surroundings, boolean]>([
    ['a desktop', desk, true],
    ['Wayland', { ...desk, environment: { WAYLAND_DISPLAY: 'wayland-0' } }, true],
    ['macOS', { ...desk, platform: 'darwin', environment: {} }, true],
    ['no display', { ...desk, environment: {} }, false],
    ['CI', { ...desk, environment: { DISPLAY: ':0', CI: 'true' } }, false],
    ['CI on Windows', { ...desk, platform: 'win32', environment: { CI: '1' } }, false],
    ['a remote shell', { ...desk, environment: { DISPLAY: ':0', SSH_CONNECTION: '1 2 3 4' } }, false],
    ['no terminal', { ...desk, terminal: false }, false],
  ])('%s: %#', (_, surroundings, wanted) => expect(mayOpen(surroundings)).toBe(wanted))
})

describe('toMnist', () => {
  const draw = (width: number, height: number, ink: (x: number, y: number) => boolean) => ({
    width,
    height,
    ink: Uint8Array.from({ length: width * height }, (_, i) => (ink(i % width, Math.floor(i / width)) ? 255 : 0)),
  })

  it('is nothing without ink', () => expect(toMnist(draw(280, 280, () => false))).toBeUndefined())

  it('makes a bar 20 pixels high, centred, wherever and however large it was drawn', () => {
    const wanted = new Uint8Array(784)
    for (let y = 4; y < 24; y++) wanted.fill(255, y * 28 + 13, y * 28 + 15)
    const large = toMnist(draw(280, 280, (x, y) => x >= 200 && x < 220 && y >= 40 && y < 240))
    const small = toMnist(draw(100, 100, (x, y) => x < 4 && y >= 60))
    expect(large).toEqual(wanted)
    expect(small).toEqual(wanted)
  })

  it('puts the centre of mass in the middle, not that of the box', () => {
    // A seven without its serif: heavy above.
    const seven = toMnist(
      draw(280, 280, (x, y) => (y < 30 && x < 200) || (x >= 170 && x < 200 && y < 200)),
    ) as Uint8Array
    let [mass, sumX, sumY] = [0, 0, 0]
    for (const [i, ink] of seven.entries()) {
      mass += ink
      sumX += ink * ((i % 28) + 0.5)
      sumY += ink * (Math.floor(i / 28) + 0.5)
    }
    expect(Math.abs(sumX / mass - 14)).toBeLessThan(0.51)
    expect(Math.abs(sumY / mass - 14)).toBeLessThan(0.51)
  })

  it('gives back MNIST’s own digits but for a shift by a pixel', async () => {
    const { test } = await mnist()
    for (let i = 0; i < 20; i++) {
      const { images } = test.at(i)
      const again = toMnist({ width: 28, height: 28, ink: images }) as Uint8Array
      const apart = [-29, -28, -27, -1, 0, 1, 27, 28, 29].map((shift) =>
        images.reduce((sum, ink, at) => sum + Math.abs(ink - (again[at + shift] ?? 0)), 0),
      )
      expect(Math.min(...apart) / images.reduce((a, b) => a + b, 0)).toBeLessThan(0.25)
    }
  })
})

describe('pace', () => {
  it('waits while it is paused and says how long', async () => {
    const step = pace()
    expect(await step.turn()).toBe(0)
    step.pause()
    const heard: boolean[] = []
    const turn = step.turn((begins) => {
      heard.push(begins)
      if (begins) setTimeout(() => step.resume(), 20)
    })
    expect(await turn).toBeGreaterThan(0.015)
    expect(heard).toEqual([true, false])
    expect(await step.turn()).toBe(0)
  })
})

const job: Job = { model: 'mlp', backend: 'cpu', epochs: 2, seed: 7, quick: false }

describe('state', () => {
  const machine = 'a browser'
  const date = new Date(0)
  const step = (epoch: number, n: number, seconds: number): News => ({
    kind: 'step',
    model: 'cnn',
    epoch,
    step: n,
    steps: 4,
    loss: 2 - epoch,
    seconds,
  })
  const told = (both: Job, news: readonly News[]) => news.reduce(after, started(first, both, date, machine))
  const both: Job = { ...job, model: 'both' }
  const ready: News = { kind: 'ready', backend: 'cpu', batch: 10, trainImages: 40, testImages: 20 }
  const begin: News = { kind: 'begin', model: 'cnn', initialErrors: 18 }

  it('knows speed, share of the work and time left', () => {
    const running = told(both, [ready, begin, step(0, 0, 2)])
    // The second of two networks, a quarter of its first epoch of two: 8 s an epoch.
    expect(speedOf(running)).toEqual({ share: 0.5 + 0.125 / 2, imagesPerSecond: 5, secondsLeft: 14 })
    const next = told(both, [
      ready,
      begin,
      step(0, 3, 8),
      { kind: 'epoch', model: 'cnn', record: { loss: 2, errors: 5, seconds: 10 } },
    ])
    expect(speedOf(next)).toEqual({ share: 0.75, imagesPerSecond: 5, secondsLeft: 10 })
    expect(statusOf(next)).toBe('CNN, epoch 1 of 2.')
    expect(speedOf(first)).toBeUndefined()
  })

  it('is stopped only when the step is over, and does not run again by late news', () => {
    const stopping = { ...told(both, [ready, begin]), phase: 'stopping' as const }
    expect([after(stopping, ready).phase, after(stopping, { kind: 'resumed' }).phase]).toEqual(['stopping', 'stopping'])
    expect(after(stopping, { kind: 'end', stopped: true }).phase).toBe('stopped')
  })

  it('fails with the job, not with a drawing that could not be read', () => {
    const running = told(both, [ready, begin])
    expect(after(running, { kind: 'failed', message: 'x', ended: false })).toMatchObject({
      phase: 'running',
      problem: 'x',
    })
    expect(after(running, { kind: 'failed', message: 'x', ended: true }).phase).toBe('failed')
  })
})

describe('trainer', { timeout: 30_000 }, () => {
  afterAll(() => disposeBackend())

  function place(attach: () => Promise<string> = async () => 'reference') {
    let state = started(first, job, new Date(0), 'Node')
    const kinds: string[] = []
    let hear = (_: News): void => {}
    const orders = trainer({
      tell: (news) => {
        kinds.push(news.kind)
        state = after(state, news)
        hear(news)
      },
      attach: async () => {
        await useBackend(reference())
        return attach()
      },
      mnist: async () => tinyData(),
    })
    return { orders, kinds, state: () => state, on: (listener: (news: News) => void) => (hear = listener) }
  }

  it('tells of every step and epoch, then of the run, and reads afterwards', async () => {
    const { orders, kinds, state } = place()
    await orders({ kind: 'start', job })
    expect(kinds).toEqual(['loading', 'ready', 'begin', 'step', 'epoch', 'step', 'epoch', 'run', 'end'])
    expect(doneRuns(state())).toHaveLength(1)
    await orders({ kind: 'read', pixels: new Uint8Array(784) })
    const [reading] = state().readings
    expect(reading?.model).toBe('mlp')
    expect(reading?.probabilities.reduce((a, b) => a + b)).toBeCloseTo(1, 5)
    await orders({ kind: 'pick', at: 0.99 })
    expect(kinds.at(-1)).toBe('readings')
  })

  it('stops from a pause, after the running step', async () => {
    const { orders, kinds, state, on } = place()
    on((news) => {
      if (news.kind === 'step') void orders({ kind: 'pause' })
      if (news.kind === 'paused') setTimeout(() => void orders({ kind: 'stop' }), 10)
    })
    await orders({ kind: 'start', job: { ...job, epochs: 50 } })
    expect(kinds).toEqual(['loading', 'ready', 'begin', 'step', 'paused', 'resumed', 'run', 'end'])
    expect(state().phase).toBe('stopped')
    expect(doneRuns(state())[0]).toMatchObject({ complete: false, epochs: [], stepLosses: [expect.any(Number)] })
  })

  it('tells what failed, and can be started again', async () => {
    let broken = true
    const { orders, state } = place(async () => {
      if (broken) throw new Error('no such device')
      return 'reference'
    })
    await orders({ kind: 'start', job })
    expect(state()).toMatchObject({ phase: 'failed', problem: 'no such device' })
    expect(isBusy(state().phase)).toBe(false)
    broken = false
    await orders({ kind: 'start', job })
    expect(state().phase).toBe('done')
  })
})
