import * as layers from '@tessella/layers'
import * as t from '@tessella/tensor'
import { type Attrs, fn, layer, type Rows, shapeOf } from './row.ts'

const camel = (name: string): string => name.replace(/_([a-z0-9])/g, (_, c: string) => c.toUpperCase())
/** The files write `.` as two underscores. */
const camelNames = (name: string): string => name.split('__').map(camel).join('.')

export const denseFunctions: Rows = {
  linear: fn((i) => t.linear(i('x'), i('weight'), i('bias'))),
}

export const denseLayers: Rows = {
  linear: layer((_, c) => {
    const [out, features] = shapeOf(c, 'weight') as [number, number]
    return layers.linear(features, out)
  }),
  bilinear: layer(
    (_, c) => {
      const [out, m, n] = shapeOf(c, 'weight') as [number, number, number]
      return layers.bilinear(m, n, out)
    },
    { call: (l, input) => l(input('x1'), input('x2')) },
  ),
}

/** A recurrent layer of the case's sizes; its Variables have the file's names in camelCase. */
const recurrent = (make: typeof layers.rnn | typeof layers.lstm | typeof layers.gru): Rows[string] =>
  layer(
    ({ hidden, layers: count, bidirectional }, c) =>
      make(shapeOf(c, 'x').at(-1) as number, hidden, { layers: count, bidirectional }),
    { names: camelNames },
  )

const attention = ({ causal }: Attrs) => ({ causal })

export const sequenceFunctions: Rows = {
  scaledDotProductAttention: fn((i, a) => layers.scaledDotProductAttention(i('q'), i('k'), i('v'), attention(a))),
}

export const sequenceLayers: Rows = {
  rnn: recurrent(layers.rnn),
  lstm: recurrent(layers.lstm),
  gru: recurrent(layers.gru),
  multiheadAttention: layer(({ heads }, c) => layers.multiheadAttention(shapeOf(c, 'x').at(-1) as number, heads), {
    names: camelNames,
  }),
  embedding: layer(
    (_, c) => {
      const [count, dim] = shapeOf(c, 'weight') as [number, number]
      return layers.embedding(count, dim)
    },
    { call: (l, input) => l(input('indices')) },
  ),
}

const batchNorms: Readonly<Record<number, (channels: number, options: Pick<Attrs, 'eps' | 'momentum'>) => object>> = {
  2: layers.batchNorm1d,
  4: layers.batchNorm2d,
  5: layers.batchNorm3d,
}

export const normLayers: Rows = {
  batchNorm: layer(({ eps, momentum }, c) => {
    const [, channels, ...spatial] = shapeOf(c, 'x') as [number, number]
    const make = batchNorms[2 + spatial.length]
    if (make === undefined) throw new Error(`no batch normalisation of ${spatial.length} spatial axes`)
    return make(channels, { eps, momentum })
  }),
  layerNorm: layer((a) => layers.layerNorm(a.normalizedShape, { eps: a.eps })),
  groupNorm: layer((a, c) => layers.groupNorm(a.groups as number, shapeOf(c, 'x')[1] as number, { eps: a.eps })),
  instanceNorm: layer((a, c) => layers.instanceNorm(shapeOf(c, 'x')[1] as number, { eps: a.eps, affine: true })),
  rmsNorm: layer((a, c) => layers.rmsNorm(shapeOf(c, 'x').at(-1) as number, { eps: a.eps })),
  // The weight itself is what the layer makes of the unit vectors.
  weightNorm: layer(
    (_, c) => {
      const [out, features] = shapeOf(c, 'v') as [number, number]
      return layers.weightNorm(layers.linear(features, out, { bias: false }))
    },
    { names: { v: 'weightV', g: 'weightG' }, call: (l) => l(t.eye(l.weightV.shape[1] as number)).transpose() },
  ),
  localResponseNorm: layer((a) => layers.localResponseNorm(a.size, { alpha: a.alpha, beta: a.beta, k: a.k })),
}
