import { createReadStream } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, extname, join, normalize, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Question, Reply } from './protocol.ts'

const app = fileURLToPath(new URL('../../', import.meta.url))

/** The page, built by Vite into a folder that only this run uses. */
export async function buildPage(): Promise<string> {
  const { build } = await import('vite')
  const out = await mkdtemp(join(tmpdir(), 'tessella-bench-page-'))
  await build({
    root: join(app, 'page'),
    configFile: false,
    logLevel: 'error',
    resolve: { conditions: ['@tessella/source', 'module', 'browser', 'production'] },
    build: { outDir: out, emptyOutDir: true, target: 'esnext', modulePreload: false, chunkSizeWarningLimit: 4000 },
    worker: { format: 'es' },
  })
  return out
}

/** One page's questions and answers. */
interface Channel {
  readonly url: string
  send(question: Question): void
  close(): void
}

export interface PageServer {
  open(onReply: (reply: Reply) => void): Channel
  close(): void
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
  '.css': 'text/css',
}

/** What a page asks for to be given shared memory. */
const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
}

async function body(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

/** The folder that a package's file lies in. */
const wasmFolder = (): string =>
  dirname(fileURLToPath(import.meta.resolve('@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm')))

/** Serves the built page on this machine only; each page takes its next question with a request that waits for one. */
export async function servePage(folder: string, isolated: boolean): Promise<PageServer> {
  const onReplies = new Map<string, (reply: Reply) => void>()
  const waiting = new Map<string, ServerResponse>()
  const questions = new Map<string, string[]>()
  const hand = (id: string): void => {
    const response = waiting.get(id)
    const question = response && questions.get(id)?.shift()
    if (question === undefined) return
    waiting.delete(id)
    response?.end(question)
  }

  async function file(path: string, response: ServerResponse): Promise<void> {
    const [base, rest] = path.startsWith('/tfjs/') ? [wasmFolder(), path.slice('/tfjs'.length)] : [folder, path]
    const full = resolve(base, `.${normalize(rest === '/' ? '/index.html' : rest)}`)
    const found = full.startsWith(base) && (await stat(full).catch(() => undefined))?.isFile()
    if (!found) {
      response.writeHead(404).end()
      return
    }
    response.writeHead(200, {
      'Content-Type': types[extname(full)] ?? 'application/octet-stream',
      ...(isolated ? isolation : {}),
    })
    createReadStream(full).pipe(response)
  }

  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    const id = url.searchParams.get('page') ?? ''
    if (url.pathname === '/question') {
      waiting.set(id, response)
      hand(id)
    } else if (url.pathname === '/reply') {
      const reply = JSON.parse(await body(request)) as Reply
      response.end()
      onReplies.get(id)?.(reply)
    } else await file(url.pathname, response)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  let count = 0
  return {
    open(onReply) {
      const id = String(++count)
      onReplies.set(id, onReply)
      questions.set(id, [])
      return {
        url: `http://127.0.0.1:${port}/?page=${id}`,
        send(question) {
          questions.get(id)?.push(JSON.stringify(question))
          hand(id)
        },
        close() {
          onReplies.delete(id)
          questions.delete(id)
          waiting.get(id)?.destroy()
          waiting.delete(id)
        },
      }
    },
    close() {
      server.close()
      server.closeAllConnections()
      void rm(folder, { recursive: true, force: true })
    },
  }
}
