import { build, type OpName } from '@tessella/ir'
import { describe, it } from 'vitest'
import { checkGradient, gradientOf } from './support/checkGradient.ts'
import { opCases } from './support/opCases.ts'

const rows = (Object.keys(opCases) as OpName[]).flatMap((op) => opCases[op].map((c) => ({ op, ...c })))

describe('gradients of every operation', () => {
  it.each(rows)('$op: $name', async ({ f, inputs }) => {
    await checkGradient(f, inputs)
  })

  it.each(rows)('$op: $name, second order', async ({ f, inputs }) => {
    await checkGradient(gradientOf(f), inputs)
  })
})

const softmax = (x: Parameters<typeof build.neg>[0]) => {
  const shifted = build.sub(x, build.reduceKeep('max', x, [1]))
  const e = build.unary('exp', shifted)
  return build.div(e, build.reduceKeep('sum', e, [1]))
}

describe('compositions', () => {
  const compositions = [
    { name: 'softmax', inputs: [{ shape: [2, 4] }], f: softmax },
    {
      name: 'attention',
      inputs: [{ shape: [3, 2] }, { shape: [3, 2] }, { shape: [3, 2] }],
      f: (q, k, v) => build.matmul(softmax(build.matmul(q, build.transpose(k))), v),
    },
    {
      name: 'conv, tanh, pool, linear',
      inputs: [{ shape: [2, 1, 4, 4] }, { shape: [2, 1, 3, 3] }, { shape: [3, 2] }],
      f: (x, w, v) => {
        const window = {
          stride: [1, 1],
          padding: [
            [0, 0],
            [0, 0],
          ] as const,
          dilation: [1, 1],
        }
        const h = build.unary('tanh', build.conv(x, w, { ...window, groups: 1 }))
        const p = build.maxPool(h, { ...window, kernel: [2, 2] })
        return build.matmul(v, build.transpose(build.reshape(p, [2, 2])))
      },
    },
  ] satisfies { name: string; inputs: { shape: number[] }[]; f: Parameters<typeof checkGradient>[0] }[]

  it.each(compositions)('$name to the third order', async ({ f, inputs }) => {
    await checkGradient(f, inputs)
    await checkGradient(gradientOf(f), inputs)
    await checkGradient(gradientOf(gradientOf(f)), inputs, { tolerance: 1e-5 })
  })
})
