import { chunkBits, control, ticketBytes } from './control.ts'

/** Milliseconds that a worker looks for work before it sleeps: between two steps of training it stays awake. */
const awake = 0.25

/**
 * The program of a worker, as text: bundlers need no second file for it, and Node no loader for TypeScript. It runs
 * modules over the backend's memory until it is told to stop. Its comments are here, since the text is shipped as it is:
 * where `instantiate` fails, the program changed under the copy or does not fit: the main thread works alone on it. A
 * chunk that trapped is claimed: if it did not count as done, the main thread would wait for ever. Before a worker waits
 * for the bell it looks for work once more: work that came earlier did not know of this sleeper.
 */
const workerMain = `
function work({ memory, base, thread }) {
  const words = new Int32Array(memory.buffer, base, ${(control.tickets + ticketBytes) >> 2})
  const at = (offset) => offset >> 2
  const modules = new Map()
  const own = new Int32Array(memory.buffer, base + ${control.tickets} + thread * ${ticketBytes}, 1)
  const instantiate = (id) => {
    const from = Atomics.load(words, at(${control.bytesAt})) >>> 0
    const length = Atomics.load(words, at(${control.bytesLength}))
    try {
      const bytes = new Uint8Array(memory.buffer, from, length).slice()
      if (Atomics.load(words, at(${control.program})) !== id) return undefined
      const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } })
      if (modules.size >= 256) modules.delete(modules.keys().next().value)
      modules.set(id, instance.exports.help)
    } catch {}
    return modules.get(id)
  }
  const help = (id) => {
    const run = modules.get(id) ?? instantiate(id)
    if (run === undefined) return 0
    try {
      return run(thread)
    } catch {
      Atomics.add(words, at(${control.failed}), 1)
      Atomics.add(words, at(${control.done}), 1)
      Atomics.notify(words, at(${control.done}))
      return 1
    }
  }
  Atomics.add(words, at(${control.ready}), 1)
  let last = performance.now()
  for (;;) {
    const bell = Atomics.load(words, at(${control.bell}))
    if (Atomics.load(words, at(${control.stop})) !== 0) return
    const id = Atomics.load(words, at(${control.program}))
    const done = id === 0 ? 0 : help(id)
    if (done > 0) {
      Atomics.add(words, at(${control.helped}), done)
      last = performance.now()
    } else if (performance.now() - last > ${awake}) {
      Atomics.add(words, at(${control.sleepers}), 1)
      if ((Atomics.load(own, 0) & ${2 ** chunkBits - 1}) === 0) Atomics.wait(words, at(${control.bell}), bell)
      Atomics.sub(words, at(${control.sleepers}), 1)
      last = performance.now()
    }
  }
}
`

/** For `new Worker(source, { eval: true })` of node:worker_threads. */
export const nodeWorkerSource = `${workerMain}work(require('node:worker_threads').workerData)`

/** For a Worker of a page, which gets its data as its first message. */
export const pageWorkerSource = `${workerMain}onmessage = ({ data }) => work(data)`
