import { OpError, type PerDim } from '@tessella/tensor'
import type { LayerSpec } from './types/index.ts'

/** The part of the input that one place of the output depends on, for each spatial axis. */
export interface ReceptiveField {
  /** How many neighbouring inputs; Infinity when all of them. */
  readonly size: readonly number[]
  /** How far apart the fields of neighbouring outputs are. */
  readonly stride: readonly number[]
}

interface Field {
  readonly size: number[]
  readonly stride: number[]
}

const at = (value: PerDim | undefined, axis: number, otherwise: number): number =>
  value === undefined ? otherwise : typeof value === 'number' ? value : (value[axis] ?? otherwise)

interface Windowed {
  readonly kernel: PerDim
  readonly options: { readonly stride?: PerDim; readonly dilation?: PerDim }
}

/** A window sees (k - 1) d more fields, and lets s of them pass from place to place. */
function slide(field: Field, spec: Windowed & LayerSpec): Field {
  const pool = spec.kind === 'pool'
  const grown = field.size.map((size, i) => {
    const k = at(spec.kernel, i, 1)
    return size + (k - 1) * at(spec.options.dilation, i, 1) * (field.stride[i] as number)
  })
  const stride = field.stride.map((jump, i) => jump * at(spec.options.stride, i, pool ? at(spec.kernel, i, 1) : 1))
  return { size: grown, stride }
}

const everything = (field: Field): Field => ({
  size: field.size.map(() => Number.POSITIVE_INFINITY),
  stride: field.stride.map(() => 0),
})

/** Linear layers and layer normalisation mix all of the last axis. */
const lastAxis = ({ size, stride }: Field): Field => ({
  size: size.map((n, i) => (i === size.length - 1 ? Number.POSITIVE_INFINITY : n)),
  stride: stride.map((n, i) => (i === stride.length - 1 ? 0 : n)),
})

function through(field: Field, layer: unknown): Field {
  const spec = typeof layer === 'function' && 'spec' in layer ? (layer.spec as LayerSpec) : undefined
  switch (spec?.kind) {
    case 'conv':
    case 'pool':
      return slide(field, spec as LayerSpec & Windowed)
    case 'chain':
      return (spec as unknown as { readonly layers: readonly unknown[] }).layers.reduce(through, field)
    case 'residual': {
      const inner = through(field, (spec as unknown as { readonly inner: unknown }).inner)
      return { size: inner.size.map((n, i) => Math.max(n, field.size[i] as number)), stride: inner.stride }
    }
    case 'flatten':
    case 'resize':
      return everything(field)
    case 'features':
      return lastAxis(field)
    case 'channels':
      // Those that normalise each example see all of it; batch normalisation treats places alike.
      return spec.name === 'groupNorm' || spec.name === 'instanceNorm' ? everything(field) : field
    case 'same':
    case 'input':
      return field
    default:
      throw new OpError('receptiveField', `does not know what ${spec?.name ?? 'a plain function'} looks at`, {
        hint: 'Pass sequential(...) of the layers on the way.',
      })
  }
}

/** Spatial axes of the first convolution or pooling. */
function rankOf(layer: unknown): number | undefined {
  const spec =
    typeof layer === 'function' && 'spec' in layer ? (layer.spec as LayerSpec & Record<string, unknown>) : undefined
  if (spec?.kind === 'conv' || spec?.kind === 'pool') return spec.rank as number
  const inner =
    spec?.kind === 'chain' ? (spec.layers as readonly unknown[]) : spec?.kind === 'residual' ? [spec.inner] : []
  for (const l of inner) {
    const rank = rankOf(l)
    if (rank !== undefined) return rank
  }
  return undefined
}

/**
 * The receptive field of chains of convolutions, poolings and what keeps places apart: it grows by (k - 1) d times
 * the product of the strides before. Behind `flatten` it is the whole input.
 * @example receptiveField(sequential(conv2d(1, 6, 5), maxPool2d(2), conv2d(6, 16, 5))) // size [14, 14], stride [2, 2]
 */
export function receptiveField(model: unknown): ReceptiveField {
  const rank = rankOf(model)
  if (rank === undefined)
    throw new OpError('receptiveField', 'found no convolution or pooling', { hint: 'Only windows have a field.' })
  return through({ size: new Array<number>(rank).fill(1), stride: new Array<number>(rank).fill(1) }, model)
}
