import { reference } from '@tessella/testing'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { disposeBackend, einsum, type Tensor, tensor, useBackend } from '../src/index.ts'

beforeAll(async () => {
  await useBackend(reference())
  return disposeBackend
})

interface Operand {
  readonly labels: string
  readonly shape: readonly number[]
  readonly data: readonly number[]
}

/** The definition: for every value of every label, add the product of the operands to the result. */
function naive(operands: readonly Operand[], output: string, sizes: Readonly<Record<string, number>>): number[] {
  const labels = [...new Set([...output, ...operands.flatMap((o) => [...o.labels])])]
  const place = (of: string, at: Readonly<Record<string, number>>, shape: readonly number[]): number =>
    [...of].reduce((p, l, i) => p * shape[i]! + (shape[i] === 1 ? 0 : at[l]!), 0)
  const shape = [...output].map((l) => sizes[l]!)
  const result = new Array<number>(shape.reduce((a, b) => a * b, 1)).fill(0)
  const visit = (depth: number, at: Record<string, number>): void => {
    if (depth < labels.length) {
      const label = labels[depth]!
      for (let i = 0; i < sizes[label]!; i++) visit(depth + 1, { ...at, [label]: i })
      return
    }
    const product = operands.reduce((p, o) => p * o.data[place(o.labels, at, o.shape)]!, 1)
    result[place(output, at, shape)]! += product
  }
  visit(0, {})
  return result
}

/** Up to three operands over four labels, with repeated labels and dimensions of 1, and a result of some labels. */
const equations = fc
  .record({
    sizes: fc.record({
      a: fc.integer({ min: 1, max: 3 }),
      b: fc.constant(2),
      c: fc.constant(3),
      d: fc.integer({ min: 1, max: 2 }),
    }),
    terms: fc.array(fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 3 }), { minLength: 1, maxLength: 3 }),
    ones: fc.array(fc.boolean(), { minLength: 9, maxLength: 9 }),
    keep: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
    values: fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 30, maxLength: 30 }),
  })
  .map(({ sizes, terms, ones, keep, values }) => {
    const seen = new Set<string>()
    const operands = terms.map((labels, t): Operand => {
      // A dimension of 1 broadcasts when another operand has the size; a diagonal needs equal sizes.
      const shape = labels.map((l, i) => {
        const repeated = labels.indexOf(l) !== labels.lastIndexOf(l)
        return seen.has(l) && !repeated && ones[3 * t + i] ? 1 : sizes[l as 'a']
      })
      for (const l of labels) seen.add(l)
      const size = shape.reduce((p, n) => p * n, 1)
      return { labels: labels.join(''), shape, data: Array.from({ length: size }, (_, i) => values[(i + t) % 30]!) }
    })
    const output = [...seen]
      .filter((_, i) => keep[i])
      .reverse()
      .join('')
    return { operands, output, sizes }
  })

const run = (equation: string, operands: readonly Operand[]): Tensor =>
  einsum(equation, ...operands.map((o) => tensor([...o.data], [...o.shape])))

describe('einsum', () => {
  it('is the sum over all labels', async () => {
    await fc.assert(
      fc.asyncProperty(equations, async ({ operands, output, sizes }) => {
        const y = run(`${operands.map((o) => o.labels).join(',')}->${output}`, operands)
        expect(y.shape).toEqual([...output].map((l) => sizes[l as 'a']))
        expect(Array.from(await y.data()).map((v) => v + 0)).toEqual(naive(operands, output, sizes).map((v) => v + 0))
      }),
      { numRuns: 100, seed: 7 },
    )
  })

  const m = tensor([
    [1, 2],
    [3, 4],
  ])
  it.each([
    [
      'the order of the alphabet without an arrow',
      einsum('ba', m),
      [
        [1, 3],
        [2, 4],
      ],
    ],
    ['a trace', einsum('ii->', m), 5],
    ['a diagonal', einsum('ii->i', m), [1, 4]],
    [
      'leading dimensions',
      einsum('...ij,...jk->...ik', m, m),
      [
        [7, 10],
        [15, 22],
      ],
    ],
    ['leading dimensions of one operand only', einsum('...i,i->...', m, tensor([1, 10])), [21, 43]],
    ['spaces', einsum(' i j , j -> i ', m, tensor([1, 1])), [3, 7]],
    ['integers of one operand', einsum('ij->j', m.cast('int32')), [4, 6]],
  ])('%s', async (_, y, expected) => {
    expect(await y.array()).toEqual(expected)
  })
})
