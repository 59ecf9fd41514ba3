import { cpu } from '@tessella/backend-cpu'
import { wgpu } from '@tessella/backend-wgpu'
import { compile, disposeBackend, type Tensor, useBackend } from '@tessella/tensor'
import {
  type GoldenCase,
  type GoldenFile,
  type GoldenTensor,
  golden,
  goldenFiles,
  goldenMismatch,
  reference,
} from '@tessella/testing'
import { useSwiftshader } from '@tessella/testing/swiftshader'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { activationFunctions, activationLayers } from './rows/activationRows.ts'
import { denseFunctions, denseLayers, normLayers, sequenceFunctions, sequenceLayers } from './rows/layerRows.ts'
import { lossRows } from './rows/lossRows.ts'
import type { Results, Row, Rows } from './rows/row.ts'
import { tensorRows } from './rows/tensorRows.ts'
import { optimizerRows, scheduleRows } from './rows/trainingRows.ts'
import { transformRows } from './rows/transformRows.ts'
import { convFunctions, convLayers, poolFunctions, poolLayers } from './rows/windowRows.ts'

/** A new backend is one more line. */
const backends = { reference, cpu, wgpu: () => wgpu() }

/** What each file's cases run through; an operation that exists as function and as layer runs through both. */
const ways: Readonly<Record<GoldenFile, Readonly<Record<string, Rows>>>> = {
  activations: { function: activationFunctions, layer: activationLayers },
  conv: { function: convFunctions, layer: convLayers },
  layers: { function: denseFunctions, layer: denseLayers },
  losses: { loss: lossRows },
  norm: { layer: normLayers },
  optimizers: { optimizer: optimizerRows },
  pool: { function: poolFunctions, layer: poolLayers },
  schedules: { schedule: scheduleRows },
  sequence: { function: sequenceFunctions, layer: sequenceLayers },
  tensor: { function: tensorRows },
  transforms: { transform: transformRows },
}

/** The cases that do not run, and why. */
const exceptions: Readonly<Record<string, string>> = {
  'optimizers nadam': 'made before pytorch/pytorch#92699 with a momentum too many; see nadam.test.ts of the optimizers',
}

const files = await Promise.all(goldenFiles.map(async (file) => ({ file, cases: await golden(file) })))
const wayOf = (file: GoldenFile, c: GoldenCase): readonly (readonly [string, Row])[] =>
  Object.entries(ways[file]).flatMap(([way, rows]) => (rows[c.op] ? [[way, rows[c.op] as Row]] : []))
const all = files.flatMap(({ file, cases }) => cases.map((c) => ({ file, c, run: wayOf(file, c) })))
const uncovered = all.filter(({ run }) => run.length === 0).map(({ file, c }) => `${file} ${c.name}`)

async function expectSame(actual: Tensor | undefined, expected: GoldenTensor, what: string): Promise<void> {
  if (actual === undefined) throw new Error(`${what} was not computed`)
  expect(actual.shape, what).toEqual(expected.shape)
  expect(goldenMismatch(await actual.data(), expected), what).toBeUndefined()
}

async function compare(c: GoldenCase, { outputs, grads }: Results): Promise<void> {
  for (const [name, expected] of Object.entries(c.outputs)) await expectSame(outputs[name], expected, name)
  for (const [name, expected] of Object.entries(c.grads)) await expectSame(grads[name], expected, `gradient of ${name}`)
}

/** Values one by one, then all in one program; what reads on the way, as a path of training, compiles by itself. */
async function check(c: GoldenCase, row: Row): Promise<void> {
  const results = row(c)()
  await compare(c, await results)
  if (!(results instanceof Promise)) await compare(c, compile(row(c) as () => Results)())
}

describe('coverage of the golden files', () => {
  it(`${all.length - uncovered.length} of ${all.length} cases run; not: ${uncovered.join(', ')}`, () => {
    expect(uncovered.toSorted()).toEqual(Object.keys(exceptions))
  })

  it.each(goldenFiles)('%s has a case for every row', (file) => {
    const ops = new Set(all.filter((entry) => entry.file === file).map(({ c }) => c.op))
    const rows = Object.values(ways[file]).flatMap((table) => Object.keys(table))
    expect(rows.filter((op) => !ops.has(op))).toEqual([])
  })
})

describe.each(Object.entries(backends))('PyTorch on %s', (_, create) => {
  beforeAll(async () => {
    await useSwiftshader()
    await useBackend(create())
  })
  afterAll(disposeBackend)

  it.each(all.flatMap(({ file, c, run }) => run.map(([way, row]) => [file, way, c.name, c, row] as const)))(
    '%s %s %s',
    (_file, _way, _name, c, row) => check(c, row),
  )
})
