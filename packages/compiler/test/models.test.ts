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
    ['mlp with sgd', mlp().graph, 9],
    ['batch norm', batchNorm().graph, 5],
    ['adam alone', adamAlone(), 2],
    ['attention', attention(), 20],
  ]
  it.each(graphs)('%s', async (_, graph, kernels) => {
    const program = await checkGraph(graph)
    expect(printProgram(program)).toMatchSnapshot()
    expect(program.kernels.length).toBe(kernels)
  })

  it('lenet with sgd', async () => {
    const program = compileGraph(lenetSgd().graph, target)
    expect(printProgram(program)).toMatchSnapshot()
    expect(program.kernels.length).toBe(26)
    await checkGraph(lenetSgd(2).graph, { tolerance: 1e-3 })
  })

  it('lenet with adam', async () => {
    const program = compileGraph(lenetAdam().graph, target)
    expect(printProgram(program)).toMatchSnapshot()
    expect(program.kernels.length).toBe(27)
    await checkGraph(lenetAdam(2).graph, { tolerance: 1e-3 })
  })
})
