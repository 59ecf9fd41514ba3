// Backends, programs and values that nobody holds any more are collected while their device works.
import { busyBackend, collect } from './setup.ts'

for (let round = 0; round < 3; round++) {
  await (async () => {
    const { work } = await busyBackend()
    for (let i = 0; i < 5; i++) work()
  })()
  for (let i = 0; i < 10; i++) await collect()
}
