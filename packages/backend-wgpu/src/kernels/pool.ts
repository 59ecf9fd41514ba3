import type { Kernel } from '@tessella/compiler'
import { type Dims, showShape, sizeOf, stridesOf } from '@tessella/ir'
import type { Dispatch } from '../kernel.ts'
import { literalText } from '../wgsl/literals.ts'
import { Shader } from '../wgsl/shader.ts'
import { storageOf, stored } from '../wgsl/storage.ts'
import { affineText } from '../wgsl/values.ts'
import type { KernelContext } from './context.ts'
import { indicesOf, pointsPerGroup } from './indices.ts'
import { allOf, coveringWindows, inputPlaces } from './window.ts'
import { writeLines } from './writes.ts'

type SinglePool = Extract<Kernel, { kind: 'maxPool' }>
type PairPool = Extract<Kernel, { kind: 'maxPoolGrad' | 'maxPoolPick' }>
type PoolKernel = SinglePool | PairPool

/** One invocation a result. A gradient asks each window around its element whether the element is the window's maximum. */
export function emitPool(kernel: PoolKernel, context: KernelContext): readonly Dispatch[] {
  const shader = new Shader(context)
  const total = sizeOf(kernel.domain)
  const size = pointsPerGroup(total)
  const { names, lines } = indicesOf(shader, 'point', kernel.domain)
  const pick = new Windows(shader, kernel)
  const result = kernel.kind === 'maxPoolGrad' ? pick.gradient(kernel, names) : pick.maximum(names)
  const body = [
    `let point = group * ${size} + lane;`,
    `if (point < ${total}) {`,
    ...lines,
    ...result,
    ...writeLines(shader, kernel.writes, { indices: names, results: ['result'] }),
    '}',
  ]
  const label = `${kernel.kind} ${showShape(kernel.domain)} of ${showShape(kernel.attrs.kernel)}`
  return [shader.finish({ label, size, groups: Math.ceil(total / size), body })]
}

const spatial = (shape: Dims): Dims => shape.slice(2)
const offsetOf = (shape: Dims, indices: readonly string[]): string =>
  affineText({ offset: 0, strides: stridesOf(shape) }, indices)

class Windows {
  readonly #shader: Shader
  readonly #kernel: PoolKernel
  readonly #sizes: { readonly input: Dims; readonly output: Dims; readonly kernel: Dims }

  constructor(shader: Shader, kernel: PoolKernel) {
    this.#shader = shader
    this.#kernel = kernel
    const pooled = kernel.kind === 'maxPoolGrad' ? kernel.other.shape : kernel.domain
    this.#sizes = { input: spatial(kernel.x.shape), output: spatial(pooled), kernel: kernel.attrs.kernel }
  }

  /** `result`: the maximum of the window at these indices, or the picked element of the other operand. */
  maximum(names: readonly string[]): string[] {
    const kernel = this.#kernel
    const [image = '0', channel = '0', ...out] = names
    const shader = this.#shader
    const find = this.#find(image, channel, out)
    const value = kernel.kind === 'maxPool' ? 'best' : shader.load(shader.memory(kernel.other.buffer), 'best_at')
    return [...find, `let result = ${value};`]
  }

  /** `result`: the sum of what comes to the element at these indices from the windows in which it is the first maximum. */
  gradient({ x, other, attrs, dtype }: PairPool, names: readonly string[]): string[] {
    const shader = this.#shader
    const [image = '0', channel = '0', ...place] = names
    const around = coveringWindows(attrs, this.#sizes, place, 'candidate', shader)
    const given = shader.load(shader.memory(other.buffer), offsetOf(other.shape, [image, channel, ...around.names]))
    return [
      `var result = ${literalText(stored(dtype), 0)};`,
      `let own = ${offsetOf(x.shape, names)};`,
      `for (var candidate = 0; candidate < ${around.count}; candidate++) {`,
      ...around.lines,
      `if (${allOf(around.tests)}) {`,
      ...this.#find(image, channel, around.names),
      `if (best_at == own) { result += ${given}; }`,
      '}',
      '}',
    ]
  }

  /** `best` and `best_at`: the first maximum of a window and its place in x; the first NaN wins. */
  #find(image: string, channel: string, out: readonly string[]): string[] {
    const { x, attrs, dtype } = this.#kernel
    const shader = this.#shader
    const inner = indicesOf(shader, 'offset', attrs.kernel)
    const places = inputPlaces(attrs, this.#sizes, out, inner.names, shader.name('p'))
    const memory = shader.memory(x.buffer)
    if (dtype === 'float32') shader.use('is_nan')
    const better = dtype === 'float32' ? '(!is_nan(best) && (is_nan(value) || value > best))' : 'value > best'
    return [
      `var best: ${storageOf(dtype).type};`,
      'var best_at = -1;',
      `for (var offset = 0; offset < ${sizeOf(attrs.kernel)}; offset++) {`,
      ...inner.lines,
      ...places.lines,
      `if (${allOf(places.tests)}) {`,
      `let at = ${offsetOf(x.shape, [image, channel, ...places.names])};`,
      `let value = ${shader.load(memory, 'at')};`,
      `if (best_at < 0 || ${better}) { best = value; best_at = at; }`,
      '}',
      '}',
    ]
  }
}
