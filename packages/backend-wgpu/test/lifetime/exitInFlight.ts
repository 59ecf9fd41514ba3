// process.exit with work, reads and a compilation in flight.
import { busyBackend } from './setup.ts'

const { backend, work } = await busyBackend()
for (let i = 0; i < 20; i++) void backend.read(work(), 'float32')
setTimeout(() => process.exit(7), Number(process.argv[2] ?? 0))
