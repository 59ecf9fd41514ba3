import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { DeviceBuffer } from '@tessella/ir'
import { describe, expect, it } from 'vitest'
import { type Lease, Leases } from '../src/runtime/lease.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Collects until finalizers have run, or for some rounds. */
async function settle(done: () => boolean): Promise<void> {
  for (let i = 0; i < 50 && !done(); i++) {
    collect()
    await new Promise((next) => setTimeout(next, 2))
  }
}

describe('leases of buffers', () => {
  const buffers: DeviceBuffer[] = Array.from({ length: 6 }, (_, i) => ({ byteLength: i }))
  const [first, second, third] = buffers as [DeviceBuffer, DeviceBuffer, DeviceBuffer]

  it('give the buffers of forgotten ones back, once, and not those of ended ones', async () => {
    const released: DeviceBuffer[] = []
    const leases = new Leases((buffer) => released.push(buffer))
    const kept: Lease[] = []
    const use = (): void => {
      leases.end(leases.begin(first))
      // The same lease again.
      leases.begin(second)
      kept.push(leases.begin(third))
    }
    use()
    await settle(() => released.length > 0)
    expect(released).toEqual([second])
    expect(kept[0]?.held.buffer).toBe(third)
    kept.length = 0
    await settle(() => released.length > 1)
    expect(released).toEqual([second, third])
  })

  it('serve again after their end, however many there were', async () => {
    const released: DeviceBuffer[] = []
    const leases = new Leases((buffer) => released.push(buffer))
    const many = Array.from({ length: 3000 }, () => leases.begin(first))
    for (const lease of many) leases.end(lease)
    many.length = 0
    const kept = buffers.map((buffer) => leases.begin(buffer))
    await settle(() => false)
    expect(released).toEqual([])
    expect(kept.map(({ held }) => held.buffer)).toEqual(buffers)
  })
})
