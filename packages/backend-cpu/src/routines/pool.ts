import { sizeOf } from '@tessella/ir'
import { grainFor, type KernelCode, type KernelContext } from '../kernels/context.ts'
import type { FunctionBuilder, FunctionRef, Label, Local } from '../wasm/assembler.ts'
import { Epilogue } from './epilogue.ts'
import { emitFinish } from './finish.ts'
import { emitCopy, emitFill, type Plane, planeOf } from './plane.ts'
import { emitPlanes } from './planes.ts'
import { emitPoolPairs, isPairs, type PoolKernel } from './poolPairs.ts'
import { emitPoolPlaces } from './poolPlaces.ts'
import { loadVector } from './tile.ts'
import { type Axes, type Axis, axesOf, dimensionOf } from './window.ts'
import { bufferAddress, workspace } from './workspace.ts'

export function emitPool(context: KernelContext, kernel: PoolKernel): readonly KernelCode[] {
  if (sizeOf(kernel.domain) === 0) return []
  const places = kernel.kind === 'maxPoolPick' ? undefined : kernel.places
  if (places !== undefined) return emitPoolPlaces(context, kernel, places)
  if (isPairs(kernel)) return emitPoolPairs(context, kernel)
  return kernel.kind === 'maxPool' ? emitMaxima(context, kernel) : emitByWindow(context, kernel)
}

/** Maxima of any windows, four at a time, from planes with borders and rows split by stride. Units: planes. */
function emitMaxima(context: KernelContext, kernel: Extract<PoolKernel, { kind: 'maxPool' }>): readonly KernelCode[] {
  const { domain, x, attrs, writes } = kernel
  const spatial = domain.length - 2
  const epilogue = new Epilogue(context, writes)
  const axes = axesOf(x.shape.slice(2), attrs.kernel, domain.slice(2), attrs)
  const [z, y, last] = axes
  const copied = (a: Axis) => ({
    source: a.input,
    insert: 1,
    lo: a.lo,
    target: (a.output - 1) * a.stride + (a.kernel - 1) * a.dilation + 1,
  })
  const plane = planeOf({
    channels: 1,
    axes: [copied(z), copied(y), copied(last)],
    phases: last.stride,
    partWidth: Math.floor(((last.kernel - 1) * last.dilation) / last.stride) + Math.max(4, last.output),
    fill: Number.NEGATIVE_INFINITY,
  })
  const maxima = emitPlaneMaxima(context, epilogue, plane, axes, spatial)
  const inputBytes = sizeOf(x.shape.slice(2)) * 4
  const operand = { address: bufferAddress(context, x.buffer), bytes: inputBytes }
  const work = (sizeOf(domain.slice(2)) * sizeOf(attrs.kernel)) / 2
  if (plane.inPlace) return [emitPlanes(context, epilogue, domain, [operand], maxima, work)]
  const copy = emitCopy(context, plane)
  const { own } = workspace(context, 0, plane.bytes)
  const fill = (f: FunctionBuilder): void => {
    const target = f.local('i32')
    own(f)
    f.set(target)
    emitFill(f, target, plane)
    f.release(target)
  }
  const each = context.module.function(['i32', 'i32', ...epilogue.params], [], (f, source, target, ...bases) => {
    f.push(source as Local, target as Local)
    f.call(copy)
    f.get(target as Local)
    for (const b of bases) f.get(b)
    f.call(maxima)
  })
  return [emitPlanes(context, epilogue, domain, [operand, { address: own, bytes: 0 }], each, work, fill)]
}

/** A function (plane, ...running addresses). */
function emitPlaneMaxima(
  context: KernelContext,
  epilogue: Epilogue,
  plane: Plane,
  [z, y, x]: Axes,
  spatial: number,
): FunctionRef {
  const [zDim, yDim, xDim] = [0, 1, 2].map((axis) => dimensionOf(axis, spatial)) as [number, number, number]
  return context.module.function(['i32', ...epilogue.params], [], (f, source, ...bases) => {
    const from = source as Local
    const p = f.local('i32')
    const best = f.local('v128')
    const full = Math.floor(x.output / 4)
    const readable = plane.inPlace && x.output < 4 ? x.output : 4
    const shifts = new Array<number>(spatial + 2).fill(0)
    const vector = (first: number, lanes: number, offset: number): void => {
      f.f32(Number.NEGATIVE_INFINITY)
      f.op('f32x4.splat')
      f.set(best)
      f.get(from)
      f.set(p)
      f.times(z.kernel, () => {
        f.times(y.kernel, () => {
          for (let k = 0; k < x.kernel; k++) {
            f.get(best)
            loadVector(f, p, 4 * offset + plane.at(k * x.dilation), readable)
            f.op('f32x4.max')
            f.set(best)
          }
          f.bump(p, y.dilation * plane.yStep)
        })
        f.bump(p, z.dilation * plane.zStep - y.kernel * y.dilation * plane.yStep)
      })
      const at = shifts.map((s, d) => (d === xDim ? offset : s))
      epilogue.emit(f, bases, xDim, [{ result: best, shifts: at, first, lanes }])
    }
    const move = (dimension: number, bytes: number, amount: number): void => {
      f.bump(from, bytes)
      epilogue.advance(f, bases, dimension, amount)
    }
    f.times(z.output, () => {
      f.times(y.output, () => {
        f.times(full, () => {
          vector(0, 4, 0)
          move(xDim, 16, 4)
        })
        move(xDim, -16 * full, -4 * full)
        const rest = x.output % 4
        // The last vector overlaps the one before.
        if (rest > 0) vector(full > 0 ? 4 - rest : 0, rest, full > 0 ? x.output - 4 : 0)
        move(yDim, y.stride * plane.yStep, 1)
      })
      if (z.output > 1) {
        move(yDim, -y.output * y.stride * plane.yStep, -y.output)
        move(zDim, z.stride * plane.zStep, 1)
      }
    })
  })
}

/** Picks and gradients of any windows, one window at a time, into scratch; then the epilogue. */
function emitByWindow(
  context: KernelContext,
  kernel: Extract<PoolKernel, { kind: 'maxPoolGrad' | 'maxPoolPick' }>,
): readonly KernelCode[] {
  const { domain, x, other, attrs, writes } = kernel
  const epilogue = new Epilogue(context, writes)
  const grad = kernel.kind === 'maxPoolGrad'
  const input = x.shape.slice(2)
  const output = (grad ? other.shape : domain).slice(2)
  const resultBytes = sizeOf(domain.slice(2)) * 4
  const { shared } = workspace(context, sizeOf(domain) * 4 + 16, 0)
  const axes = axesOf(input, attrs.kernel, output, attrs)
  const each = emitWindows(context, axes, grad, resultBytes)
  const operands = [
    { address: bufferAddress(context, x.buffer), bytes: sizeOf(input) * 4 },
    { address: bufferAddress(context, other.buffer), bytes: sizeOf(other.shape.slice(2)) * 4 },
    { address: shared, bytes: resultBytes },
  ]
  const work = sizeOf(output) * sizeOf(attrs.kernel) * 4
  const windows = emitPlanes(context, undefined, domain, operands, each, work)
  const finish = emitFinish(context, epilogue, domain, { address: shared, copies: 1, copyBytes: 0 })
  return [{ ...windows, grain: grainFor(work) }, finish]
}

/** A function (x, other, results) over one plane. */
function emitWindows(context: KernelContext, axes: Axes, grad: boolean, resultBytes: number): FunctionRef {
  return context.module.function(['i32', 'i32', 'i32'], [], (f, a, b, c) => {
    const [x, other, results] = [a, b, c] as [Local, Local, Local]
    const found = f.local('i32')
    const best = f.local('f32')
    const value = f.local('f32')
    if (grad) {
      f.push(results, 0, resultBytes)
      f.memoryFill()
    }
    const starts = axes.map(() => f.local('i32'))
    const strides = [0, 1, 2].map((i) => axes.slice(i + 1).reduce((n, axis) => n * axis.input, 4))
    const outputs = (depth: number): void => {
      const axis = axes[depth]
      if (!axis) {
        window(f, { axes, starts, strides, x, found, best, value })
        if (grad) scatter(f, x, results, other, found)
        else pick(f, x, other, results, found)
        f.bump(grad ? other : results, 4)
        return
      }
      f.i32(-axis.lo)
      f.set(starts[depth] as Local)
      f.times(axis.output, () => {
        outputs(depth + 1)
        f.bump(starts[depth] as Local, axis.stride)
      })
    }
    outputs(0)
  })
}

interface WindowState {
  readonly axes: Axes
  /** Position of the window's first element along each axis; may be outside. */
  readonly starts: readonly Local[]
  readonly strides: readonly number[]
  readonly x: Local
  /** Out: address of the first maximum, 0 if the window lies outside. */
  readonly found: Local
  readonly best: Local
  readonly value: Local
}

function window(f: FunctionBuilder, state: WindowState): void {
  const { axes, starts, strides, x, found, best, value } = state
  f.i32(0)
  f.set(found)
  const taps = (depth: number, base: Local): void => {
    const axis = axes[depth]
    if (!axis) {
      consider(f, base, found, best, value)
      return
    }
    const position = f.local('i32')
    const address = f.local('i32')
    f.get(starts[depth] as Local)
    f.set(position)
    f.times(axis.kernel, () => {
      f.push(position, axis.input, 'i32.lt_u')
      f.if(() => {
        f.push(base, position, strides[depth] as number, 'i32.mul', 'i32.add')
        f.set(address)
        taps(depth + 1, address)
      })
      f.bump(position, axis.dilation)
    })
    f.release(position)
    f.release(address)
  }
  taps(0, x)
}

/** Keeps the element at `address` if it is the first, or greater than the best, or the first NaN. */
function consider(f: FunctionBuilder, address: Local, found: Local, best: Local, value: Local): void {
  f.get(address)
  f.load('f32.load')
  f.set(value)
  f.block((skip: Label) => {
    f.get(found)
    f.if(() => {
      f.push(value, best, 'f32.le', best, best, 'f32.ne', 'i32.or')
      f.brIf(skip)
    })
    f.get(value)
    f.set(best)
    f.get(address)
    f.set(found)
  })
}

/** results[found - x] += the gradient. */
function scatter(f: FunctionBuilder, x: Local, results: Local, grads: Local, found: Local): void {
  f.get(found)
  f.if(() => {
    f.push(found, x, 'i32.sub', results, 'i32.add')
    f.tee(found)
    f.get(found)
    f.load('f32.load')
    f.get(grads)
    f.load('f32.load')
    f.op('f32.add')
    f.store('f32.store')
  })
}

/** result = the value at the same place of the other operand, 0 where there is none. */
function pick(f: FunctionBuilder, x: Local, values: Local, results: Local, found: Local): void {
  f.push(results, found)
  f.if(
    () => {
      f.push(found, x, 'i32.sub', values, 'i32.add')
      f.load('f32.load')
    },
    () => f.f32(0),
    'f32',
  )
  f.store('f32.store')
}
