import type { Kernel } from '@tessella/compiler'
import { byteWidth } from '@tessella/ir'
import { Lanes as Ops } from '../math/lanes.ts'
import type { FunctionBuilder, FunctionRef, Local, ModuleBuilder } from '../wasm/assembler.ts'
import { Dataflow } from '../wasm/dataflow.ts'
import { loadSplat } from '../wasm/lanesMemory.ts'
import { orderKey } from './accumulators.ts'
import { grainFor, type KernelCode, type KernelContext, pointerLocal } from './context.ts'

type ArgsortKernel = Extract<Kernel, { kind: 'argsort' }>

/** One entry of a row: the order key above, the position below; so entries differ and their order is stable. */
const entryBytes = 8

/** Sorts each row's entries by merging runs of 1, 2, 4, ... between two scratch areas. */
export function emitArgsort(context: KernelContext, kernel: ArgsortKernel): KernelCode {
  const { outer, length, inner, x, out, dtype, descending } = kernel
  const rows = outer * inner
  const own = context.own(2 * length * entryBytes)
  const width = byteWidth(dtype)
  const sort = sorter(context.module)
  const f = context.module.function(['i32', 'i32'], [], (body, begin, end) => {
    const source = pointerLocal(body, context.slot(x))
    const target = pointerLocal(body, context.slot(out))
    const area = body.local('i32')
    own(body)
    body.set(area)
    const row = body.local('i32')
    const at = body.local('i32')
    const entry = body.local('i32')
    const k = body.local('i32')
    const sorted = body.local('i32')
    /** at = base + (row / inner * length * inner + row % inner) * bytes. */
    const toRow = (base: Local, bytes: number): void => {
      body.push(
        base,
        row,
        inner,
        'i32.div_u',
        length * inner * bytes,
        'i32.mul',
        'i32.add',
        row,
        inner,
        'i32.rem_u',
        bytes,
        'i32.mul',
        'i32.add',
      )
      body.set(at)
    }
    const eachPosition = (step: number, action: () => void): void => {
      body.i32(0)
      body.set(k)
      body.doWhileBelow(k, length, 1, () => {
        action()
        body.bump(at, step)
        body.bump(entry, entryBytes)
      })
    }
    body.get(begin as Local)
    body.set(row)
    body.whileBelow(row, end as Local, 1, () => {
      toRow(source, width)
      body.get(area)
      body.set(entry)
      eachPosition(inner * width, () => {
        body.get(entry)
        const g = new Dataflow(context)
        const l = new Ops(g)
        const value = loadSplat(g, dtype, { base: g.local(at, 1), offset: 0 })
        const ascending = orderKey(l, dtype, true, value)
        const key = descending ? g.v('v128.not', ascending) : ascending
        g.emit(body, [{ value: key, use: () => body.lane('i32x4.extract_lane', 0) }])
        body.op('i64.extend_i32_s')
        body.i64(32n)
        body.push('i64.shl', k, 'i64.extend_i32_u', 'i64.or')
        body.store('i64.store')
      })
      body.push(area, area, length * entryBytes, 'i32.add', length * entryBytes)
      body.call(sort)
      body.set(sorted)
      toRow(target, 4)
      body.get(sorted)
      body.set(entry)
      eachPosition(inner * 4, () => {
        body.push(at, entry)
        body.load('i32.load')
        body.store('i32.store')
      })
    })
  })
  const work = length * Math.max(1, Math.ceil(Math.log2(length + 1))) * 4
  return { f, units: length === 0 ? 0 : rows, grain: grainFor(work) }
}

/** (from, spare, bytes) -> the area that holds the sorted entries. */
function sorter(m: ModuleBuilder): FunctionRef {
  const merge = m.helper('merge', ['i32', 'i32', 'i32', 'i32'], [], (f, a, b, end, to) =>
    emitMerge(f, a as Local, b as Local, end as Local, to as Local),
  )
  return m.helper('sort', ['i32', 'i32', 'i32'], ['i32'], (f, from, spare, bytes) =>
    emitSort(f, merge, from as Local, spare as Local, bytes as Local),
  )
}

/** Merges the runs [a, b) and [b, end) to `to`. Branches only on the ends: which entry is less is not predictable. */
function emitMerge(f: FunctionBuilder, a: Local, b: Local, end: Local, to: Local): void {
  const middle = f.local('i32')
  const left = f.local('i64')
  const right = f.local('i64')
  const takeLeft = f.local('i32')
  f.get(b)
  f.set(middle)
  f.block((done) => {
    f.loop((again) => {
      f.push(a, middle, 'i32.ge_u', b, end, 'i32.ge_u', 'i32.or')
      f.brIf(done)
      f.push(to, a)
      f.load('i64.load')
      f.tee(left)
      f.get(b)
      f.load('i64.load')
      f.tee(right)
      f.push(left, right, 'i64.lt_s')
      f.tee(takeLeft)
      f.select('i64')
      f.store('i64.store')
      f.bump(to, entryBytes)
      f.push(a, takeLeft, 3, 'i32.shl', 'i32.add')
      f.set(a)
      f.push(b, takeLeft, 3, 'i32.shl', entryBytes, 'i32.sub', 'i32.sub')
      f.set(b)
      f.br(again)
    })
  })
  const copyRest = (from: Local, until: Local): void => {
    f.push(to, from, until, from, 'i32.sub')
    f.memoryCopy()
  }
  f.push(a, middle, 'i32.lt_u')
  f.if(
    () => copyRest(a, middle),
    () => copyRest(b, end),
  )
}

function emitSort(f: FunctionBuilder, merge: FunctionRef, from: Local, spare: Local, bytes: Local): void {
  const width = f.local('i32')
  const start = f.local('i32')
  const swap = f.local('i32')
  /** from + min(start + extra, bytes) */
  const bounded = (twice: boolean): void => {
    f.get(from)
    const sum = (): void => {
      f.push(start, width)
      if (twice) {
        f.push(1, 'i32.shl')
      }
      f.op('i32.add')
    }
    sum()
    f.get(bytes)
    sum()
    f.push(bytes, 'i32.lt_u')
    f.select('i32')
    f.op('i32.add')
  }
  f.i32(entryBytes)
  f.set(width)
  f.block((done) => {
    f.loop((again) => {
      f.push(width, bytes, 'i32.ge_u')
      f.brIf(done)
      f.i32(0)
      f.set(start)
      f.loop((next) => {
        f.push(from, start, 'i32.add')
        bounded(false)
        bounded(true)
        f.push(spare, start, 'i32.add')
        f.call(merge)
        f.push(start, width, 1, 'i32.shl', 'i32.add')
        f.tee(start)
        f.push(bytes, 'i32.lt_u')
        f.brIf(next)
      })
      f.get(from)
      f.set(swap)
      f.get(spare)
      f.set(from)
      f.get(swap)
      f.set(spare)
      f.push(width, 1, 'i32.shl')
      f.set(width)
      f.br(again)
    })
  })
  f.get(from)
}
