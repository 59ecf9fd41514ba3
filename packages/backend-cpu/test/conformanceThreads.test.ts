import { conformance } from '@tessella/testing/conformance'
import { eagerBackend } from './support/threads.ts'

conformance({ name: 'cpu, 2 threads', create: () => eagerBackend(2) })
