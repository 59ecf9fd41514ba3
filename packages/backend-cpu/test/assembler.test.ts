import { describe, expect, it } from 'vitest'
import { ModuleBuilder } from '../src/wasm/assembler.ts'
import { Bytes } from '../src/wasm/bytes.ts'
import { probeFeatures } from '../src/wasm/features.ts'

type Numeric = (...args: number[]) => number

function exported(m: ModuleBuilder, imports: WebAssembly.Imports = {}): (name: string) => Numeric {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(m.build()), imports)
  return (name) => instance.exports[name] as Numeric
}

describe('bytes', () => {
  it('encodes LEB128', () => {
    const encoded = (write: (b: Bytes) => void) => {
      const b = new Bytes(1)
      write(b)
      return [...b.view()]
    }
    expect(encoded((b) => b.u32(624485))).toEqual([0xe5, 0x8e, 0x26])
    expect(encoded((b) => b.s32(-123456))).toEqual([0xc0, 0xbb, 0x78])
    expect(encoded((b) => b.s32(63))).toEqual([63])
    expect(encoded((b) => b.s32(64))).toEqual([0xc0, 0])
    expect(encoded((b) => b.u32(0xffffffff))).toEqual([0xff, 0xff, 0xff, 0xff, 0x0f])
    expect(encoded((b) => b.s64(-(2n ** 63n))).length).toBe(10)
  })
})

describe('module builder', () => {
  it('runs arithmetic, constants and calls', () => {
    const m = new ModuleBuilder()
    const square = m.function(['f64'], ['f64'], (f, x) => {
      f.get(x!)
      f.get(x!)
      f.op('f64.mul')
    })
    m.export(
      'f',
      m.function(['f64'], ['f64'], (f, x) => {
        f.get(x!)
        f.call(square)
        f.f64(-0.5)
        f.op('f64.add')
      }),
    )
    expect(exported(m)('f')(3)).toBe(8.5)
  })

  it('pushes variables and constants between operations', () => {
    const m = new ModuleBuilder()
    m.export(
      'f',
      m.function(['i32', 'i32'], ['i32'], (f, x, y) => f.push(x!, -3, 'i32.mul', y!, 'i32.sub')),
    )
    expect(exported(m)('f')(5, 2)).toBe(-17)
  })

  it('loops, branches and reuses locals', () => {
    const m = new ModuleBuilder()
    m.export(
      'sum',
      m.function(['i32'], ['i32'], (f, n) => {
        const i = f.local('i32')
        const s = f.local('i32')
        f.whileBelow(i, n!, 1, () => {
          f.get(s)
          f.get(i)
          f.op('i32.add')
          f.set(s)
        })
        f.release(i)
        expect(f.local('i32')).toBe(i)
        f.get(s)
      }),
    )
    m.export(
      'sign',
      m.function(['i32'], ['i32'], (f, n) => {
        f.block((done) => {
          f.get(n!)
          f.op('i32.eqz')
          f.brIf(done)
          f.get(n!)
          f.i32(0)
          f.op('i32.lt_s')
          f.if(
            () => f.i32(-1),
            () => f.i32(1),
            'i32',
          )
          f.return()
        })
        f.i32(0)
      }),
    )
    const run = exported(m)
    expect(run('sum')(5)).toBe(10)
    expect(run('sum')(0)).toBe(0)
    expect([-7, 0, 9].map((x) => run('sign')(x))).toEqual([-1, 0, 1])
  })

  it('reads and writes imported memory with vectors, lanes and shuffles', () => {
    const memory = new WebAssembly.Memory({ initial: 1 })
    const view = new Int32Array(memory.buffer)
    const m = new ModuleBuilder()
    m.importMemory({ module: 'env', name: 'memory', minimum: 1 })
    m.export(
      'f',
      m.function(['i32'], [], (f, p) => {
        f.get(p!)
        f.get(p!)
        f.load('v128.load', 16)
        f.get(p!)
        f.load('v128.load32_splat')
        f.op('i32x4.add')
        f.store('v128.store', 32)
        f.get(p!)
        f.get(p!)
        f.load('v128.load', 32)
        f.get(p!)
        f.load('v128.load', 32)
        f.shuffle([12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3])
        f.laneAccess('v128.store32_lane', 0, 48)
      }),
    )
    view.set([100, 0, 0, 0, 1, 2, 3, 4], 4)
    exported(m, { env: { memory } })('f')(16)
    expect([...view.subarray(12, 17)]).toEqual([101, 102, 103, 104, 104])
  })

  it('imports functions and gives equal signatures one type', () => {
    const m = new ModuleBuilder()
    const twice = m.importFunction('env', 'twice', ['i32'], ['i32'])
    const body = () =>
      m.function(['i32'], ['i32'], (f, x) => {
        f.get(x!)
        f.call(twice)
      })
    m.export('a', body())
    m.export('b', body())
    const run = exported(m, { env: { twice: (x: number) => 2 * x } })
    expect(run('a')(4) + run('b')(5)).toBe(18)
    expect(() => m.importFunction('env', 'late', [], [])).toThrow('internal:')
  })

  it('refuses a negative memory offset', () => {
    const m = new ModuleBuilder()
    expect(() => m.function([], [], (f) => f.load('i32.load', -4))).toThrow('internal:')
  })
})

it('probes SIMD', () => {
  expect(probeFeatures().simd).toBe(true)
})
