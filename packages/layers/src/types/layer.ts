import type { ArithOf, DType, Fits, FloatOf, Ok, Shape, Tensor } from '@tessella/tensor'
import type { SpecOf } from './chain.ts'
import type { ChainSpec, LayerSpec } from './specs.ts'
import type { Step } from './step.ts'

/** Whether a model learns or answers: dropout and batch normalisation differ. */
export type Mode = 'train' | 'eval'

/** What every layer is, modal or not: the bound for lists of layers. */
export interface AnyLayer {
  (x: Tensor, mode: Mode): Tensor
  readonly spec: LayerSpec
  readonly modal: boolean
}

/** The call of a layer that does the same in training and evaluation. */
export interface LayerCall<P extends LayerSpec = LayerSpec> {
  <S extends Shape, D extends DType>(
    x: Fits<Step<S, P>, Tensor<S, D>>,
    mode?: Mode,
  ): Tensor<Ok<Step<S, P>>, DTypeAfter<P, D>>
  readonly spec: P
  readonly modal: false
}

/** The call of a layer that must be told whether it trains. */
export interface ModalLayerCall<P extends LayerSpec = LayerSpec> {
  <S extends Shape, D extends DType>(
    x: Fits<Step<S, P>, Tensor<S, D>>,
    mode: Mode,
  ): Tensor<Ok<Step<S, P>>, DTypeAfter<P, D>>
  readonly spec: P
  readonly modal: true
}

/** The dtype that a layer makes of a dtype: moving numbers keeps it, computing makes it a float. */
export type DTypeAfter<P, D extends DType> = P extends { readonly kind: infer Kind }
  ? Kind extends 'flatten' | 'unflatten' | 'input'
    ? D
    : P extends ChainSpec<infer Layers>
      ? DTypeAfterAll<Layers, D>
      : P extends { readonly name: 'identity' }
        ? D
        : P extends { readonly name: 'relu' | 'sign' }
          ? ArithOf<D>
          : FloatOf<D>
  : DType

type DTypeAfterAll<Layers extends readonly unknown[], D extends DType> = Layers extends readonly [
  infer First,
  ...infer Rest,
]
  ? DTypeAfterAll<Rest, DTypeAfter<SpecOf<First>, D>>
  : D

/** The call of a layer, modal or not. */
export type CallOf<P extends LayerSpec, Modal extends boolean> = Modal extends true ? ModalLayerCall<P> : LayerCall<P>

/** `true` where one of the layers must be told whether it trains. */
export type AnyModal<Layers extends readonly unknown[]> = true extends ModalOf<Layers[number]> ? true : false
type ModalOf<L> = L extends { readonly modal: infer M } ? M : false
