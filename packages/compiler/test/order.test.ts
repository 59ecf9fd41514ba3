import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Order } from '../src/order.ts'

describe('order under contraction', () => {
  it('refuses what would need itself', () => {
    const order = new Order([[], [0], [1]])
    expect(order.wouldLoop(0, 2)).toBe(true)
    expect(order.wouldLoop(0, 1)).toBe(false)
    order.merge(0, 1)
    expect(order.wouldLoop(2, 0)).toBe(false)
  })

  it('agrees with a search through the contracted graph', () => {
    const edges = fc.array(fc.tuple(fc.nat(9), fc.nat(9)), { maxLength: 25 })
    fc.assert(
      fc.property(edges, fc.array(fc.tuple(fc.nat(9), fc.nat(9)), { maxLength: 15 }), (pairs, merges) => {
        const before: number[][] = Array.from({ length: 10 }, () => [])
        for (const [a, b] of pairs) if (a !== b) before[Math.max(a, b)]?.push(Math.min(a, b))
        const order = new Order(before)
        const group = Array.from({ length: 10 }, (_, i) => i)
        const leads = (from: number, to: number): boolean => {
          // A path that passes through a third group.
          const seen = new Set<number>()
          const stack = [to]
          for (let at = stack.pop(); at !== undefined; at = stack.pop())
            for (const [n, list] of before.entries()) {
              if (group[n] !== at) continue
              for (const p of list.map((q) => group[q] as number)) {
                if (p === from && at !== to) return true
                if (p === at || p === from || seen.has(p)) continue
                seen.add(p)
                stack.push(p)
              }
            }
          return false
        }
        for (const [a, b] of merges) {
          const [p, q] = [group[a] as number, group[b] as number]
          if (p === q) continue
          const loops = leads(p, q) || leads(q, p)
          expect(order.wouldLoop(a, b)).toBe(loops)
          if (loops) continue
          order.merge(a, b)
          for (const [n, g] of group.entries()) if (g === q) group[n] = p
        }
      }),
      { numRuns: 200 },
    )
  })
})
