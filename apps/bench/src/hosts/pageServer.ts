import type { IncomingMessage, ServerResponse } from 'node:http'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Bundle, bundlePage, listen, sendFile } from '@tessella/testing/browser'
import type { Question, Reply } from './protocol.ts'

/** The page that systems run in, built. */
export const buildPage = (): Promise<Bundle> => bundlePage(fileURLToPath(new URL('../../page', import.meta.url)))

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

async function body(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

/** The folder that a package's file lies in. */
const wasmFolder = (): string =>
  dirname(fileURLToPath(import.meta.resolve('@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm')))

/** Serves the built page on this machine only; each page takes its next question with a request that waits for one. */
export async function servePage(bundle: Bundle, isolated: boolean): Promise<PageServer> {
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

  async function answer(path: string, response: ServerResponse, request: IncomingMessage): Promise<void> {
    const id = new URL(request.url ?? '/', 'http://localhost').searchParams.get('page') ?? ''
    if (path === '/question') {
      waiting.set(id, response)
      hand(id)
    } else if (path === '/reply') {
      const reply = JSON.parse(await body(request)) as Reply
      response.end()
      onReplies.get(id)?.(reply)
    } else if (path.startsWith('/tfjs/')) await sendFile(wasmFolder(), path.slice('/tfjs'.length), response)
    else await sendFile(bundle.folder, path, response)
  }

  const server = await listen({ isolated, answer })
  let count = 0
  return {
    open(onReply) {
      const id = String(++count)
      onReplies.set(id, onReply)
      questions.set(id, [])
      return {
        url: `${server.url}?page=${id}`,
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
      void bundle.remove()
    },
  }
}
