import {
  binaryFns,
  canonical,
  type Graph,
  type HostArray,
  hostArray,
  isDecomposableBinary,
  isDecomposableUnary,
  isFloat,
  type Node,
  type NodeOf,
  sizeOf,
  unaryFns,
} from '@tessella/ir'
import { reference } from '@tessella/testing'
import { compileGraph, type Program, printProgram, type Target } from '../../src/index.ts'
import { interpret } from './interpreter.ts'

/** A device with core functions only. */
export const target: Target = {
  name: 'test',
  dtypes: new Set(['float32', 'float64', 'int32', 'uint32', 'uint8', 'bool']),
  unary: new Set(unaryFns.filter((fn) => !isDecomposableUnary(fn))),
  binary: new Set(binaryFns.filter((fn) => !isDecomposableBinary(fn))),
  alignment: 64,
  maxBuffers: 16,
}

export function graphOf(outputs: readonly Node[], updates: readonly (readonly [Node, number])[] = []): Graph {
  const { inputs } = canonical(outputs)
  return {
    inputs,
    outputs,
    updates: updates.map(([node, output]) => ({ input: inputs.indexOf(node as NodeOf<'parameter'>), output })),
  }
}

/** Reproducible values between -2 and 2, or small integers. */
export function valuesFor(node: Node, seed: number): HostArray {
  const out = hostArray(node.dtype, sizeOf(node.shape))
  let state = (seed * 2654435761 + 12345) >>> 0
  for (let i = 0; i < out.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    const u = state / 2 ** 32
    out[i] = node.dtype === 'bool' ? (u < 0.5 ? 0 : 1) : isFloat(node.dtype) ? u * 4 - 2 : Math.floor(u * 5)
  }
  return out
}

async function expected(graph: Graph, inputs: readonly HostArray[]): Promise<HostArray[]> {
  const backend = reference()
  const buffers = graph.inputs.map((node, i) => backend.upload(inputs[i] as HostArray, node.dtype))
  const outputs = backend.prepare(graph).run(
    buffers,
    buffers.map(() => false),
  )
  return Promise.all(outputs.map((o, i) => backend.read(o, (graph.outputs[i] as Node).dtype)))
}

function differs(a: number, b: number, tolerance: number): boolean {
  if (Object.is(a, b) || a === b) return false
  return !(Math.abs(a - b) <= tolerance * (1 + Math.abs(b)))
}

/** Compiles, runs in the interpreter of programs and compares with the reference backend. Answers the program. */
export async function checkGraph(
  graph: Graph,
  options: { target?: Target; inputs?: readonly HostArray[]; tolerance?: number } = {},
): Promise<Program> {
  const inputs = options.inputs ?? graph.inputs.map((node, i) => valuesFor(node, i + 1))
  const program = compileGraph(graph, options.target ?? target)
  const got = interpret(program, inputs)
  const want = await expected(graph, inputs)
  for (const [o, data] of want.entries()) {
    const mine = got[o] as HostArray
    if (mine.length !== data.length)
      throw new Error(`output ${o} has ${mine.length} elements instead of ${data.length}`)
    for (let i = 0; i < data.length; i++)
      if (differs(mine[i] as number, data[i] as number, options.tolerance ?? 1e-4))
        throw new Error(`output ${o} at ${i}: ${mine[i]} instead of ${data[i]}\n${printProgram(program)}`)
  }
  return program
}
