import { readFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Listening, listen } from './listen.ts'

const root = fileURLToPath(new URL('../../../..', import.meta.url))
const tiles = [
  'autograd',
  'backend-cpu',
  'backend-wgpu',
  'compiler',
  'ir',
  'layers',
  'losses',
  'optimizers',
  'tensor',
  'testing',
]

/** Names to sources. */
const sources: Readonly<Record<string, string>> = {
  ...Object.fromEntries(tiles.map((tile) => [`@tessella/${tile}`, `/packages/${tile}/src/index.ts`])),
  '@tessella/testing/conformance': '/packages/testing/src/conformance/index.ts',
}

async function answer(url: string, page: string, response: ServerResponse): Promise<void> {
  if (url === '/') {
    response.setHeader('content-type', 'text/html')
    response.end(page)
  } else if (/^\/packages\/[\w/.-]+\.ts$/.test(url) && !url.includes('..')) {
    // All sources are TypeScript with types that can be erased, so browsers need nothing else.
    const source = stripTypeScriptTypes(await readFile(join(root, url), 'utf8'))
    response.setHeader('content-type', 'text/javascript')
    response.end(source)
  } else {
    response.statusCode = 404
    response.end()
  }
}

interface ServeOptions {
  /** Isolated from other origins: such pages may share memory between threads. */
  readonly isolated: boolean
  /** More names that modules of the page import, with the paths of their sources. */
  readonly imports?: Readonly<Record<string, string>>
}

/** Serves the sources of all tiles, and one empty page that may import them, to a browser on this machine. */
export async function serveSources({ isolated, imports }: ServeOptions): Promise<Listening> {
  const map = JSON.stringify({ imports: { ...sources, ...imports } })
  const page = `<!doctype html><meta charset="utf-8"><title>Tessella in a page</title>
<link rel="icon" href="data:,"><script type="importmap">${map}</script>`
  return listen({ isolated, answer: (path, response) => answer(path, page, response) })
}
