import { grad } from '@tessella/autograd'
import type { Backend } from '@tessella/ir'
import {
  compile,
  conv2d,
  disposeBackend,
  gelu,
  memory,
  scalar,
  softmax,
  synchronize,
  type Tensor,
  tensor,
  useBackend,
  Variable,
} from '@tessella/tensor'
import { adamCase, adamInputs, noise, seeds } from '../cases/data.ts'
import { convScale } from '../cases/oracle.ts'
import type { ElementwiseFn, Work } from '../cases/work.ts'
import type { Runner, Session } from './system.ts'
import { trainer } from './tessellaTrain.ts'

const input = (data: Float32Array, ...shape: number[]): Tensor => tensor(data, shape) as Tensor

/** Runs a compiled function whose results nobody keeps. */
function repeated(step: () => readonly Tensor[], names: readonly string[]): Runner {
  let last: readonly Tensor[] = []
  const drop = (): void => {
    for (const t of last) t.dispose()
    last = []
  }
  return {
    async run(times) {
      for (let i = 0; i < times; i++) {
        drop()
        last = step()
      }
      await synchronize()
    },
    async outputs() {
      const entries = await Promise.all(last.map(async (t, i) => [names[i] ?? '', await t.data()] as const))
      return Object.fromEntries(entries)
    },
    dispose: drop,
  }
}

/** Compiles `f` for fixed inputs. */
function compiled(f: (...inputs: Tensor[]) => Tensor[], inputs: readonly Tensor[], names: readonly string[]): Runner {
  const step = compile((...args: Tensor[]) => f(...args)) as unknown as (...args: readonly Tensor[]) => Tensor[]
  return repeated(() => step(...inputs), names)
}

function conv(work: Extract<Work, { kind: 'conv3x3' }>): Runner {
  const { batch, channels, size } = work
  const x = input(noise(batch * channels * size * size, seeds.a), batch, channels, size, size)
  const w = input(noise(channels * channels * 9, seeds.b, convScale(channels)), channels, channels, 3, 3)
  const forward = (a: Tensor, b: Tensor): Tensor => conv2d(a, b, { padding: 1 }) as Tensor
  if (work.mode === 'fwd') return compiled((a, b) => [forward(a as Tensor, b as Tensor)], [x, w], ['y'])
  const gradients = grad((a: Tensor, b: Tensor) => forward(a, b).square().sum().div(2) as Tensor<[], 'float32'>, [0, 1])
  return compiled((a, b) => [...(gradients(a as Tensor, b as Tensor) as readonly Tensor[])], [x, w], ['dx', 'dw'])
}

/** The optimizer's update with its state in Variables, as in training. */
function adam(size: number): Runner {
  const start = adamInputs(size)
  const [p, m, v] = [start.parameter, start.first, start.second].map((data) => new Variable(input(data, size)))
  const { rate, beta1, beta2, eps, step: count } = adamCase
  const step = compile((g: Tensor) => {
    if (!p || !m || !v) return
    const first = m.value.mul(beta1).add(g.mul(1 - beta1) as Tensor) as Tensor
    const second = v.value.mul(beta2).add(g.square().mul(1 - beta2) as Tensor) as Tensor
    const root = second
      .div(1 - beta2 ** count)
      .sqrt()
      .add(eps) as Tensor
    m.assign(first)
    v.assign(second)
    p.assign(p.value.sub(first.mul(rate / (1 - beta1 ** count)).div(root) as Tensor) as Tensor)
  })
  const g = input(start.gradient, size)
  return {
    async run(times) {
      for (let i = 0; i < times; i++) step(g)
      await synchronize()
    },
    outputs: async () => ({ y: (await p?.value.data()) ?? [] }),
    dispose() {},
  }
}

function elementwise(fn: ElementwiseFn, size: number): Runner {
  if (fn === 'adam') return adam(size)
  const a = input(noise(size, seeds.a), size)
  if (fn === 'add')
    return compiled((x, y) => [(x as Tensor).add(y as Tensor) as Tensor], [a, input(noise(size, seeds.b), size)], ['y'])
  return compiled((x) => [fn === 'exp' ? ((x as Tensor).exp() as Tensor) : (gelu(x as Tensor) as Tensor)], [a], ['y'])
}

function rows(fn: 'softmax' | 'layernorm', count: number, columns: number): Runner {
  const x = input(noise(count * columns, seeds.a), count, columns)
  if (fn === 'softmax') return compiled((a) => [softmax(a as Tensor, -1) as Tensor], [x], ['y'])
  const normalise = (a: Tensor, w: Tensor, b: Tensor): Tensor => {
    const centred = a.sub(a.mean(-1, { keepdim: true }) as Tensor) as Tensor
    const variance = centred.square().mean(-1, { keepdim: true }) as Tensor
    return centred
      .mul(variance.add(1e-5).rsqrt() as Tensor)
      .mul(w)
      .add(b) as Tensor
  }
  const inputs = [x, input(noise(columns, seeds.b), columns), input(noise(columns, seeds.gradient), columns)]
  return compiled((a, w, b) => [normalise(a as Tensor, w as Tensor, b as Tensor)], inputs, ['y'])
}

/** A compiled step that does next to nothing: what is left is the price of a call. */
function overhead(): Runner {
  const count = new Variable(scalar(0))
  const step = compile(() => count.assign(count.value.add(1) as Tensor<[], 'float32'>))
  return {
    async run(times) {
      for (let i = 0; i < times; i++) step()
      await synchronize()
    },
    outputs: async () => ({ y: await count.value.data() }),
    dispose() {},
  }
}

function build(work: Work): Runner | Promise<Runner> {
  switch (work.kind) {
    case 'matmul': {
      const { m, k, n } = work
      const inputs = [input(noise(m * k, seeds.a), m, k), input(noise(k * n, seeds.b), k, n)]
      return compiled((a, b) => [(a as Tensor).matmul(b as Tensor) as Tensor], inputs, ['y'])
    }
    case 'conv3x3':
      return conv(work)
    case 'elementwise':
      return elementwise(work.fn, work.size)
    case 'rows':
      return rows(work.fn, work.rows, work.columns)
    case 'train':
      return trainer(work)
    case 'overhead':
      return overhead()
  }
}

/** Any backend of ours, through the public API. `refuse` may throw for work that a backend should not try. */
export async function openTessella(
  backend: Backend | Promise<Backend>,
  facts: { readonly version: string; readonly threads: number },
  refuse: (work: Work) => void = () => undefined,
): Promise<Session> {
  await useBackend(backend)
  return {
    ...facts,
    async build(work) {
      refuse(work)
      const runner = await build(work)
      return { ...runner, bytes: () => memory().bytes }
    },
    close: disposeBackend,
  }
}
