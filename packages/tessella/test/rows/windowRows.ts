import * as layers from '@tessella/layers'
import * as t from '@tessella/tensor'
import type { GoldenCase } from '@tessella/testing'
import { type Attrs, fn, layer, type Row, type Rows, shapeOf } from './row.ts'

/** What a case sets, under our names; what it does not set stays out, because layers refuse settings they lack. */
const settings = ({ stride, padding, dilation, groups, output_padding, ceil_mode, count_include_pad }: Attrs): object =>
  Object.fromEntries(
    Object.entries({
      stride,
      padding,
      dilation,
      groups,
      outputPadding: output_padding,
      ceilMode: ceil_mode,
      countIncludePad: count_include_pad,
    }).filter(([, value]) => value !== undefined),
  )

const convolution = (run: (x: t.Tensor, weight: t.Tensor, options: object) => t.Tensor): Row =>
  fn((i, a, c) => run(i('x'), i('weight'), { ...settings(a), bias: 'bias' in c.inputs ? i('bias') : undefined }))

export const convFunctions: Rows = {
  conv1d: convolution(t.conv1d),
  conv2d: convolution(t.conv2d),
  conv3d: convolution(t.conv3d),
  convTranspose1d: convolution(t.convTranspose1d),
  convTranspose2d: convolution(t.convTranspose2d),
}

const pooling = (run: (x: t.Tensor, kernel: t.PerDim, options: object) => t.Tensor): Row =>
  fn((i, a) => run(i('x'), a.kernel_size, settings(a)))

export const poolFunctions: Rows = {
  maxPool1d: pooling(t.maxPool1d),
  maxPool2d: pooling(t.maxPool2d),
  maxPool3d: pooling(t.maxPool3d),
  avgPool1d: pooling(t.avgPool1d),
  avgPool2d: pooling(t.avgPool2d),
  avgPool3d: pooling(t.avgPool3d),
  adaptiveAvgPool1d: fn((i, a) => t.adaptiveAvgPool1d(i('x'), a.output_size)),
  adaptiveAvgPool2d: fn((i, a) => t.adaptiveAvgPool2d(i('x'), a.output_size)),
  adaptiveAvgPool3d: fn((i, a) => t.adaptiveAvgPool3d(i('x'), a.output_size)),
  adaptiveMaxPool1d: fn((i, a) => t.adaptiveMaxPool1d(i('x'), a.output_size)),
  adaptiveMaxPool2d: fn((i, a) => t.adaptiveMaxPool2d(i('x'), a.output_size)),
  adaptiveMaxPool3d: fn((i, a) => t.adaptiveMaxPool3d(i('x'), a.output_size)),
}

type MakeConv = (channels: number, filters: number, kernel: t.PerDim, options: object) => object

/** `filters` from the weight's shape, [out, in / groups, ...] or, transposed, [in, out / groups, ...]. */
const convLayer = (make: MakeConv, filters: (weight: readonly number[], groups: number) => number): Row =>
  layer((a, c: GoldenCase) => {
    const weight = shapeOf(c, 'weight')
    const options = { ...settings(a), bias: 'bias' in c.inputs }
    return make(shapeOf(c, 'x')[1] as number, filters(weight, a.groups ?? 1), weight.slice(2), options)
  })
const direct = (make: MakeConv): Row => convLayer(make, ([out]) => out as number)
const transposed = (make: MakeConv): Row => convLayer(make, ([, out], groups) => (out as number) * groups)

export const convLayers: Rows = {
  conv1d: direct(layers.conv1d),
  conv2d: direct(layers.conv2d),
  conv3d: direct(layers.conv3d),
  convTranspose1d: transposed(layers.convTranspose1d),
  convTranspose2d: transposed(layers.convTranspose2d),
}

const poolLayer = (make: (kernel: t.PerDim, options: object) => object): Row =>
  layer((a) => make(a.kernel_size, settings(a)))

export const poolLayers: Rows = {
  maxPool1d: poolLayer(layers.maxPool1d),
  maxPool2d: poolLayer(layers.maxPool2d),
  maxPool3d: poolLayer(layers.maxPool3d),
  avgPool1d: poolLayer(layers.avgPool1d),
  avgPool2d: poolLayer(layers.avgPool2d),
  avgPool3d: poolLayer(layers.avgPool3d),
  adaptiveAvgPool1d: layer((a) => layers.adaptiveAvgPool1d(a.output_size)),
  adaptiveAvgPool2d: layer((a) => layers.adaptiveAvgPool2d(a.output_size)),
  adaptiveAvgPool3d: layer((a) => layers.adaptiveAvgPool3d(a.output_size)),
  adaptiveMaxPool1d: layer((a) => layers.adaptiveMaxPool1d(a.output_size)),
  adaptiveMaxPool2d: layer((a) => layers.adaptiveMaxPool2d(a.output_size)),
  adaptiveMaxPool3d: layer((a) => layers.adaptiveMaxPool3d(a.output_size)),
}
