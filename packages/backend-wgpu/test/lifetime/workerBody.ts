import { busyBackend, must } from './setup.ts'

const { backend, work } = await busyBackend()
for (let i = 0; i < 10; i++) must((await backend.read(work(), 'float32')).length === 128 * 128, 'a read in a worker')
backend.dispose()
