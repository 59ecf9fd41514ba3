/** Shapes through chains of layers: what must compile, what must not, and the message a person reads. */
import type { AsShape, DType, PerDim, Shape, ShapeError, Tensor, WindowOptions } from '@tessella/tensor'
import { expectAssignable, expectError, expectNotAssignable, expectType } from 'tsd'
import type {
  AnyLayer,
  AnyModal,
  CallOf,
  ChainArguments,
  ChainSpec,
  ChannelsSpec,
  ConvSpec,
  ConvTransposeSpec,
  FeaturesSpec,
  FlattenSpec,
  FunctionSpec,
  InputSpec,
  LayerCall,
  LookupSpec,
  ModalLayerCall,
  PoolSpec,
  ResidualSpec,
  ResizeSpec,
  SameSpec,
  Step,
  UnflattenSpec,
} from '../src/types/index.ts'

type None = Record<never, never>
declare function of<T>(): T
declare function tensor<const S extends Shape, D extends DType = 'float32'>(shape: S, dtype?: D): Tensor<AsShape<S>, D>
declare function linear<I extends number, O extends number>(i: I, o: O): LayerCall<FeaturesSpec<'linear', I, O>>
declare function conv2d<
  I extends number,
  O extends number,
  const K extends PerDim,
  const Options extends WindowOptions = None,
>(i: I, o: O, kernel: K, options?: Options): LayerCall<ConvSpec<'conv2d', 2, I, O, K, Options>>
declare function maxPool2d<const K extends PerDim>(kernel: K): LayerCall<PoolSpec<'maxPool2d', 2, K, None>>
declare function relu(): LayerCall<SameSpec<'relu'>>
declare function flatten(): LayerCall<FlattenSpec<1, -1>>
declare function embedding<D extends number>(count: number, dim: D): LayerCall<LookupSpec<'embedding', D>>
declare function input<const S extends Shape>(...sizes: S): LayerCall<InputSpec<S>>
declare function dropout(p: number): ModalLayerCall<SameSpec<'dropout'>>
declare function batchNorm2d<C extends number>(channels: C): ModalLayerCall<ChannelsSpec<'batchNorm2d', C>>
declare function sequential<const Ls extends readonly AnyLayer[]>(
  ...layers: ChainArguments<Ls>
): CallOf<ChainSpec<Ls>, AnyModal<Ls>>

const digits = tensor([64, 1, 28, 28])
declare const someDigits: Tensor<[number, 1, 28, 28], 'float32'>
declare const anything: Tensor<Shape, 'float32'>

const leNet = sequential(
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
)
expectType<Tensor<[64, 10], 'float32'>>(leNet(digits))
expectType<Tensor<[number, 10], 'float32'>>(leNet(someDigits))
expectType<Tensor<[number, 10], 'float32'>>(leNet(anything))
expectType<Tensor<[number, 10], 'float32'>>(leNet(someDigits, 'eval'))
expectError(leNet(tensor([64, 3, 28, 28])))
expectError(leNet(tensor([64, 784])))
expectError(leNet(tensor([64, 1, 32, 32])))

/** Without a declared input the height and width are unknown: 400 features compile here and fail at the call. */
const forLargerImages = sequential(
  conv2d(1, 6, 5),
  relu(),
  maxPool2d(2),
  conv2d(6, 16, 5),
  relu(),
  maxPool2d(2),
  flatten(),
  linear(400, 120),
)
expectType<Tensor<[number, 120], 'float32'>>(forLargerImages(tensor([8 as number, 1, 32, 32])))
expectError(forLargerImages(someDigits))
type WrongAtCall = Step<[number, 1, 28, 28], (typeof forLargerImages)['spec']>
expectType<ShapeError<'linear expects 400 features, the layer before gives 256 (layer 7)'>>(of<WrongAtCall>())

/** With a declared input the mistake is found where the model is built. */
expectError(
  sequential(
    input(1, 28, 28),
    conv2d(1, 6, 5),
    maxPool2d(2),
    conv2d(6, 16, 5),
    maxPool2d(2),
    flatten(),
    linear(400, 120),
  ),
)
expectType<Tensor<[64, 120], 'float32'>>(
  sequential(
    input(1, 28, 28),
    conv2d(1, 6, 5),
    maxPool2d(2),
    conv2d(6, 16, 5),
    maxPool2d(2),
    flatten(),
    linear(256, 120),
  )(digits),
)
expectError(sequential(input(1, 28, 28), flatten())(tensor([64, 3, 28, 28])))
expectError(sequential(input(1, 28, 28), linear(20, 10)))

/** Known features and channels are checked without any input. */
expectError(sequential(linear(784, 128), relu(), linear(120, 10)))
expectError(sequential(conv2d(1, 6, 5), relu(), conv2d(1, 6, 5)))
expectError(sequential(conv2d(1, 6, 5), batchNorm2d(16)))
expectError(sequential(linear(4, 5), sequential(relu(), linear(3, 6))))
type LayersOf<Ls extends readonly unknown[]> = ChainArguments<Ls>
type Wide = LayerCall<FeaturesSpec<'linear', 784, 128>>
type Narrow = LayerCall<FeaturesSpec<'linear', 120, 10>>
expectType<[Wide, 'linear expects 120 features, the layer before gives 128']>(of<LayersOf<[Wide, Narrow]>>())
expectType<[Wide]>(of<LayersOf<[Wide]>>())

/** Layers that differ in training and evaluation make the model ask for the mode. */
const modal = sequential(conv2d(1, 6, 5), batchNorm2d(6), relu(), dropout(0.5))
expectType<Tensor<[64, 6, 24, 24], 'float32'>>(modal(digits, 'train'))
expectError(modal(digits))
expectError(modal(digits, 'test'))
expectAssignable<AnyLayer>(modal)
expectAssignable<AnyLayer>(leNet)
expectNotAssignable<LayerCall<(typeof modal)['spec']>>(modal)
declare const built: AnyLayer[]
const dynamic = sequential(...built)
expectType<Tensor<Shape, 'float32'>>(dynamic(digits, 'eval'))

/** Nested chains, dtypes, and the other kinds. */
expectType<Tensor<[3, 6], 'float32'>>(sequential(sequential(linear(4, 5)), relu(), linear(5, 6))(tensor([3, 4])))
expectType<Tensor<[8, 5, 4], 'float32'>>(sequential(embedding(100, 16), linear(16, 4))(tensor([8, 5], 'int32')))
expectType<Tensor<[8, 25], 'uint8'>>(flatten()(tensor([8, 5, 5], 'uint8')))
expectType<Tensor<[8, 64, 112, 112], 'float32'>>(conv2d(3, 64, 7, { stride: 2, padding: 3 })(tensor([8, 3, 224, 224])))
expectType<[8, 2, 3]>(of<Step<[8, 6], UnflattenSpec<1, [2, 3]>>>())
expectType<[8, 6, 1, 1]>(of<Step<[8, 6, 4, 4], ResizeSpec<'adaptiveAvgPool2d', [1, 1]>>>())
expectType<[8, 6]>(of<Step<[8, 6], ResidualSpec<LayerCall<FeaturesSpec<'linear', 6, 6>>>>>())
expectType<ShapeError<'residual: shapes [8,6] and [8,7] do not broadcast'>>(
  of<Step<[8, 6], ResidualSpec<LayerCall<FeaturesSpec<'linear', 6, 7>>>>>(),
)
expectType<[8, 3, 28, 28]>(
  of<Step<[8, 16, 14, 14], ConvTransposeSpec<'convTranspose2d', 2, 16, 3, 4, { stride: 2; padding: 1 }>>>(),
)
expectType<[number, 2]>(of<Step<[8, 784], FunctionSpec<'halves', [number, 784], [number, 2]>>>())
expectType<ShapeError<'halves expects [?,784], the input has [8,10]'>>(
  of<Step<[8, 10], FunctionSpec<'halves', [number, 784], [number, 2]>>>(),
)

/** Messages. */
expectType<ShapeError<'conv2d expects 1 channel, the input has 3'>>(
  of<Step<[8, 3, 28, 28], ConvSpec<'conv2d', 2, 1, 6, 5, None>>>(),
)
expectType<ShapeError<'conv2d expects [n,channels,height,width], the input has [8,784]'>>(
  of<Step<[8, 784], ConvSpec<'conv2d', 2, 1, 6, 5, None>>>(),
)
expectType<ShapeError<'conv2d: a kernel of 5 does not fit an input of [4,4]'>>(
  of<Step<[8, 1, 4, 4], ConvSpec<'conv2d', 2, 1, 6, 5, None>>>(),
)
expectType<ShapeError<'batchNorm2d expects 6 channels, the input has 1'>>(
  of<Step<[8, 1, 4, 4], ChannelsSpec<'batchNorm2d', 6>>>(),
)
expectType<ShapeError<'the model expects inputs [?,1,28,28], the input has [8,784]'>>(
  of<Step<[8, 784], InputSpec<[1, 28, 28]>>>(),
)
