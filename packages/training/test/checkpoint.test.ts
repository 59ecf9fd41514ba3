import { disposeBackend, tensor, useBackend, Variable } from '@tessella/tensor'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  decodeCheckpoint,
  decodeSafetensors,
  encodeCheckpoint,
  encodeSafetensors,
  fit,
  restore,
  restoreCheckpoint,
  snapshot,
  TrainingError,
} from '../src/index.ts'
import { backends } from './support/backends.ts'
import { network, shuffled } from './support/network.ts'

type Network = ReturnType<typeof network>

/** Takes at most `count` steps and tells their losses and where to go on. */
async function run(net: Network, count: number, from: { epoch: number; step: number } = { epoch: 0, step: 0 }) {
  const losses: number[] = []
  let next = from
  const events = fit({ step: net.step, batches: shuffled, epochs: 9, startEpoch: from.epoch, startStep: from.step })
  for await (const event of events) {
    if (event.type === 'epoch-end') next = { epoch: event.epoch + 1, step: 0 }
    if (event.type !== 'step') continue
    losses.push(event.loss)
    next = { epoch: event.epoch, step: event.step + 1 }
    if (losses.length === count) break
  }
  return { losses, next }
}

describe.each(backends)('resuming on %s', (_, make) => {
  beforeAll(async () => useBackend(await make()))
  afterAll(disposeBackend)

  it.each([
    ['compiled', true],
    ['not compiled', false],
  ])('goes on bit for bit in the middle of an epoch, %s', async (_name, compiled) => {
    const whole = network({ compiled })
    const { losses } = await run(whole, 10)

    const first = network({ compiled })
    const before = await run(first, 5)
    expect(before.next).toEqual({ epoch: 1, step: 2 })
    const file = await encodeCheckpoint(first.state, before.next)

    // Another seed: everything must come from the file.
    const second = network({ compiled, seed: 99 })
    const checkpoint = await decodeCheckpoint<{ epoch: number; step: number }>(file)
    restoreCheckpoint(second.state, checkpoint)
    const after = await run(second, 5, checkpoint.progress)
    expect([...before.losses, ...after.losses]).toEqual(losses)
    expect(await snapshot(second.state)).toEqual(await snapshot(whole.state))
  })

  it('a snapshot is as of now, whatever comes while it is copied', async () => {
    const net = network()
    await run(net, 1)
    const expected = await snapshot(net.state)
    const copying = snapshot(net.state)
    await run(net, 1)
    expect(await copying).toEqual(expected)
    expect(await snapshot(net.state)).not.toEqual(expected)
  })
})

describe('checkpoints', () => {
  beforeAll(async () => useBackend(await (backends[0] as (typeof backends)[0])[1]()))
  afterAll(disposeBackend)

  const holder = () => ({
    a: new Variable(
      tensor([
        [1, 2],
        [3, 4],
      ]),
    ),
    b: [new Variable(tensor([5, 6], 'int32')), new Variable(tensor([true, false, true]))],
    half: new Variable(tensor([0.5], 'float16')),
    empty: new Variable(tensor([], [0, 3])),
    scalar: new Variable(tensor(7, 'uint32')),
  })

  it('hold every dtype and shape, and any JSON', async () => {
    const progress = { epoch: 3, text: 'ž"\n', list: [1, null] }
    const file = await encodeCheckpoint(holder(), progress)
    const { values, progress: read } = await decodeCheckpoint(file)
    expect(read).toEqual(progress)
    expect(values).toEqual(await snapshot(holder()))
    expect(new DataView(file.buffer).getBigUint64(0, true) % 8n).toBe(0n)
    expect((await decodeCheckpoint(await encodeCheckpoint(holder()))).progress).toBe(null)
    await expect(encodeCheckpoint(holder(), () => 1)).rejects.toThrow(/must be JSON data, but progress is a function/)
  })

  const circle: { self?: unknown } = {}
  circle.self = circle
  it.each([
    ['a model without Variables', {}, null, /found no Variables/],
    ['no model', undefined, null, /found no Variables/],
    ['an infinity', holder(), { best: Number.POSITIVE_INFINITY }, /progress.best is Infinity/],
    ['NaN in a list', holder(), [1, Number.NaN], /progress.1 is NaN/],
    ['a bigint', holder(), { step: 1n }, /progress.step is a bigint/],
    ['undefined in a list', holder(), [undefined], /progress.0 is undefined/],
    ['a circle', holder(), circle, /progress.self is part of itself/],
  ])('refuse %s', async (_, state, progress, message) => {
    await expect(encodeCheckpoint(state, progress)).rejects.toMatchObject({
      code: 'bad-option',
      message: expect.stringMatching(message),
    })
  })

  it('are safetensors that Python reads: names, codes, ranges', async () => {
    const file = await encodeCheckpoint({ w: new Variable(tensor([[1, 2]])) }, 1)
    const start = 8 + Number(new DataView(file.buffer).getBigUint64(0, true))
    const header = JSON.parse(new TextDecoder().decode(file.subarray(8, start)))
    expect(header.w).toEqual({ dtype: 'F32', shape: [1, 2], data_offsets: [0, 8] })
    expect(Object.keys(header.__metadata__)).toEqual(['format', 'progress', 'sha256'])
    expect([...new Float32Array(file.slice(start).buffer)]).toEqual([1, 2])
  })

  it.each<[string, () => object, RegExp]>([
    [
      'another shape',
      () => ({ ...holder(), a: new Variable(tensor([1])) }),
      /'a' is float32 \[2, 2\], the model has float32 \[1\]/,
    ],
    [
      'another dtype',
      () => ({ ...holder(), half: new Variable(tensor([0.5])) }),
      /'half' is float16 \[1\], the model has float32 \[1\]/,
    ],
    ['a Variable more', () => ({ ...holder(), more: new Variable(tensor([1])) }), /'more' is missing/],
    [
      'a Variable less',
      () => ({ a: holder().a }),
      /'b\.0' is not in the model; .*'scalar' is not in the model\. Nothing was changed/,
    ],
    ['names of objects', () => ({ ...holder(), toString: new Variable(tensor([1])) }), /'toString' is missing/],
  ])('do not fit %s, and change nothing', async (_, make, message) => {
    const saved = await snapshot({
      ...holder(),
      a: new Variable(
        tensor([
          [9, 9],
          [9, 9],
        ]),
      ),
    })
    const other = make()
    const before = await snapshot(other)
    expect(() => restore(other, saved)).toThrow(message)
    expect(() => restore(other, saved)).toThrow(
      expect.objectContaining({ name: 'TrainingError', code: 'mismatched-checkpoint' }),
    )
    expect(await snapshot(other)).toEqual(before)
  })

  it('list at most eight problems', () => {
    const many = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`v${i}`, new Variable(tensor([1]))]))
    expect(() => restore(many, {})).toThrow(/'v7' is missing; and 2 more\./)
  })
})

/** A file with any header and so many bytes of data. */
function fileOf(header: unknown, data: number | Uint8Array = 0, claimed?: number): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header))
  const bytes = typeof data === 'number' ? new Uint8Array(data) : data
  const file = new Uint8Array(8 + text.length + bytes.length)
  new DataView(file.buffer).setBigUint64(0, BigInt(claimed ?? text.length), true)
  file.set(text, 8)
  file.set(bytes, 8 + text.length)
  return file
}
const f32 = (begin: number, end: number, shape = [(end - begin) / 4]) => ({
  dtype: 'F32',
  shape,
  data_offsets: [begin, end],
})
const good = await encodeCheckpointOf([1, 2, 3])
async function encodeCheckpointOf(values: number[]): Promise<Uint8Array> {
  const data = Float32Array.from(values)
  const bare = { w: { dtype: 'float32', shape: [values.length], data } } as const
  const hash = await crypto.subtle.digest('SHA-256', encodeSafetensors(bare, { progress: '1' }))
  const sha256 = Array.from(new Uint8Array(hash), (b) => b.toString(16).padStart(2, '0')).join('')
  return encodeSafetensors(bare, { format: 'tessella-checkpoint-1', progress: '1', sha256 })
}
const flipped = (at: number): Uint8Array => good.map((b, i) => (i === (at + good.length) % good.length ? b ^ 1 : b))

describe('damaged and hostile files', () => {
  it('starts from a good one', async () => {
    expect((await decodeCheckpoint(good)).progress).toBe(1)
  })

  it.each<[string, Uint8Array, RegExp]>([
    ['an empty file', new Uint8Array(0), /0 bytes are too few/],
    ['seven bytes', new Uint8Array(7), /7 bytes are too few/],
    ['zeros', new Uint8Array(64), /header is not JSON/],
    ['a header longer than the file', fileOf({}, 0, 3), /claims 3 bytes, the file has 10/],
    ['a header of 2^62 bytes', fileOf({}, 0, 2 ** 62), /claims 4611686018427388000 bytes/],
    ['another format', new TextEncoder().encode('\x89PNG\r\n\x1a\n and so on'), /claims \d+ bytes/],
    ['text that is not UTF-8', fileOf({}).map((b, i) => (i === 8 ? 0xff : b)), /not JSON/],
    ['a header that is a list', fileOf([1]), /header is not an object/],
    ['a header that is null', fileOf(null), /header is not an object/],
    ['metadata that is a number', fileOf({ __metadata__: 3 }), /metadata is not an object/],
    ['an unknown dtype', fileOf({ w: { ...f32(0, 4), dtype: 'BF16' } }, 4), /unknown dtype BF16/],
    ['a dtype from a prototype', fileOf({ w: { ...f32(0, 4), dtype: 'constructor' } }, 4), /unknown dtype constructor/],
    ['an entry that is null', fileOf({ w: null }), /'w' has the unknown dtype/],
    ['no shape', fileOf({ w: { dtype: 'F32', data_offsets: [0, 4] } }, 4), /bad shape/],
    ['a negative size', fileOf({ w: f32(0, 4, [-1]) }, 4), /bad shape/],
    ['a fraction for a size', fileOf({ w: f32(0, 4, [0.5, 2]) }, 4), /bad shape/],
    ['sizes whose product overflows', fileOf({ w: f32(0, 4, [2 ** 40, 2 ** 40]) }, 4), /should have .*e\+24 bytes/],
    ['three offsets', fileOf({ w: { dtype: 'F32', shape: [1], data_offsets: [0, 4, 8] } }, 4), /bad range/],
    ['an end before its begin', fileOf({ w: f32(8, 4, [1]) }, 8), /should have 4 bytes, its range has -4/],
    ['less data than described', fileOf({ w: f32(0, 8) }, 4), /describes 8 bytes of data, the file has 4/],
    ['more data than described', fileOf({ w: f32(0, 4) }, 8), /describes 4 bytes of data, the file has 8/],
    ['a gap', fileOf({ a: f32(0, 4), b: f32(8, 12) }, 12), /'b' begins at byte 8 of the data, not at 4/],
    ['an overlap', fileOf({ a: f32(0, 8), b: f32(4, 12) }, 12), /'b' begins at byte 4 of the data, not at 8/],
    ['the same bytes many times', fileOf({ a: f32(0, 4e6), b: f32(0, 4e6) }, 4e6), /'b' begins at byte 0/],
    ['terabytes', fileOf({ w: f32(0, 4e12) }), /describes 4000000000000 bytes of data, the file has 0/],
    [
      'truths that are not',
      fileOf({ w: { dtype: 'BOOL', shape: [1], data_offsets: [0, 1] } }, Uint8Array.of(2)),
      /truth values/,
    ],
    ['safetensors of somebody else', fileOf({ w: f32(0, 4) }, 4), /not a checkpoint of this version \(format 'none'/],
    [
      'a later version',
      encodeSafetensors({}, { format: 'tessella-checkpoint-2', progress: '1' }),
      /format 'tessella-checkpoint-2'/,
    ],
    ['no progress', encodeSafetensors({}, { format: 'tessella-checkpoint-1' }), /not a checkpoint of this version/],
    [
      'no checksum',
      encodeSafetensors({}, { format: 'tessella-checkpoint-1', progress: '1' }),
      /checksum does not match/,
    ],
    ['half of a good file', good.subarray(0, good.length / 2), /claims \d+ bytes/],
    ['a good file without its last byte', good.subarray(0, -1), /the file has 11/],
    ['a good file with a byte more', Uint8Array.of(...good, 0), /the file has 13/],
    ['a flipped bit in the data', flipped(-1), /checksum does not match/],
  ])('%s is refused', async (_, file, message) => {
    const error: unknown = await decodeCheckpoint(file).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(TrainingError)
    expect((error as TrainingError).code).toBe('bad-checkpoint')
    expect((error as TrainingError).message).toMatch(message)
  })

  it('a flipped bit in any byte is noticed', async () => {
    for (let i = 0; i < good.length; i++) await expect(decodeCheckpoint(flipped(i))).rejects.toThrow(TrainingError)
  })

  it('names of prototypes are names', () => {
    const file = fileOf(`{"__proto__":${JSON.stringify(f32(0, 4))},"constructor":${JSON.stringify(f32(4, 8))}}`, 8)
    const { tensors } = decodeSafetensors(file)
    expect(Object.keys(tensors)).toEqual(['__proto__', 'constructor'])
    expect(Object.getPrototypeOf(tensors)).toBe(Object.prototype)
  })
})
