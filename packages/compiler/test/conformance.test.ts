import { conformance } from '../../testing/src/conformance/index.ts'
import { CompiledBackend } from './support/backend.ts'
import { target } from './support/check.ts'

conformance({ name: 'compiler', create: async () => new CompiledBackend(target) })
