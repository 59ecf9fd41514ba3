import { build, make, parameter, printGraph } from '@tessella/ir'
import { expect, it } from 'vitest'

it('prints a graph as one line per value', () => {
  const x = parameter([2, 1, 5, 5], 'float32')
  const w = parameter([3, 1, 3, 3], 'float32')
  const unused = parameter([], 'int32')
  const y = build.conv(x, w, {
    stride: [1, 2],
    padding: [
      [1, 0],
      [0, 0],
    ],
    dilation: [1, 1],
    groups: 1,
  })
  const z = make('custom', [y, y], { name: 'mine', vjp: () => [] })
  const step = build.sub(w, build.broadcastTo(build.reduce('sum', z, [0, 1, 2, 3]), [3, 1, 3, 3]))
  const graph = { inputs: [w, x, unused], outputs: [z, step], updates: [{ input: 0, output: 1 }] }
  expect(printGraph(graph)).toMatchInlineSnapshot(`
    "%0 = parameter(): float32[3, 1, 3, 3]
    %1 = parameter(): float32[2, 1, 5, 5]
    %2 = parameter(): int32[]
    %3 = conv{stride=[1, 2], padding=[[1, 0], [0, 0]], dilation=[1, 1], groups=1}(%1, %0): float32[2, 3, 4, 2]
    %4 = custom{name=mine, vjp=fn}(%3, %3): float32[2, 3, 4, 2]
    %5 = reduce{fn=sum, axes=[0, 1, 2, 3]}(%4): float32[]
    %6 = reshape{shape=[1, 1, 1, 1]}(%5): float32[1, 1, 1, 1]
    %7 = expand{shape=[3, 1, 3, 3]}(%6): float32[3, 1, 3, 3]
    %8 = binary{fn=sub}(%0, %7): float32[3, 1, 3, 3]
    return %4, %8
    update %0 <- %8"
  `)
})
