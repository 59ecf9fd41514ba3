import * as tf from '@tensorflow/tfjs-core'
import { trainingBatch } from '../cases/batch.ts'
import { adamCase, adamInputs, noise, parameterStart, seeds } from '../cases/data.ts'
import { convScale } from '../cases/oracle.ts'
import { rates, type Work } from '../cases/work.ts'
import { type OpenOptions, type Runner, type Session, Unsupported } from './system.ts'

/** Runs a function whose results are dropped before the next run; `keep` frees the inputs at the end. */
function repeated(f: () => Record<string, tf.Tensor>, keep: readonly { dispose(): void }[]): Runner {
  let last: Record<string, tf.Tensor> = {}
  const drop = (): void => {
    tf.dispose(last)
    last = {}
  }
  return {
    async run(times) {
      for (let i = 0; i < times; i++) {
        drop()
        last = tf.tidy(f)
      }
    },
    async outputs() {
      const entries = await Promise.all(Object.entries(last).map(async ([n, t]) => [n, await t.data()] as const))
      return Object.fromEntries(entries)
    },
    bytes: () => tf.memory().numBytes,
    dispose() {
      drop()
      for (const t of keep) t.dispose()
    },
  }
}

/** The library's layout: images last in channels. The answers are turned back, outside of the timing. */
function conv(work: Extract<Work, { kind: 'conv3x3' }>): Runner {
  const { batch, channels: c, size } = work
  const nchw = tf.tensor4d(noise(batch * c * size * size, seeds.a), [batch, c, size, size])
  const oihw = tf.tensor4d(noise(c * c * 9, seeds.b, convScale(c)), [c, c, 3, 3])
  const x = tf.tidy(() => tf.transpose(nchw, [0, 2, 3, 1])) as tf.Tensor4D
  const w = tf.tidy(() => tf.transpose(oihw, [2, 3, 1, 0])) as tf.Tensor4D
  tf.dispose([nchw, oihw])
  const forward = (a: tf.Tensor, b: tf.Tensor): tf.Tensor => tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, 1, 'same')
  const loss = (a: tf.Tensor, b: tf.Tensor): tf.Scalar => tf.div(tf.sum(tf.square(forward(a, b))), 2) as tf.Scalar
  const gradients = tf.grads((a: tf.Tensor, b: tf.Tensor) => loss(a, b))
  const runner = repeated(() => {
    if (work.mode === 'fwd') return { y: forward(x, w) }
    const [dx, dw] = gradients([x, w])
    return { dx: dx as tf.Tensor, dw: dw as tf.Tensor }
  }, [x, w])
  const outputs = async () => {
    const raw = await runner.outputs()
    const back = (name: string, from: number[], order: number[]) =>
      tf.tidy(() => tf.transpose(tf.tensor(raw[name] as Float32Array, from), order).dataSync())
    if (work.mode === 'fwd') return { y: back('y', [batch, size, size, c], [0, 3, 1, 2]) }
    return { dx: back('dx', [batch, size, size, c], [0, 3, 1, 2]), dw: back('dw', [3, 3, c, c], [3, 2, 0, 1]) }
  }
  return { ...runner, outputs }
}

function adam(size: number): Runner {
  const start = adamInputs(size)
  const p = tf.variable(tf.tensor1d(start.parameter))
  const m = tf.variable(tf.tensor1d(start.first))
  const v = tf.variable(tf.tensor1d(start.second))
  const g = tf.tensor1d(start.gradient)
  const { rate, beta1, beta2, eps, step } = adamCase
  const runner = repeated(() => {
    m.assign(tf.add(tf.mul(m, beta1), tf.mul(g, 1 - beta1)))
    v.assign(tf.add(tf.mul(v, beta2), tf.mul(tf.square(g), 1 - beta2)))
    const root = tf.add(tf.sqrt(tf.div(v, 1 - beta2 ** step)), eps)
    p.assign(tf.sub(p, tf.div(tf.mul(m, rate / (1 - beta1 ** step)), root)))
    return {}
  }, [p, m, v, g])
  return { ...runner, outputs: async () => ({ y: await p.data() }) }
}

/** gelu by the error function, which is how PyTorch means it. */
const gelu = (x: tf.Tensor): tf.Tensor => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1))

function elementwise(work: Extract<Work, { kind: 'elementwise' }>): Runner {
  if (work.fn === 'adam') return adam(work.size)
  const a = tf.tensor1d(noise(work.size, seeds.a))
  if (work.fn === 'exp') return repeated(() => ({ y: tf.exp(a) }), [a])
  if (work.fn === 'gelu') return repeated(() => ({ y: gelu(a) }), [a])
  const b = tf.tensor1d(noise(work.size, seeds.b))
  return repeated(() => ({ y: tf.add(a, b) }), [a, b])
}

function rows(work: Extract<Work, { kind: 'rows' }>): Runner {
  const { columns } = work
  const x = tf.tensor2d(noise(work.rows * columns, seeds.a), [work.rows, columns])
  if (work.fn === 'softmax') return repeated(() => ({ y: tf.softmax(x) }), [x])
  const [w, b] = [tf.tensor1d(noise(columns, seeds.b)), tf.tensor1d(noise(columns, seeds.gradient))]
  const normalise = (): tf.Tensor => {
    const { mean, variance } = tf.moments(x, -1, true)
    return tf.add(tf.mul(tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-5))), w), b)
  }
  return repeated(() => ({ y: normalise() }), [x, w, b])
}

const shapes = {
  mlp: [[120, 784], [120], [84, 120], [84], [10, 84], [10]],
  lenet: [[6, 1, 5, 5], [6], [16, 6, 5, 5], [16], [120, 256], [120], [84, 120], [84], [10, 84], [10]],
} as const

function train(work: Extract<Work, { kind: 'train' }>): Runner {
  const { model } = work
  if (model !== 'mlp' && model !== 'lenet') throw new Unsupported('this network was not written for tfjs')
  const convs = model === 'lenet' ? 4 : 0
  const parameters = shapes[model].map((shape, i) => {
    const raw = tf.tensor(parameterStart(shape.length > 1 ? 'weight' : 'bias', shape, i), [...shape])
    // Convolutions are [height, width, in, out] here, products [in, out].
    const order = shape.length === 4 ? [2, 3, 1, 0] : shape.length === 2 ? [1, 0] : [0]
    return tf.variable(tf.transpose(raw, order))
  })
  const at = (i: number): tf.Tensor => parameters[i] as tf.Tensor
  const batch = trainingBatch(model, work.batch)
  const images = tf.tensor4d(batch.x as Float32Array, [work.batch, 28, 28, 1])
  const labels = tf.oneHot(tf.tensor1d(batch.y, 'int32'), 10)
  const stage = (x: tf.Tensor, i: number): tf.Tensor => {
    const y = tf.relu(tf.add(tf.conv2d(x as tf.Tensor4D, at(i) as tf.Tensor4D, 1, 'valid'), at(i + 1)))
    return tf.maxPool(y as tf.Tensor4D, 2, 2, 'valid')
  }
  const loss = (): tf.Scalar => {
    let h: tf.Tensor = images
    for (let i = 0; i < convs; i += 2) h = stage(h, i)
    // Channels first before it is flattened, as the weights of the first product expect.
    h = tf.reshape(convs ? tf.transpose(h, [0, 3, 1, 2]) : h, [work.batch, -1])
    for (let i = convs; i < parameters.length; i += 2) {
      h = tf.add(tf.matMul(h as tf.Tensor2D, at(i) as tf.Tensor2D), at(i + 1))
      if (i + 2 < parameters.length) h = tf.relu(h)
    }
    return tf.losses.softmaxCrossEntropy(labels, h)
  }
  const optimizer = work.optimizer === 'sgd' ? tf.train.sgd(rates.sgd) : tf.train.adam(rates.adam, 0.9, 0.999, 1e-8)
  const losses: number[] = []
  return {
    async run(times) {
      for (let i = 0; i < times; i++) {
        const value = optimizer.minimize(loss, true, parameters)
        const number = (await value?.data())?.[0] ?? Number.NaN
        value?.dispose()
        if (losses.length < 8) losses.push(number)
      }
    },
    outputs: async () => ({ loss: losses }),
    bytes: () => tf.memory().numBytes,
    dispose: () => tf.disposeVariables(),
  }
}

function build(work: Work): Runner {
  switch (work.kind) {
    case 'matmul': {
      const { m, k, n } = work
      const [a, b] = [tf.tensor2d(noise(m * k, seeds.a), [m, k]), tf.tensor2d(noise(k * n, seeds.b), [k, n])]
      return repeated(() => ({ y: tf.matMul(a, b) }), [a, b])
    }
    case 'conv3x3':
      return conv(work)
    case 'elementwise':
      return elementwise(work)
    case 'rows':
      return rows(work)
    case 'train':
      return train(work)
    case 'overhead': {
      const count = tf.variable(tf.scalar(0))
      const runner = repeated(() => {
        count.assign(tf.add(count, 1))
        return {}
      }, [count])
      return { ...runner, outputs: async () => ({ y: await count.data() }) }
    }
  }
}

/** TensorFlow.js on one of its CPU backends, eager as it is. */
export async function openTfjs(backend: 'cpu' | 'wasm', _: OpenOptions): Promise<Session> {
  if (backend === 'cpu') await import('@tensorflow/tfjs-backend-cpu')
  else await openWasm()
  await registerGradients()
  await tf.setBackend(backend)
  await tf.ready()
  return { version: tf.version_core, threads: 1, build: async (work) => build(work), close: () => undefined }
}

/**
 * The main entry has no gradients. Their file is an ES module whose imports lack extensions, as bundlers allow; for Node
 * a hook adds them.
 */
async function registerGradients(): Promise<void> {
  if (inNode()) {
    const { registerHooks } = await import('node:module')
    registerHooks({
      resolve(specifier, context, next) {
        const lacks = specifier.startsWith('.') && !specifier.endsWith('.js')
        return next(lacks && context.parentURL?.includes('/tfjs-core/dist/') ? `${specifier}.js` : specifier, context)
      },
    })
  }
  await import('@tensorflow/tfjs-core/dist/register_all_gradients.js')
}

const inNode = (): boolean => globalThis.process?.versions?.node !== undefined

/** Its kernels lie beside its code; a page finds them where the server puts them. */
async function openWasm(): Promise<void> {
  const wasm = await import('@tensorflow/tfjs-backend-wasm')
  const place = inNode()
    ? new URL('.', import.meta.resolve('@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm')).pathname
    : '/tfjs/'
  wasm.setWasmPaths(place)
  // Its threads start workers from a script that a bundle does not have: in an isolated page they never answer.
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false)
}
