import { BackendError, build, type Node, parameter, printGraph, unaryFns } from '@tessella/ir'
import { describe, expect, it } from 'vitest'
import { compileGraph } from '../src/index.ts'
import { simplify } from '../src/simplify.ts'
import { graphOf, target } from './support/check.ts'
import { relu } from './support/models.ts'

const {
  add,
  after,
  alias,
  binary,
  broadcastTo,
  cast,
  constant,
  flip,
  full,
  gather,
  iota,
  matmul,
  mul,
  neg,
  onesLike,
  pad,
  permute,
} = build
const { reduce, reshape, scale, scatterAdd, select, shift, slice, stopGradient, sub, transpose, unary } = build

const x = parameter([2, 3], 'float32')
const s = parameter([], 'float32')
const word = parameter([2, 3], 'int32')
const labels = parameter([2, 1], 'int32')

function text(root: Node): string {
  const graph = graphOf([root])
  return printGraph({ inputs: graph.inputs, outputs: simplify(graph, target) })
}

/** Left and right are written in one form. */
const same: readonly (readonly [string, Node, Node])[] = [
  ['wrappers', stopGradient(alias(neg(x))), neg(x)],
  ['x * 1', neg(mul(x, full([2, 3], 1, 'float32'))), neg(x)],
  ['1 * x', neg(mul(onesLike(x), x)), neg(x)],
  ['x + 0', neg(shift(x, 0)), neg(x)],
  ['0 - x', sub(full([2, 3], 0, 'float32'), x), neg(x)],
  ['x + (-y)', add(x, neg(unary('exp', x))), sub(x, unary('exp', x))],
  ['-(-x)', unary('exp', neg(neg(x))), unary('exp', x)],
  ['x / 4', binary('div', x, full([2, 3], 4, 'float32')), scale(x, 0.25)],
  ['x * 2 * 3', scale(scale(x, 2), 3), scale(x, 6)],
  ['x ** 2', binary('pow', x, full([2, 3], 2, 'float32')), mul(x, x)],
  ['constants', add(x, broadcastTo(mul(constant(2), constant(3)), [2, 3])), shift(x, 6)],
  ['exact casts', cast(cast(parameter([2], 'uint8'), 'int32'), 'float32'), cast(parameter([2], 'uint8'), 'float32')],
  ['relu', relu(x), binary('max', x, full([2, 3], 0, 'float32'))],
  ['sum of a broadcast', reduce('sum', broadcastTo(reshape(s, [1, 1]), [4, 5]), [0, 1]), scale(s, 20)],
  ['max of a broadcast', neg(reduce('max', broadcastTo(s, [4]), [0])), neg(s)],
  ['sum of ones', add(s, reduce('sum', full([2, 3], 1, 'float32'), [0, 1])), shift(s, 6)],
  ['sums of sums', reduce('sum', reduce('sum', x, [1]), [0]), reduce('sum', x, [0, 1])],
  ['sum of a scaled value', reduce('sum', scale(x, 3), [0, 1]), scale(reduce('sum', x, [0, 1]), 3)],
  [
    'elementwise after growth',
    unary('exp', broadcastTo(s, [2, 3])),
    build.expand(unary('exp', reshape(s, [1, 1])), [2, 3]),
  ],
  ['permute of permute', neg(permute(permute(x, [1, 0]), [1, 0])), neg(x)],
  ['slice of slice', slice(slice(x, [0, 1], [2, 2]), [1, 0], [1, 2]), slice(x, [1, 1], [1, 2])],
  ['flip of flip', neg(flip(flip(x, [0, 1]), [1])), neg(flip(x, [0]))],
  ['slice of pad', neg(slice(pad(x, [1, 1], [1, 1]), [1, 1], [2, 3])), neg(x)],
  ['slice of concat', neg(slice(build.concat([neg(x), x], 0), [2, 0], [2, 3])), neg(x)],
  ['gather of an elementwise value', gather(unary('exp', x), labels, 1), unary('exp', gather(x, labels, 1))],
  [
    'a batch over one matrix',
    matmul(parameter([4, 2, 3], 'float32'), broadcastTo(transpose(x), [4, 3, 2])),
    reshape(matmul(reshape(parameter([4, 2, 3], 'float32'), [8, 3]), transpose(x)), [4, 2, 2]),
  ],
]

describe('simplification', () => {
  it.each(same)('%s', (_, left, right) => expect(text(left)).toBe(text(right)))

  it('finds common subexpressions', () => {
    const twice = add(unary('exp', scale(x, 2)), unary('exp', scale(x, 2)))
    expect(text(twice).match(/fn=exp/g)).toHaveLength(1)
  })

  it('does not share what `after` keeps apart', () => {
    const late = after(x, neg(x))
    expect(text(add(unary('exp', x), unary('exp', late))).match(/fn=exp/g)).toHaveLength(2)
  })

  it('scatters one value per line by comparison', () => {
    expect(
      text(scatterAdd(labels, reduce('sum', x, [1]).shape.length ? slice(x, [0, 0], [2, 1]) : x, 1, 5)),
    ).not.toContain('scatterAdd')
  })

  it('sums a one-hot row to its value where the index is inside', () => {
    const here = binary('eq', iota([2, 3], 1), broadcastTo(labels, [2, 3]))
    expect(text(reduce('sum', select(here, broadcastTo(s, [2, 3]), full([2, 3], 0, 'float32')), [1]))).not.toContain(
      'reduce',
    )
  })

  it('keeps what is not exact', () => {
    expect(text(scale(x, 0))).toContain('mul')
    expect(text(binary('div', x, full([2, 3], 3, 'float32')))).toContain('div')
    expect(text(cast(cast(x, 'int32'), 'float32')).match(/cast/g)).toHaveLength(2)
    expect(text(binary('div', word, full([2, 3], 2, 'int32')))).toContain('div')
  })

  it('writes functions that the target lacks in those it has', () => {
    for (const fn of unaryFns.filter((f) => !target.unary.has(f)))
      expect(text(unary(fn, x))).not.toMatch(new RegExp(`fn=${fn}}`))
    const all = { ...target, unary: new Set(unaryFns) }
    expect(printGraph({ inputs: [x], outputs: simplify(graphOf([unary('sigmoid', x)]), all) })).toContain('sigmoid')
  })

  it('refuses dtypes that the device lacks', () => {
    const graph = graphOf([add(parameter([2], 'float64'), parameter([2], 'float64'))])
    const small = { ...target, dtypes: new Set(['float32'] as const) }
    expect(() => compileGraph(graph, small)).toThrow(BackendError)
    expect(() => compileGraph(graph, small)).toThrow(
      "float64 does not exist on this device; it has float32. Cast first: x.cast('float32').",
    )
  })
})
