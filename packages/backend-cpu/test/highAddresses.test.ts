import { compileGraph } from '@tessella/compiler'
import { build, make, type Node, parameter } from '@tessella/ir'
import { expect, it } from 'vitest'
import { CpuExecutable } from '../src/executable.ts'
import { Heap } from '../src/heap.ts'
import { probeFeatures } from '../src/wasm/features.ts'
import { nativeBinary, nativeUnary } from '../src/wasm/functions.ts'

it('computes on buffers beyond 2 GiB', () => {
  const heap = new Heap()
  // Pages that nobody touches cost nothing.
  heap.memory.allocate(2 ** 31 + 2 ** 20)
  const [rows, columns] = [37, 41]
  const x = parameter([rows, columns], 'float32')
  const key = make('iota', [], { shape: [rows], axis: 0, dtype: 'int32' })
  const index = build.broadcastTo(
    build.reshape(build.binary('sub', build.full([rows], rows - 1, 'int32'), key), [rows, 1]),
    [rows, columns],
  )
  const outputs: Node[] = [
    build.flip(x, [0, 1]),
    make('permute', [x], { perm: [1, 0] }),
    build.reduce('sum', x, [0]),
    make('gather', [x, index], { axis: 0 }),
    build.matmul(x, make('permute', [x], { perm: [1, 0] })),
  ]
  const target = {
    name: 'cpu',
    dtypes: new Set(['float32', 'int32'] as const),
    unary: nativeUnary,
    binary: nativeBinary,
    alignment: 64,
    maxBuffers: 64,
  }
  const graph = { inputs: [x], outputs }
  const run = new CpuExecutable(heap, probeFeatures(), compileGraph(graph, target), () => '')
  const input = heap.allocate(4 * rows * columns)
  expect(input.block.address).toBeGreaterThan(2 ** 31)
  const at = (i: number, j: number) => ((i * 7 + j * 3) % 11) - 5
  const view = (address: number, length: number) => new Float32Array(heap.memory.bytes.buffer, address, length)
  view(input.block.address, rows * columns).set(
    Array.from({ length: rows * columns }, (_, k) => at(Math.floor(k / columns), k % columns)),
  )
  const results = run.run([input], [false]).map((r) => heap.own(r, 'result'))
  const [flipped, turned, sums, gathered, product] = results.map((r) => [...view(r.block.address, r.byteLength / 4)])
  const grid = (n: number, m: number, f: (i: number, j: number) => number) =>
    Array.from({ length: n * m }, (_, k) => f(Math.floor(k / m), k % m))
  const total = (n: number, f: (i: number) => number) =>
    Array.from({ length: n }, (_, i) => f(i)).reduce((a, b) => a + b, 0)
  expect(flipped).toEqual(grid(rows, columns, (i, j) => at(rows - 1 - i, columns - 1 - j)))
  expect(turned).toEqual(grid(columns, rows, (i, j) => at(j, i)))
  expect(sums).toEqual(grid(1, columns, (_, j) => total(rows, (i) => at(i, j))))
  expect(gathered).toEqual(grid(rows, columns, (i, j) => at(rows - 1 - i, j)))
  expect(product).toEqual(grid(rows, rows, (i, j) => total(columns, (k) => at(i, k) * at(j, k))))
})
