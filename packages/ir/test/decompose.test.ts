import {
  type Backend,
  binaryFns,
  decomposeBinary,
  decomposeUnary,
  type Graph,
  isDecomposableBinary,
  isDecomposableUnary,
  type Node,
  rewrite,
  topological,
  unaryFns,
} from '@tessella/ir'
import { reference } from '@tessella/testing'
import { checkCase, conformanceGroups } from '@tessella/testing/conformance'
import { describe, expect, it } from 'vitest'

const decomposable = (node: Node): boolean =>
  (node.op === 'unary' && isDecomposableUnary(node.attrs.fn)) ||
  (node.op === 'binary' && isDecomposableBinary(node.attrs.fn))

function step(node: Node): Node {
  if (node.op === 'unary' && isDecomposableUnary(node.attrs.fn)) return decomposeUnary(node.attrs.fn, node.src[0])
  if (node.op === 'binary' && isDecomposableBinary(node.attrs.fn))
    return decomposeBinary(node.attrs.fn, node.src[0], node.src[1])
  return node
}

/** The graph in core functions only; a decomposition may use another (asin needs atan2). */
function inCore(outputs: readonly Node[]): Node[] {
  let roots = [...outputs]
  while (topological(roots).some(decomposable)) roots = rewrite(roots, step)
  return roots
}

/** The reference without decomposable functions, as a small backend would be. */
function core(): Backend {
  const inner = reference()
  return {
    name: 'core',
    irVersion: inner.irVersion,
    dtypes: inner.dtypes,
    prepare: (graph: Graph) => inner.prepare({ ...graph, outputs: inCore(graph.outputs) }),
    upload: (data, dtype) => inner.upload(data, dtype),
    read: (buffer, dtype) => inner.read(buffer, dtype),
    release: (buffer) => inner.release(buffer),
    synchronize: () => inner.synchronize(),
    memory: () => inner.memory(),
    dispose: () => inner.dispose(),
  }
}

describe('decompositions equal the functions, special values included', () => {
  const groups = conformanceGroups()
  const unary = unaryFns.filter(isDecomposableUnary).map((fn) => `unary.${fn}` as const)
  const binary = binaryFns.filter(isDecomposableBinary).map((fn) => `binary.${fn}` as const)
  for (const group of [...unary, ...binary])
    for (const c of groups.get(group)!) it(c.name, async () => expect(await checkCase(core(), c)).toBeUndefined())
})
