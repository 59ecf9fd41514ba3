import { BackendError } from '@tessella/ir'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Block, Memory } from '../src/memory.ts'

const reserved = 131072

describe('memory', () => {
  it('never hands out overlapping or unaligned blocks, and ends as one free block', () => {
    const script = fc.array(
      fc.record({ bytes: fc.integer({ min: 0, max: 200000 }), free: fc.nat(), keep: fc.boolean() }),
      {
        maxLength: 120,
      },
    )
    fc.assert(
      fc.property(script, (steps) => {
        const memory = new Memory(reserved)
        const live: Block[] = []
        for (const { bytes, free, keep } of steps) {
          const block = memory.allocate(bytes)
          expect(block.address % 64).toBe(0)
          expect(block.size).toBeGreaterThanOrEqual(bytes)
          expect(block.address).toBeGreaterThanOrEqual(reserved)
          expect(block.address + block.size).toBeLessThanOrEqual(memory.reservedBytes)
          for (const b of live)
            expect(b.address + b.size <= block.address || block.address + block.size <= b.address).toBe(true)
          live.push(block)
          expect(memory.blockBytes).toBe(live.reduce((sum, b) => sum + b.size, 0))
          if (!keep) memory.release(live.splice(free % live.length, 1)[0]!)
        }
        for (const b of live) memory.release(b)
        expect(memory.blockBytes).toBe(0)
        // Merged again: all but a page of the heap fits without growth.
        const before = memory.reservedBytes
        expect(memory.allocate(before - reserved - 4096).size).toBeGreaterThanOrEqual(before - reserved - 4096)
        expect(memory.reservedBytes).toBe(before)
      }),
      { numRuns: 60, seed: 4 },
    )
  })

  it('stays flat when the same sizes come and go', () => {
    const memory = new Memory(reserved)
    const sizes = [400, 1000000, 64, 31360, 4096, 123456]
    let blocks = sizes.map((s) => memory.allocate(s))
    const flat = memory.reservedBytes
    for (let i = 0; i < 2000; i++) {
      const next = sizes.map((s, k) => {
        const block = memory.allocate(s)
        memory.release(blocks[k]!)
        return block
      })
      blocks = next
    }
    expect(memory.reservedBytes).toBeLessThanOrEqual(2 * flat + 16 * 1024 * 1024)
    const after = memory.reservedBytes
    for (const b of blocks) memory.release(b)
    expect(memory.blockBytes).toBe(0)
    for (let i = 0; i < 100; i++) memory.release(memory.allocate(1000000))
    expect(memory.reservedBytes).toBe(after)
  })

  it.each([16 * 1024 * 1024 * 4, 1000 * 1000 * 4, 2 ** 17])(
    'puts neighbours of %i bytes at different places of their pages',
    (bytes) => {
      const memory = new Memory(reserved)
      const places = Array.from({ length: 8 }, () => memory.allocate(bytes).address % 4096)
      for (const [i, a] of places.entries())
        for (const b of places.slice(i + 1)) {
          const apart = Math.abs(a - b)
          expect(Math.min(apart, 4096 - apart)).toBeGreaterThanOrEqual(256)
        }
    },
  )

  it('ignores a block released twice', () => {
    const memory = new Memory(reserved)
    const a = memory.allocate(100)
    memory.release(a)
    memory.release(a)
    expect(memory.allocate(100).address).toBe(a.address)
    expect(memory.allocate(100).address).not.toBe(a.address)
  })

  it('says when 4 GiB are not enough, and still works', () => {
    const memory = new Memory(reserved)
    const failure = (() => {
      try {
        memory.allocate(2 ** 32)
      } catch (error) {
        return error
      }
      return undefined
    })()
    expect(failure).toBeInstanceOf(BackendError)
    expect((failure as BackendError).code).toBe('out-of-memory')
    expect(memory.allocate(100).size).toBe(128)
  })

  it('gives new views after a growth', () => {
    const memory = new Memory(reserved)
    const { address } = memory.allocate(4)
    memory.words[address >> 2] = 42
    memory.allocate(1 << 26)
    expect(memory.words[address >> 2]).toBe(42)
    expect(memory.bytes[address]).toBe(42)
  })
})
