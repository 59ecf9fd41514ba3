/** What compiled functions may be called with. */
import { expectAssignable, expectError, expectType } from 'tsd'
import { type CallArg, compile, ones, type ShapeError, type Tensor } from '../src/index.ts'

type Rate = Tensor<[], 'float32'>
type Row = Tensor<[number], 'float32'>

/** Numbers where the function takes scalars, at any depth; shapes are kept. */
const step = compile((x: Row, rate: Rate, options: { readonly decay: Rate; readonly mode: string }) =>
  x.mul(rate).mul(options.decay),
)
expectType<Row>(step(ones([2]), 0.1, { decay: 0.5, mode: 'a' }))
step(ones([2]), ones([]), { decay: ones([]), mode: 'a' })
expectError(step(ones([2, 2]), 0.1, { decay: 0.5, mode: 'a' }))

/** Parameters without a type are tensors. */
const sum = compile((x, y) => x.add(y))
expectAssignable<Tensor>(sum(ones([2]), ones([2])))

/** A function cannot ask for a number: it gets a tensor. */
type Frozen = 'compile: a number arrives as a tensor; declare it as Tensor<[], "float32"> and pass the number'
const scaled = compile((x: Row, rate: number) => x.mul(rate))
expectError(scaled(ones([2]), 3))
expectType<ShapeError<Frozen>>({} as CallArg<number>)
const nested = compile((o: { readonly x: Row; readonly rate: number }) => o.x.mul(o.rate))
expectError(nested({ x: ones([2]), rate: 3 }))
