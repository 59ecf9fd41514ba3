import { type Graph, parameter } from '@tessella/ir'
import { describe, expect, it } from 'vitest'
import { compileGraph, printProgram } from '../src/index.ts'
import { checkGraph, graphOf, target } from './support/check.ts'
import { adamAlone, attention, batchNorm, crossEntropy, lenetAdam, lenetSgd, mlp } from './support/models.ts'

const lossOnly = (): Graph => {
  const logits = parameter([16, 10], 'float32')
  const labels = parameter([16], 'int32')
  return graphOf([crossEntropy(logits, labels)])
}

describe('known models', () => {
  const graphs: readonly [string, Graph, number][] = [
    ['cross-entropy', lossOnly(), 3],
    ['mlp with sgd', mlp().graph, 11],
    ['batch norm', batchNorm().graph, 6],
    ['adam alone', adamAlone(), 2],
    ['attention', attention(), 23],
  ]
  it.each(graphs)('%s', async (_, graph, kernels) => {
    const program = await checkGraph(graph)
    expect(printProgram(program)).toMatchSnapshot()
    expect(program.kernels.length).toBe(kernels)
  })

  it.each(graphs.slice(0, 5))('%s in rows', async (_, graph) => {
    const program = await checkGraph(graph, { target: { ...target, rows: { elements: 4096, keep: true } } })
    expect(printProgram(program)).toMatchSnapshot()
  })

  it('lenet with sgd', async () => {
    const program = compileGraph(lenetSgd().graph, target)
    expect(printProgram(program)).toMatchSnapshot()
    expect(program.kernels.length).toBe(28)
    await checkGraph(lenetSgd(2).graph, { tolerance: 1e-3 })
  })

  it('lenet with adam', async () => {
    const program = compileGraph(lenetAdam().graph, target)
    expect(printProgram(program)).toMatchSnapshot()
    expect(program.kernels.length).toBe(29)
    await checkGraph(lenetAdam(2).graph, { tolerance: 1e-3 })
  })
})
