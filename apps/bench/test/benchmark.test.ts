import { describe, expect, it } from 'vitest'
import { expect as expected } from '../src/cases/oracle.ts'
import type { Case } from '../src/cases/table.ts'
import type { Work } from '../src/cases/work.ts'
import type { Row, SystemName } from '../src/contract.ts'
import { nodeHost } from '../src/hosts/node.ts'
import type { Host, Question } from '../src/hosts/protocol.ts'
import { benchmark, type Setup } from '../src/measure/benchmark.ts'

const work = { kind: 'matmul', m: 6, k: 5, n: 4 } as const
const tiny = (name = 'matmul/tiny', of: Work = work): Case => ({
  name,
  unit: 'GFLOP/s',
  measure: { how: 'repeat', work: of },
  amount: 240,
  quick: true,
  ceiling: 'fma',
})

const budget = { prepare: 10, round: 0.002, warm: 0.01, rounds: 0.1, memory: 1 }

/** A system that answers at once; `answers` changes what it says. */
function fakeHost(answers: (question: Question) => unknown): Host {
  return {
    async ask(question) {
      const value = answers(question)
      if (value instanceof Error) throw value
      return value as never
    },
    close() {},
  }
}

function right(question: Question): unknown {
  if (question.op === 'open') return { version: '1', threads: 2 }
  if (question.op === 'sample') return { y: expected(work).outputs['y']!.values }
  if (question.op === 'time') return { seconds: question.runs * 1e-3, threads: 2 }
  return null
}

async function measure(systems: SystemName[], startHost: Setup['startHost'], changes: Partial<Setup> = {}) {
  const rows: Row[] = []
  const outcome = await benchmark({
    cases: [tiny()],
    systems,
    threads: undefined,
    rounds: 5,
    budget,
    ceilings: { fma: 10, fmaAll: 20, copy: 30 },
    startHost,
    bundleSize: async () => 1234,
    signal: new AbortController().signal,
    deadline: Number.POSITIVE_INFINITY,
    say: () => undefined,
    done: (_, found) => rows.push(...found),
    ...changes,
  })
  return { rows, ...outcome }
}

describe('benchmark', () => {
  it('gives figures and their share of the ceiling', async () => {
    const { rows, complete, versions } = await measure(['cpu'], async () => fakeHost(right))
    expect(complete).toBe(true)
    expect(versions).toEqual({ cpu: '1' })
    const rate = 240 / 1e-3 / 1e9
    expect(rows).toHaveLength(1)
    expect(rows[0]).toMatchObject({ case: 'matmul/tiny', system: 'cpu', threads: 2, unit: 'GFLOP/s', runs: 5 })
    expect(rows[0]?.median).toBeCloseTo(rate)
    expect(rows[0]?.share).toBeCloseTo(rate / 20)
  })

  it('makes rows of what is missing, wrong or failing, and goes on', async () => {
    const { rows } = await measure(['cpu', 'cpu-wide', 'jax-js', 'pytorch'], async (system) => {
      if (system === 'pytorch') throw new Error('python3 has no torch here')
      if (system === 'cpu-wide')
        return fakeHost((q) =>
          q.op === 'sample' ? { y: right(q) && expected(work).outputs['y']!.values.map((v) => v * 1.01) } : right(q),
        )
      if (system === 'jax-js') return fakeHost((q) => (q.op === 'prepare' ? new Error('out of memory') : right(q)))
      return fakeHost(right)
    })
    expect(rows.map((r) => r.system)).toEqual(['cpu', 'cpu-wide', 'jax-js', 'pytorch'])
    expect(rows[0]?.median).toBeGreaterThan(0)
    expect(rows.slice(1).map((r) => r.error)).toEqual([
      expect.stringMatching(/^wrong result: y\[0\]/),
      'out of memory',
      'python3 has no torch here',
    ])
    expect(rows.slice(1).every((r) => r.median === undefined && r.runs === 0)).toBe(true)
  })

  it('has one row for a system that fails while it is timed', async () => {
    let timed = 0
    const host = fakeHost((q) => (q.op === 'time' && ++timed > 8 ? new Error('crashed') : right(q)))
    const { rows } = await measure(['cpu'], async () => host, { budget: { ...budget, warm: 0 }, rounds: 50 })
    expect(rows).toMatchObject([{ system: 'cpu', runs: 0, error: 'crashed' }])
  })

  it('keeps what was measured when it is stopped', async () => {
    const controller = new AbortController()
    const host = fakeHost((q) => {
      if (q.op === 'prepare' && 'm' in q.work && q.work.m === 7) controller.abort()
      return right(q)
    })
    const cases = [tiny('a'), tiny('b', { ...work, m: 7 }), tiny('c')]
    const { rows, complete } = await measure(['cpu'], async () => host, { cases, signal: controller.signal })
    expect(complete).toBe(false)
    expect(rows.map((r) => r.case)).toEqual(['a'])
  })

  it('answers every case also when there is no time left', async () => {
    const { rows } = await measure(['cpu'], async () => fakeHost(right), { deadline: 0 })
    expect(rows).toMatchObject([{ system: 'cpu', error: expect.stringMatching(/no time left/) }])
  })

  it('measures sizes without starting anything', async () => {
    const size: Case = {
      name: 'size/tensor',
      unit: 'gzip bytes',
      measure: { how: 'size', bundle: 'tensor' },
      amount: 1,
      quick: false,
    }
    const { rows } = await measure(['cpu'], () => Promise.reject(new Error('not started')), { cases: [size] })
    expect(rows).toMatchObject([{ median: 1234, unit: 'gzip bytes', runs: 1 }])
  })

  it('runs for real: products, training and memory in a process', { timeout: 60_000 }, async () => {
    const training: Work = { kind: 'train', model: 'mlp', optimizer: 'sgd', batch: 8 }
    const cases: Case[] = [
      tiny(),
      { ...tiny('train/tiny', training), unit: 'images/s', amount: 8 },
      {
        name: 'memory/tiny',
        unit: 'bytes',
        measure: { how: 'memory', work: training, steps: 20 },
        amount: 1,
        quick: false,
      },
    ]
    const generous = { ...budget, prepare: 50, memory: 50 }
    const { rows } = await measure(['cpu'], async () => nodeHost(), { cases, rounds: 2, budget: generous })
    expect(rows.map((r) => [r.case, r.error])).toEqual(cases.map((c) => [c.name, undefined]))
    expect(rows[1]?.median).toBeGreaterThan(1)
    expect(rows[2]?.median).toBe(0)
  })
})
