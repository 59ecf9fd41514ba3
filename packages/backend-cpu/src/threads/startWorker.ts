import { nodeWorkerSource, pageWorkerSource } from './workerSource.ts'

/** What a worker starts with. */
export interface WorkerData {
  readonly memory: WebAssembly.Memory
  /** Address of the control block. */
  readonly base: number
  readonly thread: number
}

export interface RunningWorker {
  terminate(): void
}

/** Starts a worker of the kind that this place has; it never keeps the process alive. `failed` is told when it ends early. */
export function startWorker(data: WorkerData, failed: (why: unknown) => void): RunningWorker {
  const builtin = globalThis.process?.getBuiltinModule
  return builtin ? nodeWorker(builtin('node:worker_threads'), data, failed) : pageWorker(data, failed)
}

function nodeWorker(
  { Worker }: typeof import('node:worker_threads'),
  data: WorkerData,
  failed: (why: unknown) => void,
): RunningWorker {
  // Nothing of the program's own set-up (loaders, hooks) belongs into this worker.
  const worker = new Worker(nodeWorkerSource, {
    eval: true,
    workerData: data,
    execArgv: [],
    env: {},
    name: 'tessella',
  })
  worker.unref()
  let ended = false
  worker.on('error', failed)
  worker.on('exit', (code) => {
    if (!ended) failed(`it ended with code ${code}`)
  })
  return {
    terminate: () => {
      ended = true
      void worker.terminate()
    },
  }
}

function pageWorker(data: WorkerData, failed: (why: unknown) => void): RunningWorker {
  const url = URL.createObjectURL(new Blob([pageWorkerSource], { type: 'text/javascript' }))
  const worker = new Worker(url, { name: 'tessella' })
  worker.onerror = (event) => {
    URL.revokeObjectURL(url)
    failed(event.message ?? 'the page does not allow workers from blobs')
  }
  worker.postMessage(data)
  return {
    terminate: () => {
      URL.revokeObjectURL(url)
      worker.terminate()
    },
  }
}
