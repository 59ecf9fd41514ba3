import { type Backend, BackendError, type BinaryFn, type OpName, type UnaryFn } from '@tessella/ir'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { reference } from '../reference/reference.ts'
import { buildCase, type Case, compareOutputs, evaluate, type Relaxation, relaxed, type Tolerances } from './case.ts'
import { binaryCases } from './cases/binaryCases.ts'
import { opCases } from './cases/opCases.ts'
import { programCases } from './cases/programCases.ts'
import { unaryCases } from './cases/unaryCases.ts'
import { contractTests } from './contract.ts'

/** What a group of cases is about: an operation, or one function of the elementwise operations. */
export type CaseGroup = OpName | `unary.${UnaryFn}` | `binary.${BinaryFn}` | 'programs'

export interface ConformanceOptions {
  readonly name: string
  /** Called for the suite's backend, and once more for a second one. */
  readonly create: () => Promise<Backend>
  /** Replaces the bounds of all cases of a group, where the device cannot do better; say why beside it. */
  readonly tolerances?: { readonly [G in CaseGroup]?: Tolerances }
  /** Deviations from IEEE arithmetic that the device is allowed. */
  readonly relaxations?: readonly Relaxation[]
  /** Only these groups; for work on a backend that is not finished. */
  readonly only?: readonly (CaseGroup | 'contract')[]
}

/** All cases by group, in the order of the language. */
export function conformanceGroups(): ReadonlyMap<CaseGroup, readonly Case[]> {
  const groups = new Map<CaseGroup, readonly Case[]>()
  for (const [fn, cases] of unaryCases) groups.set(`unary.${fn}`, cases)
  for (const [fn, cases] of binaryCases) groups.set(`binary.${fn}`, cases)
  for (const [op, cases] of Object.entries(opCases)) groups.set(op as OpName, cases)
  groups.set('programs', programCases)
  return groups
}

/** Runs one case on a backend and on the reference; the answer names the first difference. */
export async function checkCase(
  backend: Backend,
  c: Case,
  options: { readonly tolerances?: Tolerances; readonly relaxations?: readonly Relaxation[] } = {},
): Promise<string | undefined> {
  const { graph, data } = buildCase(c)
  const oracle = reference()
  const relaxations = options.relaxations ?? []
  const expected = [await evaluate(oracle, graph, data)]
  if (relaxations.length > 0) expected.push(await evaluate(oracle, graph, relaxed(graph, data, relaxations)))
  const actual = await evaluate(backend, graph, data)
  const tolerances = options.tolerances ?? c.tolerance ?? {}
  return compareOutputs(graph, actual, expected, tolerances, relaxations.includes('denormals'))
}

/**
 * Registers vitest tests that hold a backend against the reference, for every operation, function and dtype, and
 * against the promises of the `Backend` interface. Cases with a dtype that the backend lacks must be refused with
 * `unsupported-dtype`.
 *
 * @example
 * conformance({ name: 'cpu', create: async () => cpu() })
 */
export function conformance(options: ConformanceOptions): void {
  describe(`${options.name} conforms`, () => {
    let backend: Backend
    beforeAll(async () => {
      backend = await options.create()
    })
    afterAll(() => backend.dispose())

    const wanted = (group: CaseGroup | 'contract') => options.only === undefined || options.only.includes(group)
    if (wanted('contract')) describe('contract', () => contractTests(() => backend, options.create))
    for (const [group, cases] of conformanceGroups())
      if (wanted(group))
        describe(group, () => {
          for (const c of cases) it(c.name, () => checkOrRefuse(backend, group, c, options))
        })
    it('leaves no buffer behind', () => expect(backend.memory()).toMatchObject({ bytes: 0, buffers: 0 }))
  })
}

async function checkOrRefuse(backend: Backend, group: CaseGroup, c: Case, options: ConformanceOptions): Promise<void> {
  const built = buildCase(c)
  const missing = [...built.dtypes].filter((dtype) => !backend.dtypes.has(dtype))
  if (missing.length > 0) {
    const refusal = (() => {
      try {
        backend.prepare(built.graph)
      } catch (error) {
        return error
      }
      return undefined
    })()
    expect(refusal, `${missing} must be refused`).toBeInstanceOf(BackendError)
    expect((refusal as BackendError).code).toBe('unsupported-dtype')
    return
  }
  const tolerances = options.tolerances?.[group]
  const found = await checkCase(backend, c, {
    ...(tolerances ? { tolerances } : {}),
    ...(options.relaxations ? { relaxations: options.relaxations } : {}),
  })
  if (found !== undefined) expect.fail(found)
}
