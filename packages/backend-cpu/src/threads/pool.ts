import { BackendError } from '@tessella/ir'
import type { Choice } from './choice.ts'
import { chunkBits, control, ticketBytes } from './control.ts'
import type { Threading } from './phase.ts'
import { type RunningWorker, startWorker } from './startWorker.ts'

/** A program as workers find it: its number, and its module's bytes in the shared memory. */
export interface Announced {
  readonly program: number
  readonly address: number
  readonly length: number
}

/** Milliseconds that a trap on the main thread waits for workers to finish their chunks. */
const longestChunk = 2000

/** Ends workers whose backend was forgotten. It must not know the pool. */
const forgotten = new FinalizationRegistry<() => void>((end) => end())

/** The workers of one backend. They start at the second run of a program that is worth it. */
export class Pool {
  readonly threading: Threading
  readonly #memory: WebAssembly.Memory
  readonly #words: Int32Array
  readonly #tickets: BigInt64Array
  #workers: RunningWorker[] | undefined
  #programs = 0
  #failed = false
  /** A worker died with a part of a kernel: no more are used. */
  #lost = false

  constructor(memory: WebAssembly.Memory, threading: Threading) {
    this.#memory = memory
    this.threading = threading
    const { control: base, threads } = threading
    // A shared memory keeps its bytes when it grows: these views stay good.
    this.#words = new Int32Array(memory.buffer, base, control.tickets >> 2)
    this.#tickets = new BigInt64Array(memory.buffer, base + control.tickets, (threads * ticketBytes) >> 3)
  }

  /** Workers that take part by now. */
  get ready(): number {
    return this.#lost ? 0 : this.#load(control.ready)
  }

  /** Chunks of kernels that workers have done so far. */
  get helped(): number {
    return this.#load(control.helped)
  }

  /** A number for a new program. */
  number(): number {
    return ++this.#programs
  }

  start(): void {
    if (this.#workers) return
    const workers: RunningWorker[] = []
    this.#workers = workers
    const pool = new WeakRef(this)
    const failed = (why: unknown): void => {
      const self = pool.deref()
      if (!self || self.#failed) return
      self.#failed = true
      warn(`fewer threads than asked for: a worker does not run (${why instanceof Error ? why.message : String(why)})`)
    }
    try {
      for (let thread = 1; thread < this.threading.threads; thread++)
        workers.push(startWorker({ memory: this.#memory, base: this.threading.control, thread }, failed))
    } catch (error) {
      failed(error)
    }
    const words = this.#words
    forgotten.register(this, () => end(words, workers), this)
  }

  /** Starts the workers and waits until all of them take part. */
  async started(): Promise<void> {
    this.start()
    while (this.ready < this.threading.threads - 1 && !this.#failed) await new Promise((next) => setTimeout(next, 1))
  }

  /**
   * Runs a program whose kernels threads share, with or without the workers.
   * @throws BackendError 'lost' when a kernel traps, or a worker died with a part of one
   */
  run(program: Announced, choice: Choice, run: () => void): void {
    const ready = this.ready > 0
    const together = ready && choice.together
    // Only this thread looks at it.
    this.#words[control.together >> 2] = together ? 1 : 0
    if (together) this.#announce(program)
    const start = ready ? performance.now() : 0
    try {
      run()
    } catch (error) {
      if (together && this.#load(control.lost) !== 0) throw this.#giveUp(error)
      if (together) this.#drain()
      throw trapped('on the main thread', error)
    }
    // Without workers there is nothing to choose, and a look at the clock costs as much as a small kernel.
    if (ready) choice.took(performance.now() - start)
    if (together && Atomics.exchange(this.#words, control.failed >> 2, 0) !== 0) throw trapped('in a worker')
  }

  /** Makes workers that sleep look at a program, which will open kernels soon. */
  #announce({ program, address, length }: Announced): void {
    const words = this.#words
    if (this.#load(control.program) !== program) {
      Atomics.store(words, control.program >> 2, 0)
      Atomics.store(words, control.bytesAt >> 2, address | 0)
      Atomics.store(words, control.bytesLength >> 2, length)
      Atomics.store(words, control.program >> 2, program)
    }
    if (this.#load(control.sleepers) > 0) ring(words)
  }

  /** Workers leave the program; none of its kernels is open. */
  forget(program: number): void {
    if (this.#load(control.program) === program) Atomics.store(this.#words, control.program >> 2, 0)
  }

  /** After a trap on the main thread: takes back the unclaimed chunks and waits until workers have done theirs. */
  #drain(): void {
    const mask = 2n ** BigInt(chunkBits) - 1n
    let mine = 1
    for (let i = 0; i < this.#tickets.length; i += ticketBytes >> 3) {
      let ticket = Atomics.load(this.#tickets, i)
      while ((ticket & mask) !== 0n) {
        const seen = Atomics.compareExchange(this.#tickets, i, ticket, ticket & ~mask)
        if (seen === ticket) mine += Number(ticket & mask)
        ticket = seen === ticket ? 0n : seen
      }
    }
    const limit = performance.now() + longestChunk
    while (this.#load(control.done) + mine < this.#load(control.chunks) && performance.now() < limit);
    for (const word of [control.done, control.chunks, control.failed]) Atomics.store(this.#words, word >> 2, 0)
  }

  /** A worker did not finish what it claimed. From here on the main thread works alone: a rest of it may still run. */
  #giveUp(cause: unknown): BackendError {
    this.#lost = true
    this.close()
    const text =
      `a worker thread ended in the middle of its part (terminated, or out of memory): nothing came of it for ` +
      `${this.threading.patience / 1000} s. This run's results are lost; later runs have one thread. ` +
      'Make a new backend with cpu() to have threads again.'
    return new BackendError('cpu', 'lost', text, { cause })
  }

  /** Ends the workers. Nothing runs. */
  close(): void {
    forgotten.unregister(this)
    end(this.#words, this.#workers ?? [])
    this.#workers = []
  }

  #load(offset: number): number {
    return Atomics.load(this.#words, offset >> 2)
  }
}

/** A kernel ran out of its memory. */
const trapped = (where: string, cause?: unknown): BackendError =>
  new BackendError('cpu', 'lost', `internal: a kernel trapped ${where}, and the run's results are lost`, { cause })

function ring(words: Int32Array): void {
  Atomics.add(words, control.bell >> 2, 1)
  Atomics.notify(words, control.bell >> 2)
}

function end(words: Int32Array, workers: readonly RunningWorker[]): void {
  Atomics.store(words, control.stop >> 2, 1)
  Atomics.store(words, control.program >> 2, 0)
  ring(words)
  for (const worker of workers) worker.terminate()
}

function warn(text: string): void {
  const { process, console } = globalThis
  if (process?.emitWarning) process.emitWarning(text)
  else console.warn(text)
}
