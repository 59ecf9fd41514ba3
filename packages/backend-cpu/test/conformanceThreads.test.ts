import { conformance } from '@tessella/testing/conformance'
import { threadTwins } from './support/threads.ts'

conformance({ name: 'cpu, 1 and 2 threads with the same bits', create: async () => (await threadTwins(2)).twins })
