import { crossEntropy, mse } from '@tessella/losses'
import { optimizer, sgd } from '@tessella/optimizers'
import { disposeBackend, labelled, OpError, type Tensor, tensor, useBackend, Variable } from '@tessella/tensor'
import { reference } from '@tessella/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  earlyStopping,
  evaluator,
  type FitOptions,
  fit,
  predict,
  snapshot,
  TrainingError,
  type TrainingEvent,
  trainStep,
} from '../src/index.ts'
import { backends } from './support/backends.ts'

interface Batch {
  readonly x: Tensor
}
const batch = (...values: number[]): Batch => ({ x: tensor(values) })

/** w moves to the mean of x; every step is halfway there. */
function walker(options: { loss?: (w: Tensor, x: Tensor) => Tensor; compiled?: boolean; guard?: boolean } = {}) {
  const { loss = (w, x) => w.sub(x).square().mean(), ...rest } = options
  const model = { w: new Variable(tensor(0)) }
  const opt = optimizer(sgd(0.25, { momentum: 0.5 }), model)
  const step = trainStep<Batch>({ model, optimizer: opt, loss: ({ x }) => loss(model.w.value, x), ...rest })
  return { model, step, state: { model, optimizer: opt.state } }
}
const three = () => [batch(1), batch(2), batch(3)]

const collect = async (options: FitOptions<Batch>): Promise<TrainingEvent[]> => {
  const events: TrainingEvent[] = []
  for await (const e of fit(options)) events.push(e)
  return events
}
const short = (e: TrainingEvent): string =>
  e.type === 'step'
    ? `step ${e.epoch}.${e.step}/${e.steps}`
    : e.type === 'end'
      ? `${e.reason} ${e.epochs}`
      : `${e.type} ${e.epoch}`

describe.each(backends)('trainStep on %s', (_, make) => {
  beforeAll(async () => useBackend(await make()))
  afterAll(disposeBackend)

  it('answers the loss before the update, compiled or not', async () => {
    for (const compiled of [true, false]) {
      const { model, step } = walker({ compiled })
      const losses = [await step(batch(2)).item(), await step(batch(2)).item()]
      expect(losses).toEqual([4, 1])
      expect(await model.w.value.item()).toBe(2)
      expect(step.kernels().length).toBe(compiled ? 1 : 0)
    }
  })

  it('runs what comes after the update inside the step', async () => {
    const model = { w: new Variable(tensor(0)) }
    const after = () => model.w.assign(model.w.value.clip(-1, 1))
    const loss = ({ x }: Batch) => model.w.value.sub(x).square().mean()
    const step = trainStep<Batch>({ model, optimizer: optimizer(sgd(1), model), loss, after })
    step(batch(5))
    expect(await model.w.value.item()).toBe(1)
  })

  it.each([true, false])('a loss that is not finite changes nothing, compiled: %s', async (compiled) => {
    const { step, state } = walker({ compiled })
    step(batch(2))
    const before = await snapshot(state)
    expect(await step(batch(Number.NaN)).item()).toBeNaN()
    expect(await step(batch(1e30)).item()).toBe(Number.POSITIVE_INFINITY)
    expect(await snapshot(state)).toEqual(before)
    expect(await step(batch(2)).item()).toBe(1)
  })

  it('the guard costs no kernel', async () => {
    const [guarded, bare] = [walker(), walker({ guard: false })]
    await Promise.all([guarded.step(batch(1)).item(), bare.step(batch(1)).item()])
    expect(guarded.step.kernels()).toEqual(bare.step.kernels())
  })

  it('without its guard the bad value gets through', async () => {
    const { model, step } = walker({ guard: false })
    step(batch(Number.NaN))
    expect(await model.w.value.item()).toBeNaN()
  })
})

describe('fit', () => {
  beforeAll(() => useBackend(reference()))
  afterAll(disposeBackend)

  it('tells epochs, steps and metrics in order', async () => {
    const { step } = walker()
    const asked: number[] = []
    const evaluate = async (epoch: number) => ({ errors: 10 - epoch })
    const batches = (epoch: number) => {
      asked.push(epoch)
      return three()
    }
    const events = await collect({ step, batches, epochs: 2, evaluate })
    expect(events.map(short)).toEqual([
      ...[0, 1].flatMap((e) => [
        `epoch-start ${e}`,
        `step ${e}.0/3`,
        `step ${e}.1/3`,
        `step ${e}.2/3`,
        `epoch-end ${e}`,
      ]),
      'finished 2',
    ])
    expect(asked).toEqual([0, 1])
    const [end] = events.filter((e) => e.type === 'epoch-end')
    const losses = events.flatMap((e) => (e.type === 'step' && e.epoch === 0 ? [e.loss] : []))
    expect(end).toMatchObject({ metrics: { errors: 10 }, epochs: 2 })
    expect(end?.loss).toBeCloseTo(losses.reduce((a, b) => a + b) / 3, 6)
    expect(events.every((e) => e.type === 'epoch-start' || e.seconds >= 0)).toBe(true)
  })

  it('takes batches that come one by one, of unknown number', async () => {
    async function* slow() {
      for (const b of three()) yield b
    }
    const events = await collect({ step: walker().step, batches: slow, epochs: 1 })
    expect(events.map(short)).toEqual([
      'epoch-start 0',
      'step 0.0/0',
      'step 0.1/0',
      'step 0.2/0',
      'epoch-end 0',
      'finished 1',
    ])
  })

  it('starts in the middle of an epoch; the next one is whole', async () => {
    const events = await collect({ step: walker().step, batches: three, epochs: 3, startEpoch: 1, startStep: 2 })
    expect(events.map(short)).toEqual([
      ...['epoch-start 1', 'step 1.2/3', 'epoch-end 1'],
      ...['epoch-start 2', 'step 2.0/3', 'step 2.1/3', 'step 2.2/3', 'epoch-end 2'],
      'finished 3',
    ])
    const step = events.find((e) => e.type === 'step')
    expect(events.find((e) => e.type === 'epoch-end')?.loss).toBe(step?.loss)
  })

  it('counts the steps before the start in the loss of their epoch, and only there', async () => {
    const all = { step: walker().step, batches: three, epochs: 3, startEpoch: 1, startStep: 2, startLoss: 8 }
    const events = await collect(all)
    const losses = events.flatMap((e) => (e.type === 'step' ? [e.loss] : []))
    const ends = events.flatMap((e) => (e.type === 'epoch-end' ? [e.loss] : []))
    expect(ends).toEqual([
      (16 + (losses[0] as number)) / 3,
      expect.closeTo(losses.slice(1).reduce((a, b) => a + b) / 3, 12),
    ])
    const [, end] = await collect({ step: walker().step, batches: three, epochs: 1, startStep: 3, startLoss: 8 })
    expect(end).toMatchObject({ type: 'epoch-end', loss: 8 })
  })

  it('an epoch that was stopped after its last step is only evaluated', async () => {
    const evaluate = async () => ({ errors: 1 })
    const events = await collect({ step: walker().step, batches: three, epochs: 1, startStep: 3, evaluate })
    expect(events.map(short)).toEqual(['epoch-start 0', 'epoch-end 0', 'finished 1'])
    expect(events[1]).toMatchObject({ loss: Number.NaN, metrics: { errors: 1 } })
  })

  it('has nothing to do when all epochs are done', async () => {
    expect((await collect({ step: walker().step, batches: three, epochs: 2, startEpoch: 2 })).map(short)).toEqual([
      'finished 2',
    ])
  })

  it('stops after the running step when the signal fires, and when it fired before', async () => {
    const controller = new AbortController()
    const { step, model } = walker()
    const events: string[] = []
    for await (const e of fit({ step, batches: three, epochs: 5, signal: controller.signal })) {
      events.push(short(e))
      if (events.length === 3) controller.abort()
    }
    expect(events).toEqual(['epoch-start 0', 'step 0.0/3', 'step 0.1/3', 'aborted 0'])
    expect(await model.w.value.item()).toBeGreaterThan(0)
    expect((await collect({ step, batches: three, epochs: 5, signal: AbortSignal.abort() })).map(short)).toEqual([
      'aborted 0',
    ])
  })

  it('a fired signal during evaluation ends before the next epoch', async () => {
    const controller = new AbortController()
    const evaluate = async () => {
      controller.abort()
      return {}
    }
    const events = await collect({
      step: walker().step,
      batches: three,
      epochs: 5,
      evaluate,
      signal: controller.signal,
    })
    expect(events.map(short).slice(-2)).toEqual(['epoch-end 0', 'aborted 1'])
  })

  it('may be left with break: batches are closed and the state is valid', async () => {
    const { step, model } = walker()
    let closed = false
    function* endless(): Generator<Batch> {
      try {
        for (;;) yield batch(2)
      } finally {
        closed = true
      }
    }
    for await (const e of fit({ step, batches: endless, epochs: 1 })) if (e.type === 'step' && e.step === 1) break
    expect(closed).toBe(true)
    expect(await model.w.value.item()).toBe(2)
    expect(await step(batch(2)).item()).toBe(0)
  })

  it('stops early when it is told to', async () => {
    const stopping = earlyStopping({ patience: 2 })
    const metrics = [5, 4, 4, 4, 3, 2]
    const events = await collect({
      step: walker().step,
      batches: three,
      epochs: 6,
      evaluate: async (epoch) => ({ loss: metrics[epoch] as number }),
      shouldStop: (e) => {
        stopping.update(e.metrics.loss as number)
        return stopping.shouldStop
      },
    })
    expect(events.map(short).at(-1)).toBe('stopped 4')
    expect([stopping.best, stopping.waited]).toEqual([4, 2])
  })

  it.each<[string, Partial<FitOptions<Batch>>, string, RegExp]>([
    [
      'batches made once',
      { batches: [1, 2] as never },
      'bad-option',
      /batches must be a function of the epoch.*batches: \(epoch\) =>/,
    ],
    ['no epochs', { epochs: 0 }, 'bad-option', /epochs must be a positive integer, got 0/],
    ['half an epoch', { epochs: 1.5 }, 'bad-option', /got 1.5/],
    ['a negative start', { startEpoch: -1 }, 'bad-option', /startEpoch must be an integer >= 0, got -1/],
    ['a broken start step', { startStep: Number.NaN }, 'bad-option', /startStep must be an integer >= 0, got NaN/],
    ['a start step that is not there', { startStep: 4 }, 'bad-option', /startStep is 4, but epoch 1 has 3 batches/],
    ['no batches', { batches: () => [] }, 'no-batches', /epoch 1 had no batches/],
  ])('%s is an error', async (_, options, code, message) => {
    const error: unknown = await collect({ step: walker().step, batches: three, epochs: 1, ...options }).catch((e) => e)
    expect(error).toBeInstanceOf(TrainingError)
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) })
  })

  it('hands on errors of the loss, and changes nothing', async () => {
    const { step, state } = walker({ loss: (w, x) => mse(w, x) })
    const before = await snapshot(state)
    await expect(collect({ step, batches: three, epochs: 1 })).rejects.toThrow(OpError)
    expect(await snapshot(state)).toEqual(before)
  })
})

describe('a loss that is not finite', () => {
  beforeAll(() => useBackend(reference()))
  afterAll(disposeBackend)

  const failure = async (step: ReturnType<typeof walker>['step'], batches: Batch[]): Promise<TrainingError> => {
    const error: unknown = await collect({ step, batches: () => batches, epochs: 1 }).catch((e) => e)
    expect(error).toBeInstanceOf(TrainingError)
    return error as TrainingError
  }

  it.each([true, false])(
    'names the operation and the layer, and leaves the parameters; compiled: %s',
    async (compiled) => {
      const loss = (w: Tensor, x: Tensor): Tensor =>
        labelled('head', () => labelled('scale', () => w.add(1).mul(x)).log()).sum()
      const { step, state } = walker({ loss, compiled })
      const good = batch(1, 2)
      await step(good).item()
      const before = await snapshot(state)
      const error = await failure(step, [batch(-1, 2)])
      expect(error.code).toBe('non-finite-loss')
      expect(error.message).toMatch(
        /loss became NaN in epoch 1, step 1\. .*comes from 'log' in 'head', of shape \[2\]: 1 NaN, 0 infinite/,
      )
      expect(error.message).toMatch(/This step changed no parameter\. Lower the learning rate/)
      expect(error.details).toMatchObject({
        epoch: 0,
        step: 0,
        loss: Number.NaN,
        culprit: { op: 'log', where: 'head' },
      })
      expect(await snapshot(state)).toEqual(before)
    },
  )

  it('says that a target is not a class', async () => {
    const { step } = walker({
      loss: (w, x) => crossEntropy(w.add(x).reshape([1, -1]), tensor([7], 'int32')),
    })
    const error = await failure(step, [batch(1)])
    expect(error.message).toContain("'crossEntropy: a target is not one of the classes 0 to 0'")
  })

  it('blames the data when it is the data', async () => {
    const error = await failure(walker().step, [batch(1), batch(1, Number.POSITIVE_INFINITY)])
    expect(error.message).toMatch(/step 2\. The batch holds them already, in 'x' of shape \[2\]: 0 NaN, 1 infinite/)
  })

  it('blames an earlier update when a parameter was bad before', async () => {
    // sqrt has a finite value and an infinite slope at 0.
    const { step } = walker({ loss: (w, x) => w.abs().sqrt().add(x.sum()) })
    const error = await failure(step, [batch(1), batch(1)])
    expect(error.message).toMatch(/step 2\. 'w' was bad before this step/)
    expect(error.details.culprit).toMatchObject({ op: 'variable', where: 'w' })
  })
})

describe('evaluator and predict', () => {
  beforeAll(() => useBackend(reference()))
  afterAll(disposeBackend)
  const measure = evaluator(({ x }: Batch) => ({ sum: x.sum(), big: x.gt(1).sum() }))

  it('add up over batches, a smaller last one included', async () => {
    expect(await measure([batch(1, 2), batch(3)])).toEqual({ sum: 6, big: 2 })
    expect(await measure([batch(4)])).toEqual({ sum: 4, big: 1 })
  })

  it('refuse nothing, and stop at the signal', async () => {
    await expect(measure([])).rejects.toThrow(expect.objectContaining({ code: 'no-batches' }))
    await expect(measure([batch(1)], { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
  })

  it('predict gives the elements of each result', async () => {
    const found: number[][] = []
    for await (const y of predict(({ x }: Batch) => x.mul(2), three())) found.push([...y])
    expect(found).toEqual([[2], [4], [6]])
    const stopped = predict(({ x }: Batch) => x, three(), { signal: AbortSignal.abort(new Error('enough')) })
    await expect(stopped.next()).rejects.toThrow('enough')
  })
})

describe('earlyStopping', () => {
  it.each<[string, Parameters<typeof earlyStopping>[0], number[], boolean[], number]>([
    ['less is better', { patience: 2 }, [3, 2, 2, 2], [true, true, false, false], 2],
    ['more is better', { patience: 2, mode: 'max' }, [1, 2, 1, 1], [true, true, false, false], 2],
    ['small changes are none', { patience: 2, minDelta: 0.5 }, [3, 2.6, 2.4, 2.3], [true, false, true, false], 2.4],
    ['NaN is never better', { patience: 2 }, [Number.NaN, 1, Number.NaN, Number.NaN], [false, true, false, false], 1],
  ])('%s', (_, options, values, better, best) => {
    const stopping = earlyStopping(options)
    expect(values.map((v) => stopping.update(v))).toEqual(better)
    expect(stopping.best).toBe(best)
    expect(stopping.shouldStop).toBe(stopping.waited >= 2)
  })

  it('checks its options', () => {
    expect(() => earlyStopping({ patience: 0 })).toThrow(/patience must be a positive integer/)
    expect(() => earlyStopping({ minDelta: -1 })).toThrow(/minDelta must be >= 0/)
  })
})
