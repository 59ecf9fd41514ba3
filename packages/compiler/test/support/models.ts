import { vjpNodes } from '@tessella/autograd'
import { build, type ConvAttrs, type Dims, type Graph, type Node, type NodeOf, parameter } from '@tessella/ir'

/* Training steps written by hand in nodes, as the layers, losses and optimizers trace them. */

const {
  add,
  binary,
  broadcastTo,
  cast,
  constant,
  conv,
  div,
  full,
  gather,
  matmul,
  maxPool,
  mul,
  reduce,
  reduceKeep,
  reshape,
  scale,
  select,
  sub,
  transpose,
  unary,
} = build

export interface Step {
  readonly graph: Graph
  readonly inputs: readonly NodeOf<'parameter'>[]
}

const windows = (size: number) => ({
  stride: [size, size],
  padding: [
    [0, 0],
    [0, 0],
  ] as const,
  dilation: [1, 1],
})
const plain: ConvAttrs = { ...windows(1), groups: 1 }

export const relu = (x: Node): Node => select(binary('le', x, full(x.shape, 0, x.dtype)), full(x.shape, 0, x.dtype), x)

/** PyTorch's layout: weight [out, in]. */
const linear = (x: Node, w: Node, b: Node): Node => add(matmul(x, transpose(w)), b)
const conv2d = (x: Node, w: Node, b: Node): Node => add(conv(x, w, plain), reshape(b, [1, b.shape[0] as number, 1, 1]))
const pool2 = (x: Node): Node => maxPool(x, { ...windows(2), kernel: [2, 2] })

export function logSoftmax(x: Node): Node {
  const shifted = sub(x, build.stopGradient(reduceKeep('max', x, [1])))
  return sub(shifted, unary('log', reduceKeep('sum', unary('exp', shifted), [1])))
}

/** Mean cross-entropy of logits [N, C] and int32 labels [N]. */
export function crossEntropy(logits: Node, labels: Node): Node {
  const n = labels.shape[0] as number
  const picked = gather(logSoftmax(logits), reshape(labels, [n, 1]), 1)
  return scale(reduce('sum', picked, [0, 1]), -1 / n)
}

type Update = (p: Node, g: Node) => { value: Node; state: readonly (readonly [Node, Node])[] }

const sgd =
  (lr: Node): Update =>
  (p, g) => ({ value: sub(p, mul(g, lr)), state: [] })

/** Adam with its step count in the graph. */
function adam(lr: number, t: Node): Update {
  return (p, g) => {
    const m = parameter(p.shape, 'float32')
    const v = parameter(p.shape, 'float32')
    const m1 = add(scale(m, 0.9), scale(g, 0.1))
    const v1 = add(scale(v, 0.999), scale(mul(g, g), 0.001))
    const one = constant(1)
    const mHat = div(m1, sub(one, binary('pow', constant(0.9), t)))
    const vHat = div(v1, sub(one, binary('pow', constant(0.999), t)))
    const value = sub(p, div(scale(mHat, lr), add(unary('sqrt', vHat), constant(1e-8))))
    return {
      value,
      state: [
        [m, m1],
        [v, v1],
      ],
    }
  }
}

function step(
  data: readonly Node[],
  loss: Node,
  parameters: readonly Node[],
  update: Update,
  more: readonly (readonly [Node, Node])[] = [],
): Step {
  const grads = vjpNodes([loss], [build.onesLike(loss)], parameters)
  const changed: [Node, Node][] = []
  for (const [i, p] of parameters.entries()) {
    const { value, state } = update(p, grads[i] as Node)
    changed.push([p, value])
    for (const [cell, next] of state) changed.push([cell, next])
  }
  for (const [cell, next] of more) changed.push([cell, next])
  const inputs = [...data, ...changed.map(([cell]) => cell)] as NodeOf<'parameter'>[]
  const outputs = [loss, ...changed.map(([, next]) => next)]
  const updates = changed.map((_, i) => ({ input: data.length + i, output: 1 + i }))
  return { graph: { inputs, outputs, updates }, inputs }
}

const weights = (...shapes: readonly Dims[]): Node[] => shapes.map((shape) => parameter(shape, 'float32'))

/** One hidden layer of 32, SGD with a learning rate that is an argument. */
export function mlp(): Step {
  const x = parameter([16, 20], 'float32')
  const y = parameter([16], 'int32')
  const lr = parameter([], 'float32')
  const [w1, b1, w2, b2] = weights([32, 20], [32], [10, 32], [10]) as [Node, Node, Node, Node]
  const loss = crossEntropy(linear(relu(linear(x, w1, b1)), w2, b2), y)
  return step([x, y, lr], loss, [w1, b1, w2, b2], sgd(lr))
}

function lenetLoss(batch: number): { data: Node[]; loss: Node; parameters: Node[] } {
  const images = parameter([batch, 1, 28, 28], 'uint8')
  const labels = parameter([batch], 'uint8')
  const parameters = weights([6, 1, 5, 5], [6], [16, 6, 5, 5], [16], [120, 256], [120], [84, 120], [84], [10, 84], [10])
  const [c1, d1, c2, d2, w1, b1, w2, b2, w3, b3] = parameters as [
    Node,
    Node,
    Node,
    Node,
    Node,
    Node,
    Node,
    Node,
    Node,
    Node,
  ]
  const x = scale(cast(images, 'float32'), 1 / 255)
  const h1 = pool2(relu(conv2d(x, c1, d1)))
  const h2 = reshape(pool2(relu(conv2d(h1, c2, d2))), [batch, 256])
  const logits = linear(relu(linear(relu(linear(h2, w1, b1)), w2, b2)), w3, b3)
  return { data: [images, labels], loss: crossEntropy(logits, cast(labels, 'int32')), parameters }
}

/** LeNet-5 on uint8 images, as the lectures train it. */
export function lenetSgd(batch = 64): Step {
  const { data, loss, parameters } = lenetLoss(batch)
  return step(data, loss, parameters, sgd(constant(0.01)))
}

export function lenetAdam(batch = 64): Step {
  const { data, loss, parameters } = lenetLoss(batch)
  const t = parameter([], 'float32')
  const next = add(t, constant(1))
  return step(data, loss, parameters, adam(1e-3, next), [[t, next]])
}

/** Adam alone, on gradients that come from outside. */
export function adamAlone(): Graph {
  const t = parameter([], 'float32')
  const next = add(t, constant(1))
  const p = parameter([300], 'float32')
  const g = parameter([300], 'float32')
  const { value, state } = adam(1e-3, next)(p, g)
  const changed = [[t, next], [p, value], ...state] as const
  const inputs = [g, ...changed.map(([cell]) => cell)] as NodeOf<'parameter'>[]
  return { inputs, outputs: changed.map(([, v]) => v), updates: changed.map((_, i) => ({ input: i + 1, output: i })) }
}

/** Normalization over batch and space with statistics in two passes, and its gradients. */
export function batchNorm(): Step {
  const x = parameter([8, 4, 5, 5], 'float32')
  const dy = parameter([8, 4, 5, 5], 'float32')
  const [w, b] = weights([4], [4]) as [Node, Node]
  const axes = [0, 2, 3]
  const n = 8 * 25
  const mean = scale(reduceKeep('sum', x, axes), 1 / n)
  const centred = sub(x, mean)
  const variance = scale(reduceKeep('sum', mul(centred, centred), axes), 1 / n)
  const scaled = mul(centred, unary('rsqrt', add(variance, constant(1e-5))))
  const channel = (v: Node) => broadcastTo(reshape(v, [1, 4, 1, 1]), x.shape)
  const y = add(mul(scaled, channel(w)), channel(b))
  const grads = vjpNodes([y], [dy], [x, w, b])
  const outputs = [y, ...grads]
  return {
    graph: { inputs: [x, dy, w, b] as NodeOf<'parameter'>[], outputs },
    inputs: [x, dy, w, b] as NodeOf<'parameter'>[],
  }
}

/** One attention head over a batch, with the gradients of its projections. */
export function attention(): Graph {
  const [b, t, d, heads] = [2, 6, 8, 2]
  const x = parameter([b, t, d], 'float32')
  const dy = parameter([b, t, d], 'float32')
  const [wq, wk, wv, wo] = weights([d, d], [d, d], [d, d], [d, d]) as [Node, Node, Node, Node]
  const project = (w: Node) => {
    const y = matmul(x, broadcastTo(transpose(w), [b, d, d]))
    return build.permute(reshape(y, [b, t, heads, d / heads]), [0, 2, 1, 3])
  }
  const scores = scale(matmul(project(wq), transpose(project(wk))), 1 / Math.sqrt(d / heads))
  const e = unary('exp', sub(scores, build.stopGradient(reduceKeep('max', scores, [3]))))
  const p = div(e, reduceKeep('sum', e, [3]))
  const mixed = reshape(build.permute(matmul(p, project(wv)), [0, 2, 1, 3]), [b, t, d])
  const y = add(x, matmul(mixed, broadcastTo(transpose(wo), [b, d, d])))
  const grads = vjpNodes([y], [dy], [x, wq, wk, wv, wo])
  return { inputs: [x, dy, wq, wk, wv, wo] as NodeOf<'parameter'>[], outputs: [y, ...grads] }
}
