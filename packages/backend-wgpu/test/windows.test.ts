import { build, type Node, parameter } from '@tessella/ir'
import { type Case, checkCase } from '@tessella/testing/conformance'
import { useSwiftshader } from '@tessella/testing/swiftshader'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { WgpuBackend } from '../src/backend.ts'
import { createPaged } from './support/create.ts'
import { kernelCases } from './support/kernelCases.ts'

/*
 * Values above the size of a binding, with bindings so small that ordinary values are: their pages are buffers of their own.
 * TESSELLA_WGPU=paged runs the whole suite so.
 */

beforeAll(useSwiftshader)

const tolerance = { float32: { relative: 1e-4, scale: 3e-6 } }

/** More pages than a dispatch binds, in every way to be cut. */
const cases: readonly Case[] = [
  {
    name: 'a matrix and its transpose',
    build: (i) => {
      const x = i.random([90, 90])
      return build.add(x, build.transpose(x))
    },
  },
  {
    name: 'small elements',
    build: (i) => {
      const x = i.random([60_003])
      const y = build.binary('gt', x, build.constant(0))
      return [y, build.reduce('max', y, [0]), build.cast(x, 'float16')]
    },
  },
  {
    name: 'positions of extremes',
    build: (i) => {
      const [x, y] = [i.random([9000], 'int32', [0, 50]), i.random([90, 101])]
      return [build.argReduce('max', x, 0), build.argReduce('min', y, 0), build.argReduce('max', y, 1)]
    },
  },
  {
    name: 'a sum of a part',
    build: (i) => build.reduce('sum', build.slice(i.random([200, 100]), [3, 10], [190, 80]), [0]),
    tolerance,
  },
  {
    name: 'gathers from many pages',
    build: (i) => {
      const rows = build.gather(i.random([3000, 7]), i.random([50, 7], 'int32', [-2, 3002]), 0)
      return [
        build.scale(rows, 2),
        build.gather(i.random([12_000], 'int32'), i.random([3000], 'int32', [0, 12_000]), 0),
      ]
    },
  },
  {
    name: 'lines of many pages',
    build: (i) => [
      build.cumulative('sum', i.random([9000], 'int32', [-9, 9]), 0),
      build.cumulative('max', i.random([9000], 'float32'), 0, true),
      build.cumulative('prod', i.random([3, 4000, 2], 'int32', [-1, 3]), 1),
      build.scatterAdd(i.random([9000], 'int32', [-1, 40]), i.random([9000], 'int32', [-9, 9]), 0, 40),
    ],
  },
  {
    name: 'rows of many values across pages',
    build: (i) => {
      const shape = [40, 700]
      const x = [1, 2, 3, 4, 5].map(() => i.random(shape)).reduce((a, b) => build.add(a, b))
      const e = build.unary('exp', build.sub(x, build.reduceKeep('max', x, [1])))
      return build.div(e, build.reduceKeep('sum', e, [1]))
    },
    tolerance,
  },
  {
    name: 'one image of many pages',
    build: (i) => {
      const attrs = { stride: [1, 1], padding: [[0, 0] as const, [0, 0] as const], dilation: [1, 1], groups: 1 }
      const [x, w, y] = [i.random([1, 2, 30, 30]), i.random([30, 2, 3, 3]), i.random([1, 30, 28, 28])]
      const pool = { kernel: [2, 2], stride: [2, 2], padding: attrs.padding, dilation: [1, 1] }
      return [
        build.conv(x, w, attrs),
        build.convGradInput(y, w, attrs, [30, 30]),
        build.convGradWeight(x, y, attrs, [3, 3]),
        build.maxPool(y, pool),
      ]
    },
    tolerance,
  },
]

describe('bindings of 4 KiB', () => {
  let backend: WgpuBackend
  beforeAll(async () => {
    backend = await createPaged(4096)
  })
  afterAll(() => backend.dispose())

  const check = async (c: Case) => expect(await checkCase(backend, c, { relaxations: ['denormals'] })).toBeUndefined()
  for (const c of cases) it(c.name, () => check(c), 60_000)

  it('a line too long to be sorted is refused with the reason', () => {
    const x = parameter([5000], 'float32')
    expect(() => backend.prepare({ inputs: [x], outputs: [build.argsort(x, 0)] })).toThrow(
      /\[argsort\] reads and writes 15 bindings at once, this device takes 8/,
    )
  })

  it('leaves no buffer behind', () => expect(backend.memory()).toMatchObject({ bytes: 0, buffers: 0 }))
})

describe('bindings of 64 KiB', () => {
  let backend: WgpuBackend
  beforeAll(async () => {
    backend = await createPaged(2 ** 16)
  })
  afterAll(() => backend.dispose())

  const wanted = /whole quads|one column|along rows|softmax|cumulative|by parts of words/
  for (const c of kernelCases.filter((k) => wanted.test(k.name)))
    it(c.name, async () => {
      expect(await checkCase(backend, c, { relaxations: ['denormals'] })).toBeUndefined()
    }, 60_000)
})

it('a run on values of several pages is bitwise the same again', async () => {
  const backend = await createPaged(4096)
  const x = parameter([30_000], 'float32')
  const outputs: Node[] = [build.reduce('sum', x, [0]), build.cumulative('sum', x, 0)]
  const program = backend.prepare({ inputs: [x], outputs })
  const input = backend.upload(
    Float32Array.from({ length: 30_000 }, (_, i) => Math.sin(i) * 10 ** (i % 7)),
    'float32',
  )
  const once = async () => Promise.all(program.run([input], [false]).map((b) => backend.read(b, 'float32')))
  expect(await once()).toEqual(await once())
  backend.dispose()
})
