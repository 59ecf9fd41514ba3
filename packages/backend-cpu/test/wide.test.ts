import { build, type Node, parameter, type UnaryFn } from '@tessella/ir'
import { describe, expect, it } from 'vitest'
import { cpu } from '../src/index.ts'
import { nativeUnary } from '../src/wasm/functions.ts'

/**
 * Code is first run as the baseline compiler makes it, which never merges vectors, then until the optimising compiler
 * has taken over: the bits must stay the same. Where the flag does not exist the suite compares the same code twice.
 */
const backend = cpu({ wide: true })
const n = 1037

function check(inputs: readonly (readonly number[])[], make: (...x: Node[]) => Node[]): void {
  const parameters = inputs.map((shape) => parameter(shape, 'float32'))
  const program = backend.prepare({ inputs: parameters as never, outputs: make(...parameters) })
  const data = inputs.map((shape, k) => {
    const length = shape.reduce((a, b) => a * b, 1)
    return Float32Array.from({ length }, (_, i) => (((i + 3 * k) * 7919) % 997) / 300 + 0.01)
  })
  const buffers = data.map((d) => backend.upload(d, 'float32'))
  const run = () => {
    const outputs = program.run(
      buffers,
      buffers.map(() => false),
    )
    const values = outputs.map((b) => backend.read(b, 'float32'))
    for (const b of outputs) backend.release(b)
    return values
  }
  const bits = async (values: readonly Promise<Float32Array<ArrayBuffer>>[]) =>
    (await Promise.all(values)).map((v) => Buffer.from(v.buffer).toString('base64'))
  const first = run()
  const start = performance.now()
  let last = first
  while (performance.now() - start < 15) last = run()
  for (const b of buffers) backend.release(b)
  program.dispose()
  checks.push(Promise.all([bits(first), bits(last)]).then(([a, b]) => expect(b).toEqual(a)))
}
const checks: Promise<void>[] = []
const done = () => Promise.all(checks.splice(0))

const u = (fn: UnaryFn, x: Node) => build.unary(fn, x)

/** The derivative of GELU: two long functions whose constants are partly the same. */
const slope = (x: Node): Node => {
  const t = build.scale(x, Math.SQRT1_2)
  const density = build.scale(u('exp', build.neg(build.mul(t, t))), 0.39894228)
  return build.add(build.mul(x, density), build.scale(build.shift(u('erf', t), 1), 0.5))
}

describe('merged vectors', () => {
  it('functions', async () => {
    const floats = [...nativeUnary].filter((fn) => fn !== 'not' && !fn.startsWith('is'))
    for (const fn of floats) check([[n]], (x) => [u(fn, x)])
    await done()
  }, 20000)

  it('chains, several outputs, updates of an optimizer', async () => {
    check([[n], [n]], (x, y) => [build.mul(u('tanh', x), u('exp', build.sub(y, x))), build.add(x, y)])
    check([[n]], (x) => [build.mul(build.scale(x, 0.5), build.shift(u('erf', build.scale(x, Math.SQRT1_2)), 1))])
    check([[n], [n]], (x, dy) => [build.mul(dy, slope(x))])
    check([[n], [n], [n], [n]], (p, g, m, v) => {
      const m2 = build.add(build.scale(m, 0.9), build.scale(g, 0.1))
      const v2 = build.add(build.scale(v, 0.999), build.scale(build.mul(g, g), 0.001))
      const step = build.binary('div', build.scale(m2, 1e-3), build.shift(u('sqrt', v2), 1e-8))
      return [build.sub(p, step), m2, v2]
    })
    let x: Node
    check([[n], [n]], (a, b) => {
      x = a
      for (let i = 0; i < 12; i++)
        x = build.add(build.mul(x, b), i % 3 === 0 ? u('exp', build.neg(x)) : build.shift(a, i))
      return [x]
    })
    await done()
  }, 20000)

  it('rows, columns and matrices', async () => {
    const softmax = (x: Node, axis: number) => {
      const e = u('exp', build.sub(x, build.broadcastTo(build.reduceKeep('max', x, [axis]), x.shape)))
      return build.binary('div', e, build.broadcastTo(build.reduceKeep('sum', e, [axis]), x.shape))
    }
    check([[33, 45]], (x) => [softmax(x, 1), softmax(x, 0)])
    check([[64, 10]], (x) => [softmax(x, 1)])
    check([[45, 67]], (x) => [build.reduce('sum', x, [0]), build.reduce('max', build.mul(x, x), [1])])
    check(
      [
        [37, 29],
        [29, 53],
        [37, 53],
      ],
      (a, b, h) => [build.mul(build.matmul(a, b), slope(h))],
    )
    check([[37, 29], [29, 53], [53]], (a, b, c) => [
      u('tanh', build.add(build.matmul(a, b), build.broadcastTo(c, [37, 53]))),
    ])
    await done()
  }, 20000)

  it('convolutions by Winograd and their gradients', async () => {
    const attrs = {
      stride: [1, 1],
      dilation: [1, 1],
      padding: [
        [1, 1],
        [1, 1],
      ],
      groups: 1,
    } as const
    const [x, w, y] = [
      [4, 32, 14, 11],
      [24, 32, 3, 3],
      [4, 24, 14, 11],
    ] as const
    check([x, w], (a, b) => [build.conv(a, b, attrs)])
    check([y, w], (a, b) => [build.convGradInput(a, b, attrs, [14, 11])])
    check([x, y], (a, b) => [build.convGradWeight(a, b, attrs, [3, 3])])
    await done()
  }, 20000)
})
