// Dispose with reads in flight: they reject with the code that says so, and another backend works on.
import { BackendError } from '@tessella/ir'
import { busyBackend, must } from './setup.ts'

const first = await busyBackend()
const second = await busyBackend()
const reads = Array.from({ length: 10 }, () => first.backend.read(first.work(), 'float32'))
first.backend.dispose()
for (const result of await Promise.allSettled(reads))
  must(
    result.status === 'rejected' && result.reason instanceof BackendError && result.reason.code === 'disposed',
    `a read of a disposed backend says so, not ${JSON.stringify(result)}`,
  )
must((await second.backend.read(second.work(), 'float32')).length === 128 * 128, 'the other backend reads')
