import { Lanes } from '../../src/math/lanes.ts'
import { ModuleBuilder } from '../../src/wasm/assembler.ts'
import { ConstantTable } from '../../src/wasm/constants.ts'
import { Dataflow, type Value } from '../../src/wasm/dataflow.ts'
import { type Features, probeFeatures } from '../../src/wasm/features.ts'

type Body = (l: Lanes, ...args: Value[]) => Value

/** Runs a lane function over arrays of 32-bit elements (lengths a multiple of 4). */
export function lanesFunction(count: number, body: Body, features: Features = probeFeatures()) {
  const memory = new WebAssembly.Memory({ initial: 64 })
  const view = new DataView(memory.buffer)
  const m = new ModuleBuilder()
  m.importMemory({ module: 'env', name: 'memory', minimum: 64 })
  const constants = new ConstantTable(1024, 32768, (a, bits) => view.setUint32(a, bits, true))
  const params = Array.from({ length: count + 2 }, () => 'i32' as const)
  m.export(
    'run',
    m.function(params, [], (f, end, out, ...pointers) => {
      const i = f.local('i32')
      f.whileBelow(i, end!, 16, () => {
        const g = new Dataflow({ module: m, features, constants })
        const at = (p: (typeof pointers)[number]) => g.i('i32.add', g.local(p, 0), g.local(i, 1))
        const args = pointers.map((p) => g.load('v128.load', { base: at(p), offset: 0 }))
        const value = body(new Lanes(g), ...args)
        g.emit(f, [{ address: at(out!), value, use: () => f.store('v128.store') }])
      })
    }),
  )
  const instance = new WebAssembly.Instance(new WebAssembly.Module(m.build()), { env: { memory } })
  const run = instance.exports['run'] as (...args: number[]) => void
  const block = 1 << 18
  return (...inputs: ArrayLike<number>[]): Float32Array<ArrayBuffer> => {
    const n = inputs[0]?.length ?? 0
    const out = new Float32Array(n)
    for (let start = 0; start < n; start += block) {
      const size = Math.min(block, n - start)
      for (const [k, input] of inputs.entries()) {
        const part = (input as Float32Array).slice(start, start + size)
        const Kind = input.constructor as Float32ArrayConstructor
        new Kind(memory.buffer, 65536 + 4 * block * (k + 1), size).set(part)
      }
      run(4 * size, 65536, ...inputs.map((_, k) => 65536 + 4 * block * (k + 1)))
      new Uint32Array(out.buffer, 4 * start, size).set(new Uint32Array(memory.buffer, 65536, size))
    }
    return out
  }
}
