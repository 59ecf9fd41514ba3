import { build, type Graph, type Node, parameter } from '@tessella/ir'
import { describe, expect, it } from 'vitest'
import { compileGraph, type Program, printProgram } from '../src/index.ts'
import { checkGraph, graphOf, target } from './support/check.ts'
import { relu } from './support/models.ts'

const {
  add,
  after,
  broadcastTo,
  concat,
  constant,
  conv,
  gather,
  matmul,
  mul,
  narrow,
  neg,
  pad,
  permute,
  randomBits,
  reduce,
  reduceKeep,
} = build
const { reshape, scale, slice, sub, transpose, unary } = build

const float = (...shape: number[]) => parameter(shape, 'float32')
const kinds = (p: Program): string => p.kernels.map((k) => k.kind).join(' ')
const plain = {
  stride: [1, 1],
  padding: [
    [0, 0],
    [0, 0],
  ] as const,
  dilation: [1, 1],
  groups: 1,
}

/** One row per decision: the graph and the kernels it must become. */
const cases: readonly (readonly [string, () => Graph, string])[] = [
  ['an elementwise chain is one map', () => graphOf([unary('exp', neg(scale(float(4, 5), 2)))]), 'map'],
  ['views fold into reads', () => graphOf([add(permute(float(4, 5), [1, 0]), build.flip(float(5, 4), [1]))]), 'map'],
  ['a reduction takes its operands along', () => graphOf([reduce('sum', unary('exp', float(4, 5)), [1])]), 'reduce'],
  ['and its epilogue', () => graphOf([unary('sqrt', scale(reduce('sum', float(4, 5), [0]), 0.2))]), 'reduce'],
  [
    'bias and relu end a convolution',
    () => graphOf([relu(add(conv(float(2, 3, 6, 6), float(4, 3, 3, 3), plain), reshape(float(4), [1, 4, 1, 1])))]),
    'conv',
  ],
  [
    'an epilogue passes through reshape and permute',
    () => {
      const y = permute(reshape(matmul(float(6, 3), float(3, 8)), [2, 3, 8]), [2, 0, 1])
      return graphOf([add(y, float(8, 2, 3))])
    },
    'matmul',
  ],
  [
    'a transposed gradient ends in the update',
    () => {
      const w = float(5, 3)
      return graphOf([sub(w, scale(transpose(matmul(float(3, 8), float(8, 5))), 0.1))], [[w, 0]])
    },
    'matmul',
  ],
  [
    'a residual is added by the later product',
    () => graphOf([add(matmul(float(4, 3), float(3, 5)), matmul(float(4, 6), float(6, 5)))]),
    'matmul matmul',
  ],
  [
    'statistics of one value are one pass',
    () => {
      const v = float(8, 30)
      return graphOf([reduce('sum', v, [1]), reduce('sum', mul(v, v), [1]), reduce('max', v, [1])])
    },
    'reduce',
  ],
  [
    'a value that two fused reductions read is computed in the pass',
    () => {
      const v = unary('exp', float(64, 64))
      return graphOf([reduce('sum', v, [1]), reduce('sum', mul(v, v), [1])])
    },
    'reduce',
  ],
  [
    'a dear value with two consumers is stored',
    () => {
      const v = unary('exp', float(64, 64))
      return graphOf([reduce('sum', v, [1]), reduce('sum', v, [0])])
    },
    'map reduce reduce',
  ],
  [
    'a cheap one is computed twice',
    () => {
      const v = scale(float(64, 64), 2)
      return graphOf([reduce('sum', mul(v, v), [1]), reduce('sum', mul(v, v), [0])])
    },
    'reduce reduce',
  ],
  [
    'maps that share a read are one kernel',
    () => {
      const g = float(5000)
      return graphOf([sub(float(5000), g), mul(float(5000), g), add(scale(float(5000), 0.9), g)])
    },
    'map',
  ],
  ['scalars are one kernel', () => graphOf([unary('exp', float()), add(float(), constant(1)), neg(float())]), 'map'],
  [
    'a dear scalar is computed once',
    () => graphOf([mul(float(4000), broadcastTo(unary('exp', unary('sin', float())), [4000]))]),
    'map map',
  ],
  [
    'parts are written into the concatenation',
    () => graphOf([concat([matmul(float(2, 3), float(3, 4)), neg(float(5, 4))], 0)]),
    'matmul map',
  ],
  ['padding is a fill and a copy', () => graphOf([pad(neg(float(3, 4)), [1, 1], [0, 2], 7)]), 'map map'],
  [
    'random bits for two kernels are kept as the mask',
    () => {
      const key = parameter([2], 'uint32')
      const keep = build.binary('lt', randomBits(key, [64, 64]), build.full([64, 64], 1 << 30, 'uint32'))
      const drop = (v: Node) => build.select(keep, v, build.zerosLike(v))
      return graphOf([reduce('sum', drop(float(64, 64)), [0]), reduce('sum', drop(float(64, 64)), [1])])
    },
    'map reduce reduce',
  ],
  [
    'a batch is one gather, cast and scale',
    () => {
      const images = parameter([50, 12], 'uint8')
      const rows = broadcastTo(parameter([8, 1], 'int32'), [8, 12])
      return graphOf([scale(build.cast(gather(images, rows, 0), 'float32'), 1 / 255)])
    },
    'map',
  ],
  ['an output that is an input is copied', () => graphOf([float(3)]), 'map'],
  [
    'the same output twice is stored twice by one kernel',
    () => {
      const y = neg(float(3))
      return graphOf([y, y])
    },
    'map',
  ],
  ['nothing is computed for empty values', () => graphOf([neg(float(0, 3)), matmul(float(2, 0), float(0, 2))]), 'map'],
]

describe('fusion', () => {
  it.each(cases)('%s', async (_, graph, expected) => {
    const program = await checkGraph(graph())
    expect(kinds(program), printProgram(program)).toBe(expected)
  })

  it('joins maps only where each element of one meets one of the other', async () => {
    const x = float(5000)
    const shifted = (from: number) => neg(narrow(x, 0, from, 4999))
    const one = add(broadcastTo(narrow(x, 0, 68, 1), [5000]), float(5000))
    const folded = broadcastTo(reshape(narrow(x, 0, 0, 2500), [2500, 1]), [2500, 2])
    const outputs = [shifted(0), shifted(1), one, unary('sin', folded), unary('cos', x)]
    await checkGraph(graphOf(outputs))
  })

  it('stays within the buffers of a kernel', async () => {
    const terms = Array.from({ length: 19 }, () => float(8))
    const total = terms.reduce<Node>((a, b) => add(a, b), float(8))
    const program = await checkGraph(graphOf([total]), { target: { ...target, maxBuffers: 5 } })
    expect(program.kernels.length).toBe(7)
  })

  it('cuts long chains', () => {
    let y: Node = float(8)
    for (let i = 0; i < 3000; i++) y = unary('sin', y)
    const { kernels } = compileGraph(graphOf([y]), target)
    expect(kernels.length).toBeGreaterThan(5)
    expect(kernels.length).toBeLessThan(40)
  })

  it('orders a late copy after its event', async () => {
    const x = float(4, 4)
    const event = reduce('sum', matmul(x, x), [0, 1])
    const late = reduce('max', after(x, event), [0])
    const program = await checkGraph(graphOf([late, event]))
    expect(kinds(program)).toBe('matmul reduce reduce')
  })
})

describe('memory', () => {
  const reuses = (p: Program) =>
    p.outputs.map((b) => {
      const place = p.buffers[b]?.place
      return place?.kind === 'output' ? place.reuses : undefined
    })

  it('writes an update over its input', async () => {
    const w = float(6)
    expect(reuses(await checkGraph(graphOf([sub(w, scale(float(6), 0.1))], [[w, 0]])))).toEqual([0])
  })

  it('but not when the kernel reads it elsewhere', async () => {
    const w = float(6)
    expect(reuses(await checkGraph(graphOf([add(w, build.flip(w, [0]))], [[w, 0]])))).toEqual([undefined])
    const a = float(4, 4)
    expect(reuses(await checkGraph(graphOf([matmul(a, a)], [[a, 0]])))).toEqual([undefined])
  })

  it('lets other readers of the input go first', async () => {
    const w = float(4, 4)
    const x = float(4, 4)
    const program = await checkGraph(graphOf([sub(w, matmul(x, x)), matmul(x, w)], [[w, 0]]))
    expect(reuses(program)).toEqual([0, undefined])
  })

  it('gives up one of two updates that need each other', async () => {
    const a = float(4, 4)
    const b = float(4, 4)
    const program = await checkGraph(
      graphOf(
        [matmul(a, b), matmul(b, a)],
        [
          [a, 0],
          [b, 1],
        ],
      ),
    )
    expect(reuses(program)).toEqual([undefined, undefined])
    const c = float(5000)
    const d = float(5000)
    expect(
      reuses(
        await checkGraph(
          graphOf(
            [d, c],
            [
              [c, 0],
              [d, 1],
            ],
          ),
        ),
      ).filter((r) => r !== undefined).length,
    ).toBeLessThan(2)
  })

  it('adds thousands of values in kernels that keep within the limits', async () => {
    const values = Array.from({ length: 5000 }, () => float())
    const chain = values.slice(0, 2500).reduce<Node>((sum, v) => add(sum, v), constant(0, 'float32'))
    let level: readonly Node[] = values.slice(2500)
    while (level.length > 1)
      level = level.flatMap((v, i) => (i % 2 ? [] : [level[i + 1] ? add(v, level[i + 1] as Node) : v]))
    const program = await checkGraph(graphOf([chain, level[0] as Node]))
    expect(program.kernels.length).toBeLessThan(5000 / (target.maxBuffers - 6))
  })

  it('reuses the arena', async () => {
    let y: Node = float(64, 64)
    for (let i = 0; i < 10; i++) y = matmul(y, float(64, 64))
    const program = await checkGraph(graphOf([scale(y, 0)]), { tolerance: Number.POSITIVE_INFINITY })
    expect(program.temporaryBytes).toBe(2 * 64 * 64 * 4)
  })

  it('works in place on a temporary that dies', async () => {
    const x = float(40, 40)
    const e = unary('exp', sub(x, reduceKeep('max', x, [1])))
    const p = build.div(e, reduceKeep('sum', e, [1]))
    const program = await checkGraph(graphOf([matmul(p, slice(narrow(x, 0, 0, 40), [0, 0], [40, 40]))]))
    expect(printProgram(program)).toMatchSnapshot()
  })
})
