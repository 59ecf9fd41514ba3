import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, normalize, resolve, sep } from 'node:path'

/** What a page and all that it loads must come with to be given shared memory. */
const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
} as const

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
}

export interface ListenOptions {
  /** Isolated from other origins: such pages may share memory between threads. */
  readonly isolated: boolean
  /** Default: one that is free. */
  readonly port?: number
  /** Ends the response; what it throws becomes status 500 with the message. */
  readonly answer: (path: string, response: ServerResponse, request: IncomingMessage) => void | Promise<void>
}

export interface Listening {
  readonly url: string
  close(): void
}

/** Serves to browsers on this machine only. Rejects with Node's error where the port is taken. */
export async function listen({ isolated, port = 0, answer }: ListenOptions): Promise<Listening> {
  const server = createServer(async (request, response) => {
    if (isolated) for (const [name, value] of Object.entries(isolation)) response.setHeader(name, value)
    try {
      await answer(new URL(request.url ?? '/', 'http://localhost').pathname, response, request)
    } catch (error) {
      if (!response.headersSent) response.writeHead(500, { 'Content-Type': 'text/plain; charset=utf-8' })
      response.end(error instanceof Error ? error.message : String(error))
    }
  })
  await new Promise<void>((ready, failed) => {
    server.once('error', failed)
    server.listen(port, '127.0.0.1', ready)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

/** Answers with a file of `folder`, never with one outside of it; `/` is `index.html`. */
export async function sendFile(folder: string, path: string, response: ServerResponse): Promise<void> {
  const root = resolve(folder)
  const full = resolve(root, `.${normalize(path === '/' ? '/index.html' : path)}`)
  if (!full.startsWith(root + sep) || !(await stat(full).catch(() => undefined))?.isFile()) {
    response.writeHead(404).end()
    return
  }
  response.writeHead(200, { 'Content-Type': types[extname(full)] ?? 'application/octet-stream' })
  createReadStream(full).pipe(response)
}
