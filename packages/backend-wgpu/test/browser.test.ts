import { serveSources } from '@tessella/testing/browser'
import { chromiumExecutable } from '@tessella/testing/swiftshader'
import { type Browser, launch } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const folder = '/packages/backend-wgpu/test/browser'
/** The page needs the suite's cases, not its vitest. */
const imports = { vitest: `${folder}/noVitest.ts` }
type PageModule = typeof import('./browser/page.ts')

const flags = [
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

let browser: Browser
beforeAll(async () => {
  browser = await launch({ executablePath: await chromiumExecutable(), headless: true, args: flags })
}, 60_000)
afterAll(() => browser?.close())

/** Calls a function of the page, isolated or not. */
async function onPage<K extends keyof PageModule>(
  name: K,
  isolated: boolean,
): Promise<Awaited<ReturnType<PageModule[K]>>> {
  const server = await serveSources({ isolated, imports })
  const page = await browser.newPage()
  try {
    await page.goto(server.url)
    // As text: vitest rewrites imports in functions.
    const result = await page.evaluate(`import('${folder}/page.ts').then((module) => module.${name}())`)
    return result as Awaited<ReturnType<PageModule[K]>>
  } finally {
    await page.close()
    server.close()
  }
}

describe('in Chromium', { timeout: 120_000 }, () => {
  it.each([true, false])('every operation agrees with the reference, cross-origin isolated: %s', async (isolated) => {
    const result = await onPage('runSuite', isolated)
    expect(result.failures).toEqual([])
    expect(result).toMatchObject({ isolated, adapter: expect.stringMatching(/swiftshader/i) })
    expect(result.passed).toBeGreaterThan(80)
  })

  it('LeNet trains as on the CPU', async () => {
    const { cpu, wgpu } = await onPage('trainLeNet', false)
    expect(new Set(cpu).size).toBe(4)
    for (const [i, loss] of cpu.entries()) expect(Math.abs((wgpu[i] as number) / loss - 1)).toBeLessThan(1e-3)
  })
})
