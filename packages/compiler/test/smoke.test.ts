import { build, parameter } from '@tessella/ir'
import { expect, it } from 'vitest'
import { printProgram } from '../src/index.ts'
import { checkGraph, graphOf } from './support/check.ts'

const { add, binary, full, matmul, mul, reduce, reduceKeep, scale, select, sub, transpose, unary } = build

it('x * 2 is one kernel', async () => {
  const x = parameter([4], 'float32')
  const program = await checkGraph(graphOf([scale(x, 2)]))
  expect(printProgram(program)).toMatchSnapshot()
})

it('a layer with its update', async () => {
  const x = parameter([8, 5], 'float32')
  const w = parameter([3, 5], 'float32')
  const b = parameter([3], 'float32')
  const pre = add(matmul(x, transpose(w)), b)
  const y = select(binary('le', pre, full([8, 3], 0, 'float32')), full([8, 3], 0, 'float32'), pre)
  const g = select(binary('le', pre, full([8, 3], 0, 'float32')), full([8, 3], 0, 'float32'), y)
  const dw = matmul(transpose(g), x)
  const db = reduce('sum', g, [0])
  const graph = graphOf([y, sub(w, scale(dw, 0.1)), sub(b, scale(db, 0.1))], [[w, 1], [b, 2]])
  const program = await checkGraph(graph)
  expect(printProgram(program)).toMatchSnapshot()
})

it('softmax', async () => {
  const x = parameter([8, 5], 'float32')
  const e = unary('exp', sub(x, reduceKeep('max', x, [1])))
  const p = mul(e, unary('reciprocal', reduceKeep('sum', e, [1])))
  const program = await checkGraph(graphOf([p]))
  expect(printProgram(program)).toMatchSnapshot()
})
