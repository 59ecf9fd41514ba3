// A script that never reads what it started ends by itself.
import { busyBackend } from './setup.ts'

const { work } = await busyBackend()
for (let i = 0; i < 20; i++) work()
