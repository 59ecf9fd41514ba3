import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { disposeBackend, useBackend } from '@tessella/tensor'
import { reference } from '@tessella/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { experiment, learner } from '../src/experiment.ts'
import type { ModelName } from '../src/models.ts'
import type { Experiment, RunRecord } from '../src/record.ts'
import { renderReport } from '../src/report/page.ts'
import { checkpointPath, fileKeeper } from '../src/resume.ts'
import { sampleExperiment, tinyData } from './support/samples.ts'

const data = tinyData()
let root = ''
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'lectures-'))
  await useBackend(reference())
})
afterAll(async () => {
  disposeBackend()
  await rm(root, { recursive: true })
})

interface Case {
  readonly out: string
  readonly epochs?: number
  readonly resume?: boolean
  readonly seed?: number
  /** Ctrl-C after this step, counted over all epochs. */
  readonly stopAfter?: number
  /** Ctrl-C as the system delivers it, in a turn of the event loop after the first step. */
  readonly stopByEvent?: boolean
  /** Ctrl-C before the first step. */
  readonly stopAtOnce?: boolean
  /** Seconds that the turn after a step says it waited. */
  readonly wait?: (steps: number) => number
}

/** Trains on 60 images in three steps an epoch; what was said comes along. */
async function train(model: ModelName, wanted: Case): Promise<{ run: RunRecord; said: string[] }> {
  const controller = new AbortController()
  if (wanted.stopAtOnce) controller.abort()
  let steps = 0
  const said: string[] = []
  const options = {
    seed: wanted.seed ?? 7,
    quick: false,
    resume: wanted.resume ?? false,
    epochs: wanted.epochs ?? 2,
    out: join(root, wanted.out),
  }
  const run = await experiment(learner(model, options.seed), {
    data,
    seed: options.seed,
    epochs: options.epochs,
    batch: 20,
    keeper: fileKeeper(model, options, (remark) => said.push(remark)),
    event: (e) => {
      if (e.type !== 'step') return
      if (++steps === wanted.stopAfter) controller.abort()
      if (steps === 1 && wanted.stopByEvent) setImmediate(() => controller.abort())
    },
    turn: () => nextTurn(wanted.wait?.(steps) ?? 0),
    signal: controller.signal,
  })
  return { run, said }
}

/** All of a run that must not depend on when it was interrupted. */
const lasting = ({ epochs, kernels: _, peakBytes: __, ...rest }: RunRecord) => ({
  ...rest,
  epochs: epochs.map(({ loss, errors }) => ({ loss, errors })),
})

const rendered = (run: RunRecord): string => {
  const result: Experiment = { ...sampleExperiment([run], data.test.length), trainImages: data.train.length, batch: 20 }
  return renderReport(result, data.test)
}

describe('experiment', { timeout: 30_000 }, () => {
  it('trains: the loss falls, the confusion matrix and the mistakes count the same errors', async () => {
    const { run, said } = await train('mlp', { out: 'whole', epochs: 4 })
    expect(said).toEqual([])
    expect(run.complete).toBe(true)
    expect(run.stepLosses).toHaveLength(12)
    expect(run.epochs).toHaveLength(4)
    expect(run.epochs[0]?.loss).toBeCloseTo(run.stepLosses.slice(0, 3).reduce((a, b) => a + b) / 3, 6)
    const errors = run.epochs[3]?.errors as number
    expect(errors).toBeLessThan(run.initialErrors / 2)
    expect(run.mistakes).toHaveLength(errors)
    const right = run.confusion.reduce((sum, row, i) => sum + (row[i] as number), 0)
    expect(run.confusion.flat().reduce((a, b) => a + b)).toBe(30)
    expect(right).toBe(30 - errors)
    for (const { index, label } of run.mistakes) expect(data.test.at(index).labels).toBe(label)
    expect(run.filters).toMatchObject({ count: 120, height: 28, width: 28 })
    expect(run.parameters).toBe(105_214)
    expect(rendered(run)).toContain('</html>')
  })

  it.each<[ModelName, number]>([
    ['mlp', 1],
    ['mlp', 3],
    ['mlp', 5],
    ['cnn', 4],
  ])(
    '%s interrupted after step %i and resumed ends where an uninterrupted run ends, bit for bit',
    async (model, stopAfter) => {
      const out = `${model}-${stopAfter}`
      const whole = await train(model, { out: `${out}-whole` })
      const first = await train(model, { out, stopAfter })
      expect(first.run.complete).toBe(false)
      expect(first.run.stepLosses).toEqual(whole.run.stepLosses.slice(0, stopAfter))
      expect(rendered(first.run)).toContain('This run was interrupted')
      const second = await train(model, { out, resume: true })
      expect(second.said).toEqual([expect.stringMatching(/^Resuming after \d epochs?/)])
      expect(lasting(second.run)).toEqual(lasting(whole.run))
    },
  )

  it('hears of Ctrl-C between steps, not only between epochs', async () => {
    const { run } = await train('mlp', { out: 'event', stopByEvent: true })
    expect(run.stepLosses).toHaveLength(1)
  })

  it('does not count what was waited between steps as time of an epoch', async () => {
    const { run } = await train('mlp', { out: 'waits', epochs: 2, wait: (steps) => (steps === 2 ? 1000 : 0) })
    expect(run.epochs.map((e) => e.seconds < 0)).toEqual([true, false])
  })

  it('writes what there is when it is interrupted before the first step', async () => {
    const { run } = await train('mlp', { out: 'at-once', stopAtOnce: true })
    expect(run).toMatchObject({ complete: false, epochs: [], stepLosses: [] })
    expect(run.mistakes).toHaveLength(run.initialErrors)
    expect(rendered(run)).toContain('No epoch was finished yet.')
    const { run: resumed } = await train('mlp', { out: 'at-once', resume: true })
    expect(resumed.complete).toBe(true)
  })

  it('goes on with more epochs, and does nothing when all are done', async () => {
    const whole = await train('mlp', { out: 'more-whole', epochs: 3 })
    await train('mlp', { out: 'more', epochs: 1 })
    const { run } = await train('mlp', { out: 'more', epochs: 3, resume: true })
    expect(lasting(run)).toEqual(lasting(whole.run))
    const again = await train('mlp', { out: 'more', epochs: 3, resume: true })
    expect(again.said).toEqual([expect.stringMatching(/has all 3 epochs already/)])
    expect(lasting(again.run)).toEqual(lasting(whole.run))
  })
})

describe('--resume', { timeout: 30_000 }, () => {
  const options = (out: string) => ({ seed: 7, quick: false, out: join(root, out) })

  it('starts anew without a checkpoint, and says so', async () => {
    const { run, said } = await train('mlp', { out: 'none', epochs: 1, resume: true })
    expect(said).toEqual([
      expect.stringMatching(/There is no .*checkpoint-mlp.safetensors to resume from: starting anew/),
    ])
    expect(run.complete).toBe(true)
  })

  it.each([
    ['a damaged checkpoint', (file: Buffer) => file.fill(0x55, file.length - 400)],
    ['a checkpoint cut short', (file: Buffer) => file.subarray(0, 1000)],
    ['an empty file', () => Buffer.alloc(0)],
  ])('refuses %s and says the way out', async (what, damage) => {
    const out = what.replaceAll(' ', '-')
    await train('mlp', { out, epochs: 1 })
    const path = checkpointPath('mlp', options(out))
    await writeFile(path, damage(await readFile(path)))
    await expect(train('mlp', { out, resume: true })).rejects.toThrow(
      /^Cannot resume from .*checkpoint-mlp.safetensors: .* Delete it, or start without --resume: that replaces it\.$/s,
    )
    expect((await train('mlp', { out, epochs: 1 })).run.complete).toBe(true)
  })

  it('refuses the checkpoint of another seed', async () => {
    await train('mlp', { out: 'seed', epochs: 1 })
    await expect(train('mlp', { out: 'seed', seed: 8, resume: true })).rejects.toThrow(
      /made with --seed 7\. Give the same/,
    )
  })
})
