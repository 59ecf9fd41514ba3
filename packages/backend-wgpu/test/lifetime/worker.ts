// Workers with devices of their own, beside one here; they end by themselves.
import { Worker } from 'node:worker_threads'
import { busyBackend, must } from './setup.ts'

const workers = [0, 1].map(
  () =>
    new Promise<number>((resolve, reject) => {
      const worker = new Worker(new URL('./workerBody.ts', import.meta.url))
      worker.on('error', reject)
      worker.on('exit', resolve)
    }),
)
const { backend, work } = await busyBackend()
for (let i = 0; i < 10; i++) must((await backend.read(work(), 'float32')).length === 128 * 128, 'a read beside workers')
must(
  (await Promise.all(workers)).every((code) => code === 0),
  'workers end well',
)
