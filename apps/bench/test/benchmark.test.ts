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

const budget = { box: 10, long: 1, round: 0.002, settle: 0.001, warm: 0.01, rounds: 0.1, memory: 1 }

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

const sampled = (y: readonly number[], seconds = 1e-3): unknown => ({ values: { y }, seconds, threads: 2 })

const fail = (question: Question): Error => new Error(`unexpected: ${question.op}`)

function right(question: Question): unknown {
  if (question.op === 'open') return { version: '1', threads: 2 }
  if (question.op === 'sample') return sampled(expected(work).outputs['y']!.values)
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

  it('gives 256-bit vectors a ceiling of their own', async () => {
    const ceilings = { fma: 10, fmaAll: 20, fmaWide: 19, fmaWideAll: 40, copy: 30 }
    const { rows } = await measure(['cpu', 'cpu-wide'], async () => fakeHost(right), { ceilings })
    expect((rows[0]?.share ?? 0) / (rows[1]?.share ?? 1)).toBeCloseTo(2)
  })

  it('makes rows of what is missing, wrong or failing, and goes on', async () => {
    const { rows } = await measure(['cpu', 'cpu-wide', 'jax-js', 'pytorch'], async (system) => {
      if (system === 'pytorch') throw new Error('python3 has no torch here')
      if (system === 'cpu-wide')
        return fakeHost((q) =>
          q.op === 'sample' ? sampled(expected(work).outputs['y']!.values.map((v) => v * 1.01)) : right(q),
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

  it('gives the first run where there is no time for rounds', async () => {
    const slow = fakeHost((q) =>
      q.op === 'sample' ? sampled(expected(work).outputs['y']!.values, 3) : q.op === 'time' ? fail(q) : right(q),
    )
    const { rows } = await measure(['cpu'], async () => slow)
    expect(rows).toMatchObject([{ runs: 1, threads: 2, median: 240 / 3 / 1e9 }])
    expect(rows[0]?.error).toBeUndefined()
  })

  it('tries a part of large work, and says how long the whole takes instead of waiting', async () => {
    const large = { kind: 'matmul', m: 1600, k: 1000, n: 1000 } as const
    const asked: Question[] = []
    const slow = fakeHost((q) => {
      asked.push(q)
      return q.op === 'time' ? { seconds: 2, threads: 1 } : right(q)
    })
    const { rows } = await measure(['cpu'], async () => slow, { cases: [tiny('large', large)] })
    expect(asked.filter((q) => q.op === 'prepare').map((q) => q.work)).toEqual([{ ...large, m: 100 }])
    expect(rows).toMatchObject([
      { runs: 0, error: 'too slow: one run takes about 32 s (1/16 of one run took 2 s); a case has 10 s' },
    ])
  })

  it('ends a call that takes longer than the box, and goes on with a new process', async () => {
    let closed = 0
    const stuck: Host = {
      ask: (q) => (q.op === 'sample' ? new Promise(() => undefined) : Promise.resolve(right(q) as never)),
      close: () => void closed++,
    }
    let started = 0
    const start = async (): Promise<Host> => (++started === 1 ? stuck : fakeHost(right))
    const cases = [tiny('a'), tiny('b')]
    const { rows } = await measure(['cpu'], start, { cases, budget: { ...budget, box: 0.05 } })
    expect(rows[0]).toMatchObject({
      case: 'a',
      runs: 0,
      error: expect.stringMatching(/^one run takes longer than 0\.0/),
    })
    expect(rows[1]).toMatchObject({ case: 'b', runs: 5 })
    expect([closed, started]).toEqual([1, 2])
  })

  it('keeps the rounds of a system whose time ends in the middle', async () => {
    let timed = 0
    const host: Host = {
      ask: (q) => (q.op === 'time' && ++timed > 6 ? new Promise(() => undefined) : Promise.resolve(right(q) as never)),
      close() {},
    }
    const changes = { budget: { ...budget, box: 0.05, warm: 0 }, rounds: 50 }
    const { rows } = await measure(['cpu'], async () => host, changes)
    expect(rows).toMatchObject([{ system: 'cpu', runs: 5, median: expect.any(Number) }])
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
    const generous = { ...budget, box: 50, memory: 50 }
    const { rows } = await measure(['cpu'], async () => nodeHost(), { cases, rounds: 2, budget: generous })
    expect(rows.map((r) => [r.case, r.error])).toEqual(cases.map((c) => [c.name, undefined]))
    expect(rows[1]?.median).toBeGreaterThan(1)
    expect(rows[2]?.median).toBe(0)
  })
})
