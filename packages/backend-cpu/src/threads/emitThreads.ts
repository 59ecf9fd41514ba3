import type { FunctionBuilder, FunctionRef, GlobalRef, Local, ModuleBuilder } from '../wasm/assembler.ts'
import { chunkBits, control, ticketBytes } from './control.ts'
import type { Threading } from './phase.ts'

/** What claiming threads need to know about their module. */
export interface Surroundings {
  readonly threading: Threading
  /** The program's number in its backend. */
  readonly program: number
  /** Tells kernels where the scratch memory of this thread is. */
  setOwn(f: FunctionBuilder, thread: Local): void
}

/** Looks for work that a worker does before it answers: a few microseconds. */
const looks = 500
/** Looks at the counter of chunks before the main thread sleeps: about 30 microseconds. */
const looksAtDone = 12000
/** A safety net; the worker that does the last chunk wakes the main thread. */
const sleepMilliseconds = 50
/** Looks at the counter in a millisecond, where the main thread may not sleep. */
const looksPerMillisecond = 400_000

/** (begin, end) of every kernel. */
export const kernelParams = ['i32', 'i32'] as const

/**
 * A function (thread) -> chunks: claims and runs chunks of the open kernel, of this thread's share first, until none is
 * left. A claim is one compare-and-exchange of a ticket that names the kernel, so a thread that comes late claims nothing.
 */
export function emitClaim(module: ModuleBuilder, { threading, program, setOwn }: Surroundings): FunctionRef {
  const { threads, control: base } = threading
  const kernelType = module.type(kernelParams, [])
  return module.function(['i32'], ['i32'], (f, thread) => {
    const [count, share, ticket, left, chunks, begin] = Array.from({ length: 6 }, () => f.local('i32')) as [
      Local,
      Local,
      Local,
      Local,
      Local,
      Local,
    ]
    const seen = f.local('i64')
    const word = (offset: number): void => {
      f.i32(0)
      f.load('i32.load', base + offset)
    }
    f.get(thread as Local)
    f.set(share)
    f.times(threads, () => {
      f.push(share, ticketBytes, 'i32.mul')
      f.set(ticket)
      f.block((empty) => {
        f.loop((again) => {
          f.get(ticket)
          f.atomic('i64.atomic.load', base + control.tickets)
          f.tee(seen)
          f.push('i32.wrap_i64', 2 ** chunkBits - 1, 'i32.and')
          f.tee(left)
          f.op('i32.eqz')
          f.brIf(empty)
          // After the ticket: one of another program is never claimed.
          f.i32(0)
          f.atomic('i32.atomic.load', base + control.program)
          f.push(program, 'i32.ne')
          f.brIf(empty)
          f.push(ticket, seen, seen)
          f.i64(1n)
          f.op('i64.sub')
          f.atomic('i64.atomic.rmw.cmpxchg', base + control.tickets)
          f.push(seen, 'i64.ne')
          f.brIf(again)
          setOwn(f, thread as Local)
          word(control.chunks)
          f.set(chunks)
          pushShareEnd(f, share, chunks, threads)
          f.push(left, 'i32.sub')
          word(control.chunk)
          f.op('i32.mul')
          f.tee(begin)
          pushMin(
            f,
            () => {
              f.get(begin)
              word(control.chunk)
              f.op('i32.add')
            },
            () => word(control.units),
          )
          word(control.kernel)
          f.callIndirect(kernelType)
          f.bump(count, 1)
          reportDone(f, base, chunks)
          f.br(again)
        })
      })
      f.bump(share, 1)
      f.push(share, threads, 'i32.eq')
      f.if(() => {
        f.i32(0)
        f.set(share)
      })
    })
    f.get(count)
  })
}

/** Pushes the end of a share: floor((share + 1) * chunks / threads). */
function pushShareEnd(f: FunctionBuilder, share: Local, chunks: Local, threads: number): void {
  f.push(share, 1, 'i32.add', chunks, 'i32.mul', threads, 'i32.div_u')
}

function pushMin(f: FunctionBuilder, a: () => void, b: () => void): void {
  a()
  b()
  a()
  b()
  f.op('i32.lt_u')
  f.select('i32')
}

/** done++, and wakes the main thread when that was the last chunk. */
function reportDone(f: FunctionBuilder, base: number, chunks: Local): void {
  f.push(0, 1)
  f.atomic('i32.atomic.rmw.add', base + control.done)
  f.push(1, 'i32.add', chunks, 'i32.eq')
  f.if(() => {
    f.i32(0)
    f.atomic('i32.atomic.load', base + control.waiting)
    f.if(() => {
      f.push(0, 1)
      f.atomic('memory.atomic.notify', base + control.done)
      f.drop()
    })
  })
}

/** A function (thread) -> chunks for workers: claims for as long as there is work at short intervals. */
export function emitHelp(module: ModuleBuilder, claim: FunctionRef): FunctionRef {
  return module.function(['i32'], ['i32'], (f, thread) => {
    const [look, count, now] = [0, 1, 2].map(() => f.local('i32')) as [Local, Local, Local]
    f.loop((again) => {
      f.get(thread as Local)
      f.call(claim)
      f.tee(now)
      f.push(count, 'i32.add')
      f.set(count)
      f.push(look, 1, 'i32.add', 0, now, 'i32.eqz')
      f.select('i32')
      f.tee(look)
      f.push(looks, 'i32.lt_u')
      f.brIf(again)
    })
    f.get(count)
  })
}

/**
 * A function (kernel, units, chunk) for the main thread: opens a kernel for all threads, takes part, and returns when all
 * chunks are done. Alone, it runs them without tickets.
 */
export function emitParallel(module: ModuleBuilder, threading: Threading, claim: FunctionRef): FunctionRef {
  const { threads, control: base, sleeps, patience } = threading
  const kernelType = module.type(kernelParams, [])
  return module.function(['i32', 'i32', 'i32'], [], (f, ...params) => {
    const [kernel, units, chunk] = params as [Local, Local, Local]
    const [chunks, share, from, look] = [0, 1, 2, 3].map(() => f.local('i32')) as [Local, Local, Local, Local]
    const sequence = f.local('i64')
    f.i32(0)
    f.load('i32.load', base + control.together)
    f.op('i32.eqz')
    f.if(() => {
      f.whileBelow(from, units, 0, () => {
        f.push(from, from, chunk, 'i32.add')
        f.tee(from)
        f.push(units, from, units, 'i32.lt_u')
        f.select('i32')
        f.get(kernel)
        f.callIndirect(kernelType)
      })
      f.return()
    })
    f.push(units, chunk, 'i32.add', 1, 'i32.sub', chunk, 'i32.div_u')
    f.set(chunks)
    for (const [offset, value] of [
      [control.kernel, kernel],
      [control.units, units],
      [control.chunk, chunk],
      [control.chunks, chunks],
    ] as const) {
      f.push(0, value)
      f.store('i32.store', base + offset)
    }
    f.push(0, 0)
    f.atomic('i32.atomic.store', base + control.done)
    f.push(0, 0)
    f.load('i64.load', base + control.sequence)
    f.i64(1n)
    f.op('i64.add')
    f.tee(sequence)
    f.store('i64.store', base + control.sequence)
    f.times(threads, (thread) => {
      f.push(thread, ticketBytes, 'i32.mul', sequence)
      f.i64(BigInt(chunkBits))
      f.op('i64.shl')
      pushShareEnd(f, thread, chunks, threads)
      f.tee(share)
      f.push(from, 'i32.sub', 'i64.extend_i32_u', 'i64.or')
      f.atomic('i64.atomic.store', base + control.tickets)
      f.get(share)
      f.set(from)
    })
    f.i32(0)
    f.atomic('i32.atomic.load', base + control.sleepers)
    f.if(() => {
      f.push(0, 1)
      f.atomic('i32.atomic.rmw.add', base + control.bell)
      f.drop()
      f.push(0, threads)
      f.atomic('memory.atomic.notify', base + control.bell)
      f.drop()
    })
    f.i32(0)
    f.call(claim)
    f.drop()
    const isOpen = (): void => {
      f.i32(0)
      f.atomic('i32.atomic.load', base + control.done)
      f.push(chunks, 'i32.ne')
    }
    const looks = f.local('i64')
    f.loop((again) => {
      isOpen()
      f.op('i32.eqz')
      f.if(() => f.return())
      if (!sleeps) {
        f.get(looks)
        f.i64(1n)
        f.op('i64.add')
        f.tee(looks)
        f.i64(BigInt(looksPerMillisecond * patience))
        f.op('i64.lt_u')
        f.brIf(again)
        emitLost(f, base)
        return
      }
      f.bump(look, 1)
      f.push(look, looksAtDone, 'i32.lt_u')
      f.brIf(again)
    })
    if (sleeps) emitSleep(f, base, { chunks, done: share, rounds: look }, Math.ceil(patience / sleepMilliseconds))
  })
}

/** Gives up: a chunk was claimed and does not come. All others are done or claimed, so no wait for them would be longer. */
function emitLost(f: FunctionBuilder, base: number): void {
  f.push(0, 1)
  f.atomic('i32.atomic.store', base + control.lost)
  f.unreachable()
}

interface Waiting {
  readonly chunks: Local
  readonly done: Local
  readonly rounds: Local
}

/** Sleeps until all chunks are done, `most` times at most. */
function emitSleep(f: FunctionBuilder, base: number, { chunks, done, rounds }: Waiting, most: number): void {
  const waiting = (value: number): void => {
    f.push(0, value)
    f.atomic('i32.atomic.store', base + control.waiting)
  }
  waiting(1)
  f.i32(0)
  f.set(rounds)
  f.block((all) => {
    f.loop((again) => {
      f.i32(0)
      f.atomic('i32.atomic.load', base + control.done)
      f.tee(done)
      f.push(chunks, 'i32.eq')
      f.brIf(all)
      f.push(rounds, most, 'i32.ge_u')
      f.if(() => emitLost(f, base))
      f.bump(rounds, 1)
      f.push(0, done)
      f.i64(BigInt(sleepMilliseconds) * 1_000_000n)
      f.atomic('memory.atomic.wait32', base + control.done)
      f.drop()
      f.br(again)
    })
  })
  waiting(0)
}

/** Emits `own = start + thread * bytes`, where `start` is pushed by `base`. */
export function emitOwn(f: FunctionBuilder, own: GlobalRef, base: () => void, thread: Local, bytes: number): void {
  base()
  f.push(thread, bytes, 'i32.mul', 'i32.add')
  f.setGlobal(own)
}
