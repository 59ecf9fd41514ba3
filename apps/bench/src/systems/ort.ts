import { noise, seeds } from '../cases/data.ts'
import { convScale } from '../cases/oracle.ts'
import type { Work } from '../cases/work.ts'
import { type Operator, onnxModel } from './onnx.ts'
import { type OpenOptions, type Runner, type Session, Unsupported } from './system.ts'

/** One operator and the data of its inputs. */
interface Model extends Operator {
  readonly data: Readonly<Record<string, Float32Array>>
}

type Shapes = Record<string, readonly number[]>

const model = (
  op: string,
  inputs: Shapes,
  output: readonly number[],
  data: Model['data'],
  rest: Partial<Operator> = {},
): Model => ({
  domain: '',
  attributes: {},
  ...rest,
  op,
  inputs,
  output,
  data,
})

function modelOf(work: Work): Model {
  switch (work.kind) {
    case 'matmul': {
      const { m, k, n } = work
      return model('MatMul', { a: [m, k], b: [k, n] }, [m, n], { a: noise(m * k, seeds.a), b: noise(k * n, seeds.b) })
    }
    case 'conv3x3': {
      if (work.mode === 'train') throw new Unsupported('inference only')
      const { batch, channels: c, size } = work
      const shape = [batch, c, size, size]
      const data = { a: noise(batch * c * size ** 2, seeds.a), b: noise(c * c * 9, seeds.b, convScale(c)) }
      return model('Conv', { a: shape, b: [c, c, 3, 3] }, shape, data, {
        attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1] },
      })
    }
    case 'elementwise': {
      const { fn, size } = work
      if (fn === 'adam') throw new Unsupported('inference only')
      const a = noise(size, seeds.a)
      if (fn === 'add') return model('Add', { a: [size], b: [size] }, [size], { a, b: noise(size, seeds.b) })
      if (fn === 'exp') return model('Exp', { a: [size] }, [size], { a })
      return model('Gelu', { a: [size] }, [size], { a }, { domain: 'com.microsoft' })
    }
    case 'rows': {
      const shape = [work.rows, work.columns]
      const a = noise(work.rows * work.columns, seeds.a)
      if (work.fn === 'softmax') return model('Softmax', { a: shape }, shape, { a })
      const data = { a, b: noise(work.columns, seeds.b), c: noise(work.columns, seeds.gradient) }
      return model('LayerNormalization', { a: shape, b: [work.columns], c: [work.columns] }, shape, data)
    }
    case 'train':
      throw new Unsupported('inference only')
    case 'overhead':
      throw new Unsupported('has no step that changes its state')
  }
}

type Ort = typeof import('onnxruntime-node')

/** Sessions of one thread: more than one keeps spinning while other systems are timed. */
const threads = 1

async function build(ort: Ort, work: Work): Promise<Runner> {
  const wanted = modelOf(work)
  const options = { intraOpNumThreads: threads, interOpNumThreads: 1 }
  const session = await ort.InferenceSession.create(onnxModel(wanted), options)
  const feeds = Object.fromEntries(
    Object.entries(wanted.data).map(([name, data]) => [
      name,
      new ort.Tensor('float32', data, wanted.inputs[name] ?? []),
    ]),
  )
  let last: ArrayLike<number> = []
  return {
    async run(times) {
      for (let i = 0; i < times; i++) last = (await session.run(feeds))['y']?.data as Float32Array
    },
    outputs: async () => ({ y: last }),
    dispose() {
      last = []
    },
  }
}

/** ONNX Runtime's Node binding: one operator in a model, inference only. */
export async function openOrt(_: OpenOptions): Promise<Session> {
  const found = await import('onnxruntime-node').catch((cause: unknown) => {
    throw new Unsupported('onnxruntime-node is not installed, or has no binary for this machine', { cause })
  })
  // A CommonJS package: what it exports may be under `default`.
  const ort = ('default' in found ? found.default : found) as Ort
  return { version: '1.14.0', threads, build: (work) => build(ort, work), close: () => undefined }
}
