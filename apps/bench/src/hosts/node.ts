import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type Answers, type Host, HostError, type Question, type Reply } from './protocol.ts'

/** One question at a time, answered by whatever calls `reply`; ends with the process. */
export class Conversation {
  #waiting: { resolve: (value: never) => void; reject: (error: Error) => void } | undefined
  #ended: HostError | undefined

  /** Sends a question with `send` and waits for the reply. */
  ask<Q extends Question>(send: () => void): Promise<Answers[Q['op']]> {
    return new Promise((resolve, reject) => {
      if (this.#ended) {
        reject(this.#ended)
        return
      }
      this.#waiting = { resolve, reject }
      send()
    })
  }

  reply(reply: Reply): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    if (reply.ok) waiting?.resolve(reply.value as never)
    else waiting?.reject(new HostError(reply.error))
  }

  end(reason: string): void {
    this.#ended ??= new HostError(reason)
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.reject(this.#ended)
  }
}

const quietMs = 200

/** A Node process with one system in it. */
export function nodeHost(): Host {
  const child: ChildProcess = fork(fileURLToPath(new URL('nodeAgent.ts', import.meta.url)), {
    execArgv: ['--conditions=@tessella/source', '--disable-warning=ExperimentalWarning', '--expose-gc'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    serialization: 'advanced',
  })
  const conversation = new Conversation()
  let complaints = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    complaints = (complaints + chunk.toString()).slice(-2000)
  })
  child.on('message', (reply: Reply) => conversation.reply(reply))
  child.on('error', (error) => conversation.end(error.message))
  // What it said on stderr may arrive after its end.
  child.on('exit', (code, signal) =>
    setTimeout(() => {
      const why = complaints
        .split('\n')
        .find((line) => /error|fatal|abort/i.test(line))
        ?.trim()
      conversation.end(`its process ended (${signal ?? `code ${code}`})${why ? `: ${why.slice(0, 160)}` : ''}`)
    }, quietMs),
  )
  return {
    ask: (question) => conversation.ask(() => child.send(question)),
    close() {
      conversation.end('it was closed')
      child.kill('SIGKILL')
    },
  }
}
