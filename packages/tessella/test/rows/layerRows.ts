import * as layers from '@tessella/layers'
import * as t from '@tessella/tensor'
import { type Attrs, fn, layer, type Rows, shapeOf } from './row.ts'

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

export const sequenceLayers: Rows = {
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
