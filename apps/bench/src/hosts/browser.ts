import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SystemName } from '../contract.ts'
import type { StartHost } from '../measure/slot.ts'
import { Conversation } from './node.ts'
import { buildPage, type PageServer, servePage } from './pageServer.ts'
import { type Host, HostError } from './protocol.ts'
import type { Hosts } from './start.ts'

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Pages that nobody sees would be slowed down.
  '--disable-background-timer-throttling',
  '--disable-renderer-backgrounding',
  '--disable-backgrounding-occluded-windows',
]

const candidates = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/** A Chromium: `CHROMIUM` in the environment, one on the path, or that of the npm package `@sparticuz/chromium`. */
async function findChromium(): Promise<string> {
  const named = process.env['CHROMIUM']
  for (const name of named ? [named] : candidates)
    if (spawnSync(name, ['--version'], { stdio: 'ignore', timeout: 30_000 }).status === 0) return name
  if (named) throw new HostError(`CHROMIUM=${named} does not run`)
  try {
    const { chromiumExecutable } = await import('@tessella/testing/swiftshader')
    return await chromiumExecutable()
  } catch (cause) {
    throw new HostError('no Chromium found: install one, or set CHROMIUM to its path', { cause })
  }
}

/** One page of a browser of its own, so that a system cannot disturb another; it fetches its questions. */
function pageHost(chromium: string, server: PageServer): Host {
  const profile = mkdtempSync(join(tmpdir(), 'tessella-bench-'))
  const conversation = new Conversation()
  const channel = server.open((reply) => conversation.reply(reply))
  const child = spawn(chromium, [...flags, `--user-data-dir=${profile}`, channel.url], {
    stdio: 'ignore',
    detached: true,
  })
  const end = (): void => {
    channel.close()
    try {
      // The browser's processes are one group.
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    } catch {
      // It ended before.
    }
    rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
  }
  child.on('error', (error) => conversation.end(error.message))
  child.on('exit', (code, signal) => conversation.end(`its process ended (${signal ?? `code ${code}`})`))
  return {
    ask: (question) => conversation.ask(() => channel.send(question)),
    close() {
      conversation.end('it was closed')
      end()
    },
  }
}

/** What cannot run in a page runs in a process beside it. */
const beside: ReadonlySet<SystemName | 'oracle'> = new Set<SystemName | 'oracle'>(['oracle', 'ort-node', 'pytorch'])

/** Builds the page, serves it with or without isolation, and opens one headless browser per system. */
export async function browserHosts(isolated: boolean, outside: StartHost): Promise<Hosts> {
  const chromium = await findChromium()
  const version = spawnSync(chromium, ['--version'], { encoding: 'utf8' }).stdout.trim()
  const server = await servePage(await buildPage(), isolated)
  return {
    title: `${version}, ${isolated ? 'cross-origin isolated' : 'not cross-origin isolated: no shared memory'}`,
    start: async (system) => (beside.has(system) ? outside(system) : pageHost(chromium, server)),
    versions: () => ({ browser: version }),
    close: () => server.close(),
  }
}
