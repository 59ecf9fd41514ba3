import { isTensor, OpError, type Shape, type ShapeOf, type Tensor } from '@tessella/tensor'
import { anyModal, defineContainer, defineLayer } from './layer.ts'
import type {
  AnyLayer,
  AnyModal,
  CallOf,
  ChainArguments,
  ChainSpec,
  FunctionSpec,
  LayerCall,
  Mode,
  ResidualSpec,
} from './types/index.ts'

/** The members of a chain under their numbers: `model[0].weight`. */
type Members<Ls extends readonly unknown[]> = { readonly [K in Extract<keyof Ls, `${number}`>]: Ls[K] } & {
  readonly [index: number]: Ls[number]
}

/** Layers one after the other; each is a property under its number, which names its parameters: `0.weight`. */
export type Sequential<Ls extends readonly unknown[]> = CallOf<ChainSpec<Ls>, AnyModal<Ls>> & Members<Ls>

const uncalled = 'Call the factory: relu() instead of relu.'

type Callable = (x: Tensor, mode: Mode) => Tensor

/**
 * Layers one after the other, as `torch.nn.Sequential`. The compiler follows shapes through them: a layer that does
 * not fit the one before is an error at that layer when channels and features tell, or when the chain starts with
 * `input(...)`, else at the call.
 *
 * Parameters get their first numbers from their place in the outermost model (seed 0), so that a model starts the same
 * every time; `initialize` or a layer's `seed` gives others.
 * @example
 * const model = sequential(flatten(), linear(784, 128), relu(), dropout(0.2), linear(128, 10))
 * model(x, 'train') // Tensor<[64, 10], 'float32'>
 * model[1].weight // Variable<[128, 784], 'float32'>
 */
export function sequential<const Ls extends readonly AnyLayer[]>(...layers: ChainArguments<Ls>): Sequential<Ls> {
  const members = layers as unknown as readonly Callable[]
  for (const [i, layer] of members.entries())
    if (typeof layer !== 'function')
      throw new OpError('sequential', `argument ${i} is not a layer, got ${layer === null ? 'null' : typeof layer}`, {
        hint: uncalled,
      })
  return defineContainer({
    spec: { kind: 'chain', name: 'sequential', layers: members },
    modal: anyModal(members),
    parts: { ...members },
    forward: (parts, x, mode) => {
      let y = x
      for (const i of members.keys()) {
        y = (parts[i] as Callable)(y, mode)
        if (!isTensor(y))
          throw new OpError('sequential', `layer ${i} gave ${typeof y} instead of a tensor`, { hint: uncalled })
      }
      return y
    },
  }) as unknown as Sequential<Ls>
}

/** Adds what a layer makes of its input to the input; the layer is the property `inner`. */
export type Residual<L extends AnyLayer> = CallOf<ResidualSpec<L>, L['modal']> & { readonly inner: L }

/**
 * x + inner(x) (He et al., 2016).
 * @example residual(sequential(conv2d(16, 16, 3, { padding: 'same' }), relu()))
 */
export const residual = <const L extends AnyLayer>(inner: L): Residual<L> =>
  defineContainer({
    spec: { kind: 'residual', name: 'residual', inner },
    modal: anyModal(inner),
    parts: { inner: inner as AnyLayer },
    forward: (parts, x, mode) => x.add(parts.inner(x, mode)) as Tensor,
  }) as unknown as Residual<L>

/**
 * A plain function of a tensor as a layer. Annotate the tensors to let shapes be followed; what is `Tensor` is not
 * checked.
 * @example fn('halve', (x: Tensor<[number, 784], 'float32'>) => x.narrow(1, 0, 392))
 */
export const fn = <const N extends string, X extends Tensor, Y extends Tensor>(
  name: N,
  f: (x: X) => Y,
): LayerCall<FunctionSpec<N, ShapeOf<X>, ShapeOf<Y>>> =>
  defineLayer({
    spec: { kind: 'function', name, in: [], out: [] },
    modal: false,
    parts: {},
    forward: (x) => f(x as X),
  }) as unknown as LayerCall<FunctionSpec<N, ShapeOf<X>, ShapeOf<Y>>>

type ModalPart<P> = P extends { readonly modal: infer M }
  ? M
  : P extends readonly (infer E)[]
    ? E extends { readonly modal: infer M }
      ? M
      : false
    : false
type AnyModalPart<R extends object> = true extends ModalPart<R[keyof R]> ? true : false

/** A layer of named parts. */
export type Module<R extends object, In extends Shape, Out extends Shape> = CallOf<
  FunctionSpec<'module', In, Out>,
  AnyModalPart<R>
> &
  Readonly<R>

/**
 * Free composition: named parts (layers, Variables, arrays and plain objects of them) and a function that uses them.
 * The parts become properties, which name the parameters: `conv1.weight`. In `forward` use the parts that it is
 * given, so that messages can name them. The mode must be passed on to parts that ask for it; the whole asks for it
 * when a part does.
 * @example
 * const net = module(
 *   { conv1: conv2d(1, 6, 5), fc1: linear(864, 10) },
 *   (m, x: Tensor<[number, 1, 28, 28], 'float32'>) => m.fc1(maxPool2d(2)(m.conv1(x).relu()).flatten(1)),
 * )
 */
export const module = <R extends object, X extends Tensor = Tensor, Y extends Tensor = Tensor>(
  parts: R,
  forward: (parts: R, x: X, mode: Mode) => Y,
): Module<R, ShapeOf<X>, ShapeOf<Y>> =>
  defineContainer({
    spec: { kind: 'function', name: 'module', in: [], out: [] },
    modal: anyModal(parts),
    parts,
    forward: (named, x, mode) => forward(named, x as X, mode),
  }) as unknown as Module<R, ShapeOf<X>, ShapeOf<Y>>
