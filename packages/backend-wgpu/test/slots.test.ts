import { compileGraph, type Target } from '@tessella/compiler'
import { build, type Graph, type Node, parameter } from '@tessella/ir'
import { describe, expect, it } from 'vitest'
import { defaultCapabilities } from '../src/device/capabilities.ts'
import { planSlots, type Slot } from '../src/run/slots.ts'
import { nativeBinary, nativeUnary } from '../src/wgsl/functions.ts'

const target: Target = {
  name: 'test',
  dtypes: new Set(['float32']),
  unary: nativeUnary,
  binary: nativeBinary,
  alignment: 256,
  maxBuffers: 8,
}

const plan = (graph: Graph, reused: readonly (number | undefined)[]) =>
  planSlots(compileGraph(graph, target), reused, defaultCapabilities)

const temporariesOf = (slots: readonly Slot[]) => slots.filter((slot) => slot.kind === 'temporary')

/** x, multiplied by itself `n` times in a way that keeps every product apart. */
function chain(n: number): { graph: Graph; x: Node } {
  const x = parameter([40, 40], 'float32')
  let y: Node = x
  for (let i = 0; i < n; i++) y = build.matmul(build.unary('tanh', y), x)
  return { graph: { inputs: [x], outputs: [y] }, x }
}

describe('slots', () => {
  it('two temporaries carry a chain of any length', () => {
    const { slots, outputs, dispatches } = plan(chain(12).graph, [undefined])
    expect(slots[0]).toEqual({ kind: 'input', index: 0 })
    expect(slots[outputs[0] as number]).toEqual({ kind: 'output', index: 0 })
    expect(dispatches.length).toBeGreaterThanOrEqual(12)
    expect(temporariesOf(slots)).toEqual(Array.from({ length: 2 }, () => ({ kind: 'temporary', bytes: 6400 })))
  })

  it('an output over a donated input has its slot, and the kernel binds it once', () => {
    const x = parameter([40], 'float32')
    const graph = { inputs: [x], outputs: [build.scale(x, 0.5)], updates: [{ input: 0, output: 0 }] }
    const inPlace = plan(graph, [0])
    expect(inPlace.slots).toEqual([{ kind: 'input', index: 0 }])
    expect(inPlace.dispatches.map((d) => d.bindings)).toEqual([[{ slot: 0, page: 0, access: 'read_write' }]])
    const apart = plan(graph, [undefined])
    expect(apart.dispatches.map((d) => new Set(d.bindings.map((b) => b.slot)))).toEqual([new Set([0, 1])])
  })

  it('no dispatch binds a slot twice, or more than the device takes', () => {
    const inputs = Array.from({ length: 12 }, () => parameter([30, 30], 'float32'))
    const sum = inputs.reduce<Node>((a, b) => build.add(a, b), build.constant(0))
    const { dispatches } = plan({ inputs, outputs: [build.matmul(sum, sum), build.reduce('sum', sum, [0])] }, [])
    for (const { bindings } of dispatches) {
      expect(new Set(bindings.map((b) => b.slot)).size).toBe(bindings.length)
      expect(bindings.length).toBeLessThanOrEqual(8)
    }
  })

  it('what fits into a binding never shares a slot with what does not', () => {
    const x = parameter([40, 40], 'float32')
    const small = build.matmul(build.slice(x, [0, 0], [10, 40]), x)
    let y: Node = build.matmul(build.transpose(small), small)
    for (let i = 0; i < 3; i++) y = build.matmul(y, x)
    const program = compileGraph({ inputs: [x], outputs: [y] }, target)
    const bytesWith = (maxBindingBytes: number) =>
      temporariesOf(planSlots(program, [], { ...defaultCapabilities, maxBindingBytes }).slots).map(({ bytes }) => bytes)
    // The slot of the small one grows when it is free, unless that would make it one of several pages.
    expect(bytesWith(2 ** 20)).toEqual([6400, 6400])
    expect(bytesWith(4096)).toEqual([1600, 6400, 6400])
  })
})
