import type { DeviceBuffer } from '@tessella/ir'
import { build, parameter } from '@tessella/ir'
import { useSwiftshader } from '@tessella/testing/swiftshader'
import { type WgpuBackend, wgpu } from '../../src/index.ts'

/** A backend on SwiftShader with a program that keeps it busy for a while. */
export async function busyBackend(): Promise<{ backend: WgpuBackend; work: () => DeviceBuffer }> {
  await useSwiftshader()
  const backend = await wgpu()
  const x = parameter([128, 128], 'float32')
  const program = backend.prepare({ inputs: [x], outputs: [build.matmul(build.matmul(x, x), x)] })
  const input = backend.upload(new Float32Array(128 * 128).fill(1 / 128), 'float32')
  return { backend, work: () => program.run([input], [false])[0] as DeviceBuffer }
}

/** Fails the process when a value is not what it must be. */
export function must(condition: boolean, what: string): void {
  if (!condition) throw new Error(`not so: ${what}`)
}

/** Runs the collector and lets its finalizers run. */
export async function collect(): Promise<void> {
  globalThis.gc?.()
  await new Promise((resolve) => setTimeout(resolve, 5))
}
