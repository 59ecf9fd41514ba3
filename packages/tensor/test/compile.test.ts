import { reference } from '@tessella/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  compile,
  disposeBackend,
  memory,
  OpError,
  scalar,
  type Tensor,
  tensor,
  useBackend,
  Variable,
  zeros,
} from '../src/index.ts'
import { currentBackend } from '../src/runtime/index.ts'

beforeAll(async () => {
  await useBackend(reference())
  return disposeBackend
})

describe('Variable', () => {
  it('assigns lazily and reads what was assigned', async () => {
    const w = new Variable(zeros([3]))
    const before = w.value
    w.assign(w.value.add(1))
    const after = w.value
    w.assign(w.value.mul(5))
    expect(await w.value.array()).toEqual([5, 5, 5])
    expect(await before.array()).toEqual([0, 0, 0])
    expect(await after.array()).toEqual([1, 1, 1])
  })

  it('keeps shape and dtype', () => {
    const w = new Variable(zeros([3]), { name: 'w' })
    expect(() => w.assign(zeros([4]) as never)).toThrow(/assign to 'w'.*\[4\] and \[3\]/)
    expect(() => w.assign(zeros([3], 'int32') as never)).toThrow(OpError)
  })

  it('does not grow a graph when nothing is read', async () => {
    const w = new Variable(zeros([1]))
    for (let i = 0; i < 1000; i++) w.assign(w.value.add(1))
    expect(await w.value.item()).toBe(1000)
  })
})

describe('compile', () => {
  it('replays with dynamic tensors and numbers', async () => {
    let traces = 0
    const f = compile((x: Tensor<[number], 'float32'>, k: Tensor<[], 'float32'>) => {
      traces++
      return x.mul(k).sum()
    })
    expect(await f(tensor([1, 2, 3]), 2).item()).toBe(12)
    expect(await f(tensor([1, 2, 4]), 3).item()).toBe(21)
    expect(traces).toBe(1)
    expect(await f(tensor([1, 2]), 3).item()).toBe(9)
    expect(traces).toBe(2)
  })

  it('tells calls apart that follow each other', async () => {
    const traced: string[] = []
    const f = compile((...args: (Tensor | 'twice')[]) => {
      const of = args.map((a) => (typeof a === 'string' ? a : `${a.dtype}[${a.shape}]`))
      traced.push(of.join())
      return args.reduce<Tensor>((sum, a) => (a === 'twice' ? sum.mul(2) : sum.add(a.sum())), scalar(0))
    })
    const calls: [(Tensor | number | string)[], number][] = [
      [[tensor([1, 2])], 3],
      [[tensor([3, 4])], 7],
      [[tensor([[1, 2]])], 3],
      [[tensor([1, 2], 'int32')], 3],
      [[tensor([1, 2]), tensor([1])], 4],
      [[tensor([1, 2]), 'twice'], 6],
      [[tensor([1, 2]), 5], 8],
      [[tensor([1, 2]), scalar(5)], 8],
      [[tensor([1, 2])], 3],
    ]
    for (const [args, sum] of [...calls, ...calls]) expect(await f(...(args as never[])).item()).toBe(sum)
    expect(traced).toHaveLength(7)
    expect(new Set(traced).size).toBe(6)
  })

  it('updates Variables in order and reads staged values', async () => {
    const w = new Variable(tensor([1, 2]))
    const step = compile((rate: Tensor<[], 'float32'>) => {
      w.assign(w.value.mul(rate))
      const between = w.value.sum()
      w.assign(w.value.add(1))
      return between
    })
    expect(await step(2).item()).toBe(6)
    expect(await w.value.array()).toEqual([3, 5])
    expect(await step(10).item()).toBe(80)
    expect(await w.value.array()).toEqual([31, 51])
  })

  it('keeps a value read before a step', async () => {
    const w = new Variable(tensor([1, 2]))
    const step = compile(() => w.assign(w.value.add(1)))
    step()
    const held = w.value
    const derived = w.value.mul(2)
    step()
    step()
    expect(await held.array()).toEqual([2, 3])
    expect(await derived.array()).toEqual([4, 6])
    expect(await w.value.array()).toEqual([4, 5])
  })

  it('changes nothing when the function throws', async () => {
    const w = new Variable(tensor([1, 2]))
    const step = compile((fail: boolean) => {
      w.assign(w.value.add(1))
      if (fail) throw new Error('stop')
    })
    expect(() => step(true)).toThrow('stop')
    expect(await w.value.array()).toEqual([1, 2])
    step(false)
    expect(await w.value.array()).toEqual([2, 3])
  })

  it('computes values from outside once and nests', async () => {
    const c = tensor([1, 2]).mul(3)
    const inner = compile((x: Tensor<[number], 'float32'>, k: Tensor<[], 'float32'>) => x.add(c).mul(k))
    const outer = compile((x: Tensor<[number], 'float32'>) => inner(x, 2).sum())
    expect(await outer(tensor([0, 1])).item()).toBe(20)
  })

  it('answers structures and statics', async () => {
    const f = compile((x: Tensor<[number], 'float32'>, mode: string) => ({
      mode,
      list: [x.add(1), x.neg()],
      none: undefined,
    }))
    const r = f(tensor([1]), 'a')
    expect(r.mode).toBe('a')
    expect(await r.list[1]?.item()).toBe(-1)
  })

  it('refuses a Variable that starts from a traced value, and goes on', async () => {
    const w = new Variable(tensor([1, 2]))
    const make = compile((x: Tensor<[], 'float32'>) => new Variable(w.value.mul(x), { name: 'v' }).value)
    expect(() => make(2)).toThrow(/\[Variable\] 'v' cannot start from a value that compile is tracing/)
    expect(await compile(() => new Variable(zeros([2])).value.add(w.value))().array()).toEqual([1, 2])
  })

  it('lets a Variable that got a value nobody has any more fail alone', async () => {
    const w = new Variable(zeros([2]))
    const gone = tensor([1, 2])
    const next = gone.add(1)
    w.assign(next)
    gone.dispose()
    expect(await tensor([1]).add(1).array()).toEqual([2])
    expect(await compile((x: Tensor<[], 'float32'>) => x.add(1))(1).item()).toBe(2)
    await expect(w.value.data()).rejects.toThrow(/disposed/)
    w.assign(zeros([2]))
    expect(await w.value.array()).toEqual([0, 0])
  })

  it('finds values again when their backend comes back', async () => {
    const first = currentBackend()
    const x = tensor(new Float32Array(3000).fill(2), [3000]).add(1)
    await x.data()
    await useBackend(reference())
    disposeBackend()
    await useBackend(first)
    expect((await x.add(1).data())[0]).toBe(4)
  })

  it('leaves no unhandled rejection behind an async function', async () => {
    const unhandled: unknown[] = []
    const note = (e: unknown) => unhandled.push(e)
    process.on('unhandledRejection', note)
    const later = compile(async (x: Tensor<[], 'float32'>) => x.item())
    expect(() => later(1)).toThrow(/async/)
    await new Promise((resolve) => setTimeout(resolve, 5))
    process.off('unhandledRejection', note)
    expect(unhandled).toEqual([])
  })

  it('refuses async functions and reads while tracing', async () => {
    const later = compile(async (x: Tensor<[number], 'float32'>) => x)
    expect(() => later(tensor([1]))).toThrow(/async/)
    let leaked: Promise<number> | undefined
    const f = compile((x: Tensor<[], 'float32'>) => {
      leaked = x.item()
      return x
    })
    f(scalar(1))
    await expect(leaked).rejects.toThrow(/compile is tracing/)
  })

  it('holds memory flat over 10,000 compiled steps', async () => {
    const w = new Variable(zeros([64]))
    const step = compile((x: Tensor<[number], 'float32'>) => {
      w.assign(w.value.mul(0.9).add(x))
      return w.value.sum()
    })
    const x = tensor(new Float32Array(64).fill(1), [64])
    let after100 = 0
    for (let i = 0; i < 10_000; i++) {
      await step(x).item()
      if (i === 100) after100 = memory().bytes
    }
    expect(memory().bytes).toBeLessThanOrEqual(after100)
  })

  it('holds memory flat over 10,000 eager steps', async () => {
    const w = new Variable(zeros([4096]))
    let highest = 0
    for (let i = 0; i < 10_000; i++) {
      w.assign(w.value.mul(0.9).add(0.1))
      await w.value.mean().item()
      highest = Math.max(highest, memory().bytes)
    }
    // 16 KiB a step would be 160 MB; the collector is let in every 32 MiB.
    expect(highest).toBeLessThan(110 * 2 ** 20)
  }, 60_000)
})
