import { conformance } from '@tessella/testing/conformance'
import { useSwiftshader } from '@tessella/testing/swiftshader'
import { wgpu } from '../src/index.ts'

await useSwiftshader()

// SwiftShader flushes subnormal numbers, as WGSL allows.
conformance({ name: 'wgpu', create: () => wgpu(), relaxations: ['denormals'] })
