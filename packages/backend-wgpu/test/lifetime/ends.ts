// A script that has read its result ends by itself, without dispose.
import { busyBackend, must } from './setup.ts'

const { backend, work } = await busyBackend()
const values = await backend.read(work(), 'float32')
must(Math.abs((values[5] as number) - 1 / 128) < 1e-6, 'the product')
