/** Dawn's own look for what the device has finished. */
export interface Pump {
  /** Blocks until `done` says so, asleep most of the time. Something that it waits for must be on its way. */
  until(done: () => boolean): void
}

type Task = () => void
const longestNap = 1

/** Calls `action` with a `setImmediate` that keeps in `tasks` what it is given. */
function withoutTasks(tasks: Task[], action: () => void): void {
  const real = globalThis.setImmediate
  globalThis.setImmediate = ((task: Task) => tasks.push(task)) as unknown as typeof setImmediate
  try {
    action()
  } finally {
    globalThis.setImmediate = real
  }
}

/**
 * Looks once; answers whether it is done. As long as anybody waits, `look` ends with asking for its next turn. That request is
 * dropped: an earlier one stands in the event loop's queue. Others, which reject promises, are handed on.
 */
function lookOnce(look: Task, queue: GPUQueue, done: () => boolean): boolean {
  const tasks: Task[] = []
  let finished = false
  withoutTasks(tasks, () => {
    look()
    finished = done()
    // Whether anybody else still waits is not known. With this somebody does, and if it is the first, it asks for the turn.
    if (finished) void queue.onSubmittedWorkDone()
  })
  for (const task of tasks.slice(0, -1)) setImmediate(task)
  return finished
}

function pumpOf(look: Task, queue: GPUQueue): Pump {
  const pause = new Int32Array(new SharedArrayBuffer(4))
  return {
    until(done) {
      if (done()) return
      for (let nap = 0.02; !lookOnce(look, queue, done); nap = Math.min(2 * nap, longestNap))
        Atomics.wait(pause, 0, 0, nap)
    },
  }
}

/**
 * Dawn in Node looks for finished work in a function that it hands to `setImmediate` while somebody waits. Who has that
 * function can wait without a turn of the event loop. Undefined where it cannot be had, as in browsers.
 */
export async function findPump({ queue }: GPUDevice): Promise<Pump | undefined> {
  const real = globalThis.setImmediate
  if (typeof real !== 'function') return undefined
  // It is handed out to the first who waits; others may be waiting now.
  for (let attempt = 0; attempt < 5; attempt++) {
    await new Promise((resolve) => real(resolve))
    const tasks: Task[] = []
    withoutTasks(tasks, () => void queue.onSubmittedWorkDone())
    const [look] = tasks
    if (look === undefined) continue
    real(look)
    return pumpOf(look, queue)
  }
  return undefined
}
