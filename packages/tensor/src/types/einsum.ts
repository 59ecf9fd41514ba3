import type { Shape } from './shape.ts'
import type { ShapeError, ShowShape } from './shapeError.ts'

/**
 * The shape of Einstein's summation. An equation that is not a literal, has `...`, or leaves out the arrow is not followed: the
 * rank is unknown.
 * @example Einsum<'bij,bjk->bik', [[8, 2, 3], [8, 3, 4]]> // [8, 2, 4]
 * @example Einsum<'ij,jk->ik', [[2, 3], [4, 5]]> // ShapeError<"einsum 'ij,jk->ik': 'j' is 3 and 4">
 */
export type Einsum<Equation extends string, Ss extends readonly Shape[]> = string extends Equation
  ? Shape
  : number extends Ss['length']
    ? Shape
    : Equation extends `${string}...${string}`
      ? Shape
      : WithoutSpaces<Equation> extends `${infer Inputs}->${infer Output}`
        ? SizesOf<Equation, Inputs, Ss> extends infer Sizes
          ? Sizes extends ShapeError
            ? Sizes
            : Named<Equation, Output, Sizes>
          : never
        : Shape

type WithoutSpaces<Text extends string> = Text extends `${infer A} ${infer B}` ? WithoutSpaces<`${A}${B}`> : Text

/** The size of each label, operand by operand. */
type SizesOf<
  Equation extends string,
  Inputs extends string,
  Ss extends readonly Shape[],
  Sizes = unknown,
> = Inputs extends `${infer Term},${infer More}`
  ? Ss extends readonly [infer S extends Shape, ...infer Rest extends readonly Shape[]]
    ? TermSizes<Equation, Term, S, Sizes, S> extends infer Known
      ? Known extends ShapeError
        ? Known
        : SizesOf<Equation, More, Rest, Known>
      : never
    : ShapeError<`einsum '${Equation}': names more operands than there are`>
  : Ss extends readonly [infer S extends Shape]
    ? TermSizes<Equation, Inputs, S, Sizes, S>
    : ShapeError<`einsum '${Equation}': does not name as many operands as there are`>

type TermSizes<
  Equation extends string,
  Term extends string,
  S extends Shape,
  Sizes,
  Whole extends Shape,
> = Term extends `${infer Label}${infer More}`
  ? number extends S['length']
    ? TermSizes<Equation, More, S, Label extends keyof Sizes ? Sizes : Sizes & { [K in Label]: number }, Whole>
    : S extends readonly [infer N extends number, ...infer Rest extends Shape]
      ? Label extends keyof Sizes
        ? Both<Extract<Sizes[Label], number>, N> extends infer Size
          ? [Size] extends [never]
            ? ShapeError<`einsum '${Equation}': '${Label}' is ${Extract<Sizes[Label], number>} and ${N}`>
            : TermSizes<Equation, More, Rest, Omit<Sizes, Label> & { [K in Label]: Size }, Whole>
          : never
        : TermSizes<Equation, More, Rest, Sizes & { [K in Label]: N }, Whole>
      : WrongRank<Equation, Whole>
  : number extends S['length']
    ? Sizes
    : S extends readonly []
      ? Sizes
      : WrongRank<Equation, Whole>

type WrongRank<
  Equation extends string,
  S extends Shape,
> = ShapeError<`einsum '${Equation}': does not name every dimension of ${ShowShape<S>}`>

/** The size that two places with one label have; sizes of 1 broadcast, and an unknown size may be 1. */
type Both<A extends number, B extends number> = number extends A
  ? B extends 1
    ? number
    : B
  : number extends B
    ? A extends 1
      ? number
      : A
    : A extends 1
      ? B
      : B extends 1
        ? A
        : A extends B
          ? A
          : never

type Named<
  Equation extends string,
  Output extends string,
  Sizes,
  Out extends Shape = [],
> = Output extends `${infer Label}${infer More}`
  ? Label extends keyof Sizes
    ? Named<Equation, More, Sizes, [...Out, Extract<Sizes[Label], number>]>
    : ShapeError<`einsum '${Equation}': the result names '${Label}', which no operand has`>
  : Out
