import {
  type Backend,
  type DType,
  type Graph,
  type HostArray,
  make,
  type Node,
  type NodeOf,
  type OpName,
  parameter,
  printGraph,
  rewrite,
  topological,
} from '@tessella/ir'
import { compareOnRandomGraphs, randomGraph, reference } from '@tessella/testing'
import { conformanceGroups } from '@tessella/testing/conformance'
import { describe, expect, it } from 'vitest'

describe('randomGraph', () => {
  it('depends on its seed alone', () => {
    expect(printGraph(randomGraph(7).graph)).toBe(printGraph(randomGraph(7).graph))
    expect(randomGraph(7).data).toEqual(randomGraph(7).data)
    expect(printGraph(randomGraph(7).graph)).not.toBe(printGraph(randomGraph(8).graph))
  })
  it('reaches every operation, and updates, within 600 seeds', () => {
    const seen = new Set<OpName>()
    let updates = 0
    for (let seed = 0; seed < 600; seed++) {
      const { graph } = randomGraph(seed)
      for (const node of topological(graph.outputs)) seen.add(node.op)
      updates += graph.updates?.length ?? 0
    }
    const all = [...conformanceGroups().keys()].filter((group) => !group.includes('.') && group !== 'programs')
    expect(all.filter((op) => !seen.has(op as OpName))).toEqual([])
    expect(updates).toBeGreaterThan(100)
  })
  it('keeps values finite and of moderate size', async () => {
    const backend = reference()
    for (let seed = 0; seed < 150; seed++) {
      const { graph, data, errors } = randomGraph(seed)
      const program = backend.prepare(graph)
      const outputs = program.run(
        data.map((d, i) => backend.upload(d, graph.inputs[i]!.dtype)),
        data.map(() => true),
      )
      for (const [i, buffer] of outputs.entries()) {
        const { dtype } = graph.outputs[i]!
        const values = await backend.read(buffer, dtype)
        if (dtype !== 'float32') continue
        expect(errors[i]).toBeLessThan(0.1)
        for (const v of values) if (!(Math.abs(v) < 1e7)) expect.fail(`seed ${seed} output ${i}: ${v}`)
      }
    }
  })
})

/** The same program in float64. */
function widened(graph: Graph): Graph {
  const wide = (dtype: DType): DType => (dtype === 'float32' ? 'float64' : dtype)
  const map = new Map<Node, NodeOf<'parameter'>>(graph.inputs.map((p) => [p, parameter(p.shape, wide(p.dtype))]))
  const outputs = rewrite(graph.outputs, (node, original) => {
    if (original.op === 'parameter') return map.get(original)!
    if (node.op === 'constant' || node.op === 'cast' || node.op === 'iota')
      return make(node.op, node.src as never, { ...node.attrs, dtype: wide(node.attrs.dtype) } as never)
    return node
  })
  return { inputs: graph.inputs.map((p) => map.get(p)!), outputs }
}

it('knows how far rounding can move its outputs: float64 agrees with float32 within the errors', async () => {
  const run = async (graph: Graph, data: readonly HostArray[]) => {
    const backend = reference()
    const inputs = graph.inputs.map((p, i) =>
      backend.upload(p.dtype === 'float64' ? Float64Array.from(data[i]!) : data[i]!, p.dtype),
    )
    const outputs = backend.prepare(graph).run(
      inputs,
      data.map(() => false),
    )
    return Promise.all(outputs.map((b, i) => backend.read(b, graph.outputs[i]!.dtype)))
  }
  for (let seed = 0; seed < 400; seed++) {
    const { graph, data, errors } = randomGraph(seed)
    const narrow = await run(graph, data)
    const wide = await run(widened(graph), data)
    for (const [i, values] of narrow.entries())
      for (const [j, v] of values.entries())
        if (!(Math.abs(v - wide[i]![j]!) <= errors[i]!))
          expect.fail(`seed ${seed} output ${i}[${j}]: ${v} and ${wide[i]![j]}`)
  }
})

/** The reference with a flaw in one result. */
function flawed(spoil: (values: HostArray) => void): Backend {
  const inner = reference()
  return {
    name: 'flawed',
    irVersion: inner.irVersion,
    dtypes: inner.dtypes,
    prepare: (g) => inner.prepare(g),
    upload: (d, t) => inner.upload(d, t),
    read: async (b, t) => {
      const values = await inner.read(b, t)
      spoil(values)
      return values
    },
    release: (b) => inner.release(b),
    synchronize: () => inner.synchronize(),
    memory: () => inner.memory(),
    dispose: () => inner.dispose(),
  }
}

describe('compareOnRandomGraphs', () => {
  it('accepts the reference itself', () => compareOnRandomGraphs(reference(), { count: 100, seed: 0 }))
  it('reports seed and graph of a wrong result', async () => {
    const wrong = flawed((values) => {
      const last = values.length - 1
      if (values instanceof Float32Array && last >= 0) values[last] = (values[last] as number) + 1
    })
    await expect(compareOnRandomGraphs(wrong, { count: 3, seed: 5 })).rejects.toThrow(/randomGraph\(5\)[\s\S]*return %/)
  })
})
