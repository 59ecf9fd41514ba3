import type { Kernel } from '@tessella/compiler'
import { type Dims, showShape, sizeOf, stridesOf } from '@tessella/ir'
import type { Dispatch } from '../kernel.ts'
import type { Shader } from '../wgsl/shader.ts'
import { affineText } from '../wgsl/values.ts'
import type { KernelContext } from './context.ts'
import { emitGemm } from './gemm.ts'
import { indicesOf } from './indices.ts'
import type { Element, Gemm, GemmOperand } from './product.ts'
import { inputPlaces, outputPlaces } from './window.ts'

type ConvKernel = Extract<Kernel, { kind: 'conv' | 'convGradInput' | 'convGradWeight' }>

/** The arrays of a convolution: x [N, C, ...in], w [O, C/groups, ...kernel], y [N, O, ...out]. */
interface Shapes {
  readonly x: Dims
  readonly w: Dims
  readonly y: Dims
}

const offsetOf = (shape: Dims, indices: readonly string[]): string =>
  affineText({ offset: 0, strides: stridesOf(shape) }, indices)

/** Names for the digits of a number in mixed radix. */
const digits = (shader: Shader, value: string, sizes: Dims) => indicesOf(shader, value, sizes)

const spatial = (shape: Dims): Dims => shape.slice(2)
const taps = ({ w }: Shapes): number => sizeOf(spatial(w))

/** channel of a group: `batch` counts groups. */
const channel = (batch: string, perGroup: number, c: string): string => `(${batch} * ${perGroup} + ${c})`

/** x at the tap of a window: an operand of the convolution (lines are windows) and of its weight gradient (lines are taps). */
function windowOperand(kernel: ConvKernel, buffer: number, s: Shapes, linesAre: 'windows' | 'taps'): GemmOperand {
  const perGroup = s.w[1] as number
  const sizes = { input: spatial(s.x), output: spatial(s.y), kernel: spatial(s.w) }
  const windows = [s.y[0] as number, ...sizes.output]
  const taps = [perGroup, ...sizes.kernel]
  const element = (shader: Shader, batch: string, window: readonly string[], tap: readonly string[]): Element => {
    const [image, ...out] = window
    const [c, ...offsets] = tap
    const { lines, tests, names } = inputPlaces(kernel.attrs, sizes, out, offsets, shader.name('p'))
    const address = offsetOf(s.x, [image as string, channel(batch, perGroup, c as string), ...names])
    return { lines, tests, address }
  }
  const [lineSizes, kSizes] = linesAre === 'windows' ? [windows, taps] : [taps, windows]
  return digitOperand(buffer, linesAre === 'taps', lineSizes, kSizes, (shader, batch, line, k) =>
    linesAre === 'windows' ? element(shader, batch, line, k) : element(shader, batch, k, line),
  )
}

/** An operand whose elements are told by the digits of the line and of k. */
function digitOperand(
  buffer: number,
  alongK: boolean,
  lineSizes: Dims,
  kSizes: Dims,
  element: (shader: Shader, batch: string, line: readonly string[], k: readonly string[]) => Element,
): GemmOperand {
  const elementAt = (shader: Shader, batch: string, line: readonly string[], k: string): Element => {
    const by = digits(shader, k, kSizes)
    const found = element(shader, batch, line, by.names)
    return { ...found, lines: [...by.lines, ...found.lines] }
  }
  return {
    buffer,
    alongK,
    digits: lineSizes,
    elementAt,
    element: (shader, batch, line, k) => {
      const at = digits(shader, line, lineSizes)
      const found = elementAt(shader, batch, at.names, k)
      return { ...found, lines: [...at.lines, ...found.lines] }
    },
  }
}

function forward(kernel: ConvKernel, s: Shapes): Gemm {
  const { groups } = kernel.attrs
  const outputs = (s.w[0] as number) / groups
  const k = (s.w[1] as number) * taps(s)
  return {
    label: `conv ${showShape(s.y)} of ${showShape(s.w)}`,
    batch: groups,
    m: outputs,
    n: (s.y[0] as number) * sizeOf(spatial(s.y)),
    k,
    a: {
      buffer: kernel.b.buffer,
      alongK: true,
      element: (_shader, batch, line, depth) => ({
        lines: [],
        tests: [],
        address: `(${batch} * ${outputs} + ${line}) * ${k} + ${depth}`,
      }),
    },
    b: windowOperand(kernel, kernel.a.buffer, s, 'windows'),
    writes: kernel.writes,
    point: (shader, batch, m, n) => positions(shader, s.y, n, channel(batch, outputs, m)),
  }
}

/** Indices of [image, channel, ...place] where n counts images and places. */
function positions(shader: Shader, shape: Dims, n: string, c: string) {
  const at = digits(shader, n, [shape[0] as number, ...spatial(shape)])
  const [image, ...rest] = at.names
  const name = shader.name('c')
  return { names: [image as string, name, ...rest], lines: [...at.lines, `let ${name} = ${c};`] }
}

/** dx: each input position collects from the windows that it is in. */
function gradInput(kernel: ConvKernel, s: Shapes): Gemm {
  const { groups } = kernel.attrs
  const outputs = (s.w[0] as number) / groups
  const perGroup = s.w[1] as number
  const count = taps(s)
  return {
    label: `convGradInput ${showShape(s.x)} of ${showShape(s.w)}`,
    batch: groups,
    m: perGroup,
    n: (s.x[0] as number) * sizeOf(spatial(s.x)),
    k: outputs * count,
    a: {
      buffer: kernel.b.buffer,
      alongK: count > 1,
      element: (_shader, batch, line, k) => {
        const o = channel(batch, outputs, `(${k} / ${count})`)
        const at = `(${o} * ${perGroup} + ${line}) * ${count} + ${k} % ${count}`
        return { lines: [], tests: [], address: at }
      },
    },
    b: digitOperand(
      kernel.a.buffer,
      false,
      [s.x[0] as number, ...spatial(s.x)],
      [outputs, ...spatial(s.w)],
      (shader, batch, [image, ...place], [o, ...offsets]) => {
        const { lines, tests, names } = outputPlaces(kernel.attrs, spatial(s.y), place, offsets, shader.name('q'))
        const address = offsetOf(s.y, [image as string, channel(batch, outputs, o as string), ...names])
        return { lines, tests, address }
      },
    ),
    writes: kernel.writes,
    point: (shader, batch, m, n) => positions(shader, s.x, n, channel(batch, perGroup, m)),
  }
}

/** dw: sums over all windows of all images. */
function gradWeight(kernel: ConvKernel, s: Shapes): Gemm {
  const { groups } = kernel.attrs
  const outputs = (s.w[0] as number) / groups
  const places = sizeOf(spatial(s.y))
  const all = s.y[1] as number
  return {
    label: `convGradWeight ${showShape(s.w)} of ${showShape(s.y)}`,
    batch: groups,
    m: outputs,
    n: (s.w[1] as number) * taps(s),
    k: (s.y[0] as number) * places,
    a: {
      buffer: kernel.b.buffer,
      alongK: true,
      element: (_shader, batch, line, k) => {
        const o = channel(batch, outputs, line)
        const at = `((${k} / ${places}) * ${all} + ${o}) * ${places} + ${k} % ${places}`
        return { lines: [], tests: [], address: at }
      },
    },
    b: windowOperand(kernel, kernel.a.buffer, s, 'taps'),
    writes: kernel.writes,
    point: (shader, batch, m, n) => {
      const by = digits(shader, n, s.w.slice(1))
      const name = shader.name('c')
      return { names: [name, ...by.names], lines: [...by.lines, `let ${name} = ${channel(batch, outputs, m)};`] }
    },
  }
}

/** Convolutions and their gradients are matrix products whose operands are read through windows. */
export function emitConv(kernel: ConvKernel, context: KernelContext): readonly Dispatch[] {
  const { domain, a, b } = kernel
  switch (kernel.kind) {
    case 'conv':
      return emitGemm(forward(kernel, { x: a.shape, w: b.shape, y: domain }), context)
    case 'convGradInput':
      return emitGemm(gradInput(kernel, { x: domain, w: b.shape, y: a.shape }), context)
    case 'convGradWeight':
      return emitGemm(gradWeight(kernel, { x: a.shape, w: domain, y: b.shape }), context)
  }
}
