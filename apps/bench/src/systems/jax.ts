import { blockUntilReady, defaultDevice, grad, init, jit, lax, nn, numpy as np, valueAndGrad } from '@jax-js/jax'
import { trainingBatch } from '../cases/batch.ts'
import { adamCase, adamInputs, noise, parameterStart, seeds } from '../cases/data.ts'
import { convScale } from '../cases/oracle.ts'
import { rates, type Work } from '../cases/work.ts'
import { type OpenOptions, type Runner, type Session, Unsupported } from './system.ts'

type Arrays = np.Array[]
const array = (data: Float32Array, ...shape: number[]): np.Array =>
  np.array(data as Float32Array<ArrayBuffer>).reshape(shape)

/** Runs a compiled function; every argument is a reference that the call consumes. */
function repeated(f: (...inputs: Arrays) => Arrays, inputs: Arrays, names: readonly string[]): Runner {
  const step = jit(f as (...inputs: Arrays) => Arrays)
  let last: Arrays = []
  const drop = (): void => {
    for (const a of last) a.dispose()
    last = []
  }
  return {
    async run(times) {
      for (let i = 0; i < times; i++) {
        drop()
        last = step(...inputs.map((a) => a.ref))
        await blockUntilReady(last)
      }
    },
    async outputs() {
      const entries = await Promise.all(last.map(async (a, i) => [names[i] ?? '', await a.ref.data()] as const))
      return Object.fromEntries(entries)
    },
    dispose() {
      drop()
      for (const a of inputs) a.dispose()
    },
  }
}

/** A step over arrays that replace each other, as its users write it. */
function stateful(
  step: (state: Arrays) => Arrays,
  start: Arrays,
  outputs: (state: Arrays) => Promise<Record<string, ArrayLike<number>>>,
): Runner {
  let state = start
  return {
    async run(times) {
      for (let i = 0; i < times; i++) {
        state = step(state)
        await blockUntilReady(state)
      }
    },
    outputs: () => outputs(state),
    dispose() {
      for (const a of state) a.dispose()
    },
  }
}

const pads: [number, number][] = [
  [1, 1],
  [1, 1],
]

function conv(work: Extract<Work, { kind: 'conv3x3' }>): Runner {
  const { batch, channels: c, size } = work
  const x = array(noise(batch * c * size * size, seeds.a), batch, c, size, size)
  const w = array(noise(c * c * 9, seeds.b, convScale(c)), c, c, 3, 3)
  const forward = (a: np.Array, b: np.Array): np.Array => lax.convGeneralDilated(a, b, [1, 1], pads)
  if (work.mode === 'fwd') return repeated((a, b) => [forward(a as np.Array, b as np.Array)], [x, w], ['y'])
  const gradients = grad((a: np.Array, b: np.Array) => np.square(forward(a, b)).sum().mul(0.5), { argnums: [0, 1] })
  return repeated((a, b) => gradients(a as np.Array, b as np.Array) as unknown as Arrays, [x, w], ['dx', 'dw'])
}

/** The new parameter and moments. Consumes its arguments. */
function adamStep(
  p: np.Array,
  g: np.Array,
  m: np.Array,
  v: np.Array,
  rate: number,
  correct1: np.Array | number,
  correct2: np.Array | number,
): [np.Array, np.Array, np.Array] {
  const { beta1, beta2, eps } = adamCase
  const first = m.mul(beta1).add(g.ref.mul(1 - beta1))
  const second = v.mul(beta2).add(np.square(g).mul(1 - beta2))
  const root = np.sqrt(second.ref.div(correct2)).add(eps)
  return [p.sub(first.ref.div(correct1).mul(rate).div(root)), first, second]
}

function elementwise(work: Extract<Work, { kind: 'elementwise' }>): Runner {
  const { fn, size } = work
  if (fn === 'adam') {
    const start = adamInputs(size)
    const { rate, beta1, beta2, step: count } = adamCase
    const g = array(start.gradient, size)
    const step = jit((p: np.Array, m: np.Array, v: np.Array, d: np.Array) =>
      adamStep(p, d, m, v, rate, 1 - beta1 ** count, 1 - beta2 ** count),
    )
    return stateful(
      ([p, m, v]) => step(p as np.Array, m as np.Array, v as np.Array, g.ref) as Arrays,
      [array(start.parameter, size), array(start.first, size), array(start.second, size)],
      async ([p]) => ({ y: (await p?.ref.data()) ?? [] }),
    )
  }
  const a = array(noise(size, seeds.a), size)
  if (fn === 'add')
    return repeated((x, y) => [(x as np.Array).add(y as np.Array)], [a, array(noise(size, seeds.b), size)], ['y'])
  return repeated(
    (x) => [fn === 'exp' ? np.exp(x as np.Array) : nn.gelu(x as np.Array, { approximate: false })],
    [a],
    ['y'],
  )
}

function rows(work: Extract<Work, { kind: 'rows' }>): Runner {
  const { columns } = work
  const x = array(noise(work.rows * columns, seeds.a), work.rows, columns)
  if (work.fn === 'softmax') return repeated((a) => [nn.softmax(a as np.Array, -1)], [x], ['y'])
  const normalise = (a: np.Array, w: np.Array, b: np.Array): np.Array => {
    const centred = a.ref.sub(np.mean(a, -1, { keepdims: true }))
    const variance = np.mean(np.square(centred.ref), -1, { keepdims: true })
    return centred
      .div(np.sqrt(variance.add(1e-5)))
      .mul(w)
      .add(b)
  }
  const inputs = [x, array(noise(columns, seeds.b), columns), array(noise(columns, seeds.gradient), columns)]
  return repeated((a, w, b) => [normalise(a as np.Array, w as np.Array, b as np.Array)], inputs, ['y'])
}

const shapes = {
  mlp: [[120, 784], [120], [84, 120], [84], [10, 84], [10]],
  lenet: [[6, 1, 5, 5], [6], [16, 6, 5, 5], [16], [120, 256], [120], [84, 120], [84], [10, 84], [10]],
} as const

/** Scores of a network. Consumes its arguments. */
function forward(x: np.Array, parameters: Arrays, convs: number): np.Array {
  let h = x
  const at = (i: number): np.Array => parameters[i] as np.Array
  for (let i = 0; i < convs; i += 2) {
    h = nn.relu(lax.convGeneralDilated(h, at(i), [1, 1], 'VALID').add(at(i + 1).reshape([1, -1, 1, 1])))
    const [n = 0, c = 0, height = 0, width = 0] = h.shape
    // Even sizes: a 2x2 maximum is one over two new axes.
    h = np.max(np.max(h.reshape([n, c, height / 2, 2, width / 2, 2]), 5), 3)
  }
  h = h.reshape([h.shape[0] ?? 0, -1])
  for (let i = convs; i < parameters.length; i += 2) {
    h = np.matmul(h, at(i).transpose()).add(at(i + 1))
    if (i + 2 < parameters.length) h = nn.relu(h)
  }
  return h
}

function train(work: Extract<Work, { kind: 'train' }>): Runner {
  const { model } = work
  if (model !== 'mlp' && model !== 'lenet') throw new Unsupported('this network was not written for jax-js')
  const convs = model === 'lenet' ? 4 : 0
  const parameters = shapes[model].map((shape, i) =>
    array(parameterStart(shape.length > 1 ? 'weight' : 'bias', shape, i), ...shape),
  )
  const count = parameters.length
  const batch = trainingBatch(model, work.batch)
  const x = array(batch.x as Float32Array, work.batch, 1, 28, 28)
  const hot = new Float32Array(work.batch * 10)
  for (const [i, label] of batch.y.entries()) hot[i * 10 + label] = 1
  const y = array(hot, work.batch, 10)
  const loss = (ps: Arrays, images: np.Array, labels: np.Array): np.Array =>
    nn
      .logSoftmax(forward(images, ps, convs), -1)
      .mul(labels)
      .sum()
      .mul(-1 / work.batch)
  const withGradient = valueAndGrad(loss)
  // State: parameters, first moments, second moments, beta1^t, beta2^t; sgd has the parameters only.
  const step = jit((state: Arrays, images: np.Array, labels: np.Array): Arrays => {
    const ps = state.slice(0, count)
    const [value, gradients] = withGradient(
      ps.map((p) => p.ref),
      images,
      labels,
    ) as unknown as [np.Array, Arrays]
    if (work.optimizer === 'sgd') return [value, ...ps.map((p, i) => p.sub((gradients[i] as np.Array).mul(rates.sgd)))]
    const powers = state.slice(3 * count)
    const b1 = (powers[0] as np.Array).mul(adamCase.beta1)
    const b2 = (powers[1] as np.Array).mul(adamCase.beta2)
    const [c1, c2] = [b1.ref.mul(-1).add(1), b2.ref.mul(-1).add(1)]
    const updated = ps.map((p, i) =>
      adamStep(
        p,
        gradients[i] as np.Array,
        state[count + i] as np.Array,
        state[2 * count + i] as np.Array,
        rates.adam,
        c1.ref,
        c2.ref,
      ),
    )
    c1.dispose()
    c2.dispose()
    return [value, ...updated.map((u) => u[0]), ...updated.map((u) => u[1]), ...updated.map((u) => u[2]), b1, b2]
  })
  const zeros = () => parameters.map((p) => np.zeros(p.shape))
  let state: Arrays =
    work.optimizer === 'sgd' ? parameters : [...parameters, ...zeros(), ...zeros(), np.array(1), np.array(1)]
  const losses: number[] = []
  return {
    async run(times) {
      for (let i = 0; i < times; i++) {
        const [value, ...next] = step(state, x.ref, y.ref)
        state = next
        const number = (await value?.data())?.[0] ?? Number.NaN
        if (losses.length < 8) losses.push(Number(number))
      }
      await blockUntilReady(state)
    },
    outputs: async () => ({ loss: losses }),
    dispose() {
      for (const a of [...state, x, y]) a.dispose()
    },
  }
}

function build(work: Work): Runner {
  switch (work.kind) {
    case 'matmul': {
      const { m, k, n } = work
      const inputs = [array(noise(m * k, seeds.a), m, k), array(noise(k * n, seeds.b), k, n)]
      return repeated((a, b) => [np.matmul(a as np.Array, b as np.Array)], inputs, ['y'])
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
      const step = jit((x: np.Array) => x.add(1))
      return stateful(
        ([x]) => [step(x as np.Array)],
        [np.array(0)],
        async ([x]) => ({ y: (await x?.ref.data()) ?? [] }),
      )
    }
  }
}

/** jax-js on its WebAssembly device. */
export async function openJax(_: OpenOptions): Promise<Session> {
  const devices = await init('wasm')
  if (!devices.includes('wasm')) throw new Unsupported('jax-js has no wasm device here')
  defaultDevice('wasm')
  // It starts workers where a page has shared memory; Node has no global Worker.
  const workers = 'Worker' in globalThis && globalThis.crossOriginIsolated === true
  const threads = workers ? navigator.hardwareConcurrency : 1
  return { version: '0.1.25', threads, build: async (work) => build(work), close: () => undefined }
}
