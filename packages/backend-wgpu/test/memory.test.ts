import { useSwiftshader } from '@tessella/testing/swiftshader'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Device } from '../src/device/device.ts'
import { openDevice } from '../src/device/open.ts'
import { Doubt } from '../src/memory/doubt.ts'
import { type Memory, Pool, sizeClass } from '../src/memory/pool.ts'
import { Store } from '../src/memory/store.ts'
import { Recent } from '../src/run/recent.ts'

let device: Device
beforeAll(async () => {
  await useSwiftshader()
  const { device: gpu, info } = await openDevice({})
  device = new Device(gpu, info)
})
afterAll(() => device.dispose())

it('size classes hold what they must, waste at most a fifth, and are whole words', () => {
  fc.assert(
    fc.property(fc.integer({ min: 257, max: 2 ** 33 }), (bytes) => {
      const size = sizeClass(bytes)
      expect(size).toBeGreaterThanOrEqual(bytes)
      expect(size).toBeLessThanOrEqual(1.25 * bytes + 4)
      expect(size % 4).toBe(0)
      expect(sizeClass(size)).toBe(size)
    }),
  )
  expect([0, 1, 256].map(sizeClass)).toEqual([256, 256, 256])
})

describe('the pool', () => {
  it('never hands out a buffer twice, and counts what it holds', () => {
    const script = fc.array(fc.record({ bytes: fc.integer({ min: 0, max: 5000 }), give: fc.nat(), keep: fc.boolean() }))
    fc.assert(
      fc.property(script, (steps) => {
        const pool = new Pool(device)
        const live: Memory[] = []
        for (const { bytes, give, keep } of steps) {
          const memory = pool.take(bytes, 'it')
          expect(memory.size).toBeGreaterThanOrEqual(bytes)
          expect(live).not.toContain(memory)
          live.push(memory)
          pool.tick()
          expect(pool.reservedBytes).toBeGreaterThanOrEqual(live.reduce((sum, m) => sum + m.size, 0))
          if (!keep) pool.give(live.splice(give % live.length, 1)[0] as Memory)
        }
        for (const memory of live) pool.give(memory)
        pool.drop()
        expect(pool.reservedBytes).toBe(0)
      }),
      { numRuns: 30, seed: 1 },
    )
  })

  it('gives back what many runs did not need, and keeps what they do', () => {
    const pool = new Pool(device)
    const many = Array.from({ length: 10 }, () => pool.take(1000, 'it'))
    for (const memory of many) pool.give(memory)
    for (let run = 0; run < 200; run++) {
      const [a, b] = [pool.take(1000, 'it'), pool.take(1000, 'it')]
      pool.tick()
      pool.give(b)
      pool.give(a)
    }
    expect(pool.reservedBytes).toBe(2 * sizeClass(1000))
  })

  it('drops what is unused before it says that the limit is reached', () => {
    const pool = new Pool(device, 4096)
    pool.give(pool.take(3000, 'a'))
    const b = pool.take(4000, 'b')
    expect(pool.reservedBytes).toBe(b.size)
    expect(() => pool.take(1, 'the upload')).toThrow(/the upload \(1 bytes; 4096 are in use\) does not fit/)
  })
})

describe('a failure of the driver', () => {
  it('spoils what is not known to be good, and nothing else', () => {
    const doubt = new Doubt()
    doubt.settle(3)
    doubt.fail(5)
    expect([1, 2, 3, 4, 5, 6, 7].filter((n) => doubt.about(n))).toEqual([4, 5])
    doubt.fail(5)
    doubt.settle(8)
    doubt.fail(9)
    expect([5, 6, 7, 8, 9, 10].filter((n) => doubt.about(n))).toEqual([5, 9])
  })

  it('is told when a spoiled value is used; older and newer values are good', async () => {
    const store = new Store(device, undefined)
    const old = store.allocate(100, 'old')
    await store.settled()
    const spoiled = store.allocate(2 ** 20, 'new')
    device.onMemory({ message: 'as if the card were full' })
    const newer = store.allocate(2 ** 20, 'newer')
    expect(() => store.own(spoiled, 'input 0')).toThrow(/input 0, or a value it is made of, does not fit/)
    expect(store.own(old, 'old')).toBe(old)
    expect(store.own(newer, 'newer')).toBe(newer)
    const before = store.pool.reservedBytes
    store.release(spoiled)
    expect(store.pool.reservedBytes).toBe(before - spoiled.memory.size)
    store.release(newer)
    expect(store.allocate(2 ** 20, 'again').memory).toBe(newer.memory)
  })
})

it('recent values stay, old ones are made again', () => {
  const made: string[] = []
  const recent = new Recent<string>(2)
  for (const key of ['a', 'b', 'a', 'c', 'a', 'd', 'e', 'a', 'b'])
    recent.get(key, () => {
      made.push(key)
      return key
    })
  expect(made).toEqual(['a', 'b', 'c', 'd', 'e', 'b'])
})
