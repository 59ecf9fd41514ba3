import { conformance } from '@tessella/testing/conformance'
import { useSwiftshader } from '@tessella/testing/swiftshader'
import { vi } from 'vitest'
import { create } from './support/create.ts'

// SwiftShader compiles large tiles for seconds.
vi.setConfig({ testTimeout: 60_000 })
await useSwiftshader()

// SwiftShader flushes subnormal numbers, as WGSL allows.
conformance({ name: 'wgpu', create, relaxations: ['denormals'] })
