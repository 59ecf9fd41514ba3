import { conformance } from '@tessella/testing/conformance'
import { cpu } from '../src/index.ts'

conformance({ name: 'cpu', create: async () => cpu() })
