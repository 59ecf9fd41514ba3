import { serveSources } from '@tessella/testing/browser'
import { chromiumExecutable } from '@tessella/testing/swiftshader'
import { type Browser, launch } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CpuOptions } from '../src/index.ts'
import type { Trained } from './browser/page.ts'

const flags = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-sync']

let browser: Browser
beforeAll(async () => {
  browser = await launch({ executablePath: await chromiumExecutable(), headless: true, args: flags })
}, 60_000)
afterAll(() => browser?.close())

/** Trains on a page, isolated from other origins or not. */
async function trainOnPage(isolated: boolean, options: CpuOptions): Promise<Trained> {
  const server = await serveSources({ isolated })
  const page = await browser.newPage()
  try {
    await page.goto(server.url)
    const call = `train(${JSON.stringify(options)})`
    // As text: vitest rewrites imports in functions.
    const text = `import('/packages/backend-cpu/test/browser/page.ts').then((module) => module.${call})`
    return (await page.evaluate(text)) as Trained
  } finally {
    await page.close()
    server.close()
  }
}

describe('a page', { timeout: 120_000 }, () => {
  it('trains on two threads where it is isolated from other origins, on one elsewhere, with the same bits', async () => {
    const one = await trainOnPage(true, { threads: 1 })
    const two = await trainOnPage(true, { threads: 2 })
    const apart = await trainOnPage(false, { threads: 2 })
    expect(two).toMatchObject({ isolated: true, threads: 2, workers: 1 })
    expect(two.helped).toBeGreaterThan(0)
    expect(apart).toMatchObject({ isolated: false, threads: 1, workers: 0, helped: 0 })
    expect(new Set(one.losses).size).toBe(30)
    for (const other of [two, apart]) {
      expect(other.losses).toEqual(one.losses)
      expect(other.checksum).toBe(one.checksum)
    }
  })
})
