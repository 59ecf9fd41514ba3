import {
  batchNorm2d,
  conv2d,
  embedding,
  flatten,
  globalAvgPool2d,
  layerNorm,
  linear,
  maxPool2d,
  relu,
  sequential,
} from '@tessella/layers'
import { crossEntropy } from '@tessella/losses'
import { arange, gelu, ones, softmax, type Tensor, tril, where } from '@tessella/tensor'
import { gpt, type ModelName } from '../cases/work.ts'

/** A network and its loss in training. */
export interface Network {
  /** Holds the Variables. */
  readonly model: object
  loss(x: Tensor, y: Tensor): Tensor
}

type Call = (x: Tensor, mode?: 'train' | 'eval') => Tensor

const classifier = (model: object): Network => ({
  model,
  loss: (x, y) => crossEntropy((model as Call)(x, 'train'), y) as Tensor,
})

const lenet = (): Network =>
  classifier(
    sequential(
      conv2d(1, 6, 5),
      relu(),
      maxPool2d(2),
      conv2d(6, 16, 5),
      relu(),
      maxPool2d(2),
      flatten(),
      linear(256, 120),
      relu(),
      linear(120, 84),
      relu(),
      linear(84, 10),
    ),
  )

const mlp = (): Network =>
  classifier(sequential(flatten(), linear(784, 120), relu(), linear(120, 84), relu(), linear(84, 10)))

/** Two 3x3 convolutions with batch normalisation around a shortcut, as in ResNet (He et al., 2016). */
function block(from: number, to: number, stride: number) {
  const plain = { bias: false, padding: 1 }
  return {
    conv1: conv2d(from, to, 3, { ...plain, stride }),
    bn1: batchNorm2d(to),
    conv2: conv2d(to, to, 3, plain),
    bn2: batchNorm2d(to),
    short: stride === 1 ? [] : [conv2d(from, to, 1, { bias: false, stride }), batchNorm2d(to)],
  }
}

function resnet8(): Network {
  const parts = {
    conv: conv2d(3, 16, 3, { bias: false, padding: 1 }),
    bn: batchNorm2d(16),
    blocks: [block(16, 16, 1), block(16, 32, 2), block(32, 64, 2)],
    fc: linear(64, 10),
  }
  const norm = (bn: object, x: Tensor): Tensor => (bn as Call)(x, 'train')
  const forward = (x: Tensor): Tensor => {
    let h = norm(parts.bn, (parts.conv as unknown as Call)(x)).relu() as Tensor
    for (const b of parts.blocks) {
      const inner = norm(b.bn1, (b.conv1 as unknown as Call)(h)).relu() as Tensor
      const outer = norm(b.bn2, (b.conv2 as unknown as Call)(inner))
      const short = b.short.length > 0 ? b.short.reduce((x, layer) => (layer as unknown as Call)(x, 'train'), h) : h
      h = outer.add(short).relu() as Tensor
    }
    return (parts.fc as unknown as Call)((globalAvgPool2d() as unknown as Call)(h).flatten(1) as Tensor)
  }
  return { model: parts, loss: (x, y) => crossEntropy(forward(x), y) as Tensor }
}

/** A decoder of four blocks, normalised before each part (Radford et al., 2019), composed of layers and products. */
function gptTiny(): Network {
  const { layers, width, heads, context, vocabulary } = gpt
  const parts = {
    tokens: embedding(vocabulary, width),
    places: embedding(context, width),
    blocks: Array.from({ length: layers }, () => ({
      ln1: layerNorm(width),
      qkv: linear(width, 3 * width),
      out: linear(width, width),
      ln2: layerNorm(width),
      up: linear(width, 4 * width),
      down: linear(4 * width, width),
    })),
    ln: layerNorm(width),
    head: linear(width, vocabulary),
  }
  const call = (layer: unknown, x: Tensor): Tensor => (layer as Call)(x)
  const attend = (b: (typeof parts.blocks)[number], x: Tensor, mask: Tensor): Tensor => {
    const qkv = call(b.qkv, x)
      .reshape([-1, context, 3, heads, width / heads])
      .permute([2, 0, 3, 1, 4]) as Tensor
    const [q, k, v] = [0, 1, 2].map((i) => qkv.at(0, i) as Tensor) as [Tensor, Tensor, Tensor]
    const scores = q.matmul(k.transpose(-2, -1) as Tensor).mul(1 / Math.sqrt(width / heads)) as Tensor
    const weights = softmax(where(mask, scores, -1e9) as Tensor, -1) as Tensor
    const mixed = weights.matmul(v).permute([0, 2, 1, 3]).reshape([-1, context, width]) as Tensor
    return call(b.out, mixed)
  }
  const forward = (x: Tensor): Tensor => {
    const mask = (tril(ones([context, context])) as Tensor).gt(0.5) as Tensor
    let h = call(parts.tokens, x).add(call(parts.places, arange(context) as Tensor)) as Tensor
    for (const b of parts.blocks) {
      h = h.add(attend(b, call(b.ln1, h), mask)) as Tensor
      h = h.add(call(b.down, gelu(call(b.up, call(b.ln2, h))) as Tensor)) as Tensor
    }
    return call(parts.head, call(parts.ln, h)).reshape([-1, vocabulary]) as Tensor
  }
  return { model: parts, loss: (x, y) => crossEntropy(forward(x), y.reshape([-1]) as Tensor) as Tensor }
}

/** The networks of the training cases. */
export const networks: Readonly<Record<ModelName, () => Network>> = { lenet, mlp, resnet8, 'gpt-tiny': gptTiny }
