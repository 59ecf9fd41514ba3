// An exception that nobody catches, with work in flight.
import { busyBackend } from './setup.ts'

const { backend, work } = await busyBackend()
for (let i = 0; i < 20; i++) backend.read(work(), 'float32').catch(() => {})
throw new Error('on purpose')
