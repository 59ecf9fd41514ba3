import { conformance } from '@tessella/testing/conformance'
import { useSwiftshader } from '@tessella/testing/swiftshader'
import { vi } from 'vitest'
import { create, isMedium } from './support/create.ts'

// SwiftShader compiles large tiles for seconds.
vi.setConfig({ testTimeout: 60_000 })
await useSwiftshader()

/** Bounds of products whose operands have eleven bits. */
const half = { float32: { scale: 2 ** -9 } }
const rounded = { matmul: half, conv: half, convGradInput: half, convGradWeight: half, programs: half }

// SwiftShader flushes subnormal numbers, as WGSL allows.
conformance({ name: 'wgpu', create, relaxations: ['denormals'], ...(isMedium ? { tolerances: rounded } : {}) })
