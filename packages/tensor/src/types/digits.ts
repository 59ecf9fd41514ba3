/**
 * Exact arithmetic on literal sizes, in the type system.
 *
 * Numbers are tuples of decimal digits, least significant first, so that a six-digit size costs six steps
 * where tuple lengths would stop near a thousand. Every operation answers `number` when an operand is
 * `number`, negative or not a whole number; unions distribute (`Add<1 | 2, 10>` is `11 | 12`).
 */

type Digit = '0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9'
type Digits = readonly Digit[]
type Carry = '0' | '1'

/** Row x, column y: x + y as carry and digit. Row 10 serves 9 plus a carry. */
type Sums = readonly [
  ['00', '01', '02', '03', '04', '05', '06', '07', '08', '09'],
  ['01', '02', '03', '04', '05', '06', '07', '08', '09', '10'],
  ['02', '03', '04', '05', '06', '07', '08', '09', '10', '11'],
  ['03', '04', '05', '06', '07', '08', '09', '10', '11', '12'],
  ['04', '05', '06', '07', '08', '09', '10', '11', '12', '13'],
  ['05', '06', '07', '08', '09', '10', '11', '12', '13', '14'],
  ['06', '07', '08', '09', '10', '11', '12', '13', '14', '15'],
  ['07', '08', '09', '10', '11', '12', '13', '14', '15', '16'],
  ['08', '09', '10', '11', '12', '13', '14', '15', '16', '17'],
  ['09', '10', '11', '12', '13', '14', '15', '16', '17', '18'],
  ['10', '11', '12', '13', '14', '15', '16', '17', '18', '19'],
]

/** Row x, column y: x times y as tens and ones. */
type Products = readonly [
  ['00', '00', '00', '00', '00', '00', '00', '00', '00', '00'],
  ['00', '01', '02', '03', '04', '05', '06', '07', '08', '09'],
  ['00', '02', '04', '06', '08', '10', '12', '14', '16', '18'],
  ['00', '03', '06', '09', '12', '15', '18', '21', '24', '27'],
  ['00', '04', '08', '12', '16', '20', '24', '28', '32', '36'],
  ['00', '05', '10', '15', '20', '25', '30', '35', '40', '45'],
  ['00', '06', '12', '18', '24', '30', '36', '42', '48', '54'],
  ['00', '07', '14', '21', '28', '35', '42', '49', '56', '63'],
  ['00', '08', '16', '24', '32', '40', '48', '56', '64', '72'],
  ['00', '09', '18', '27', '36', '45', '54', '63', '72', '81'],
]

/** The row of {@link Sums} for a digit plus a carry. */
type SumRow = {
  '0': readonly ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']
  '1': readonly ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10']
}
type Nines = readonly ['9', '8', '7', '6', '5', '4', '3', '2', '1', '0']
type Next = readonly ['1', '2', '3', '4', '5', '6', '7', '8', '9', '9']

/** Digits of a decimal string, least significant first; `null` when it is not a whole number. */
type Parse<S extends string, Out extends Digits = []> = S extends `${infer D extends Digit}${infer Rest}`
  ? Parse<Rest, [D, ...Out]>
  : S extends ''
    ? Out
    : null

type Join<D extends Digits, Out extends string = ''> = D extends readonly [
  infer First extends Digit,
  ...infer Rest extends Digits,
]
  ? Join<Rest, `${First}${Out}`>
  : Out

type Trim<S extends string> = S extends `0${infer Rest}` ? (Rest extends '' ? '0' : Trim<Rest>) : S

type ToNumber<S extends string> = Trim<S> extends `${infer N extends number}` ? N : number

type Plus<A extends Digits, B extends Digits, C extends Carry = '0', Out extends Digits = []> = A extends readonly [
  infer X extends Digit,
  ...infer As extends Digits,
]
  ? B extends readonly [infer Y extends Digit, ...infer Bs extends Digits]
    ? Sums[SumRow[C][X]][Y] extends `${infer C2 extends Carry}${infer D extends Digit}`
      ? Plus<As, Bs, C2, [...Out, D]>
      : never
    : C extends '0'
      ? [...Out, ...A]
      : Plus<A, ['1'], '0', Out>
  : C extends '0'
    ? [...Out, ...B]
    : B extends readonly []
      ? [...Out, '1']
      : Plus<['1'], B, '0', Out>

/** A - B by adding the nines' complement of B and one; `null` when B is larger. */
type Minus<A extends Digits, B extends Digits, C extends Carry = '1', Out extends Digits = []> = B extends readonly [
  infer Y extends Digit,
  ...infer Bs extends Digits,
]
  ? A extends readonly [infer X extends Digit, ...infer As extends Digits]
    ? MinusStep<X, Nines[Y], As, Bs, C, Out>
    : MinusStep<'0', Nines[Y], [], Bs, C, Out>
  : C extends '1'
    ? [...Out, ...A]
    : A extends readonly [infer X extends Digit, ...infer As extends Digits]
      ? MinusStep<X, '9', As, [], C, Out>
      : null

type MinusStep<
  X extends Digit,
  Y extends Digit,
  As extends Digits,
  Bs extends Digits,
  C extends Carry,
  Out extends Digits,
> = Sums[SumRow[C][X]][Y] extends `${infer C2 extends Carry}${infer D extends Digit}`
  ? Minus<As, Bs, C2, [...Out, D]>
  : never

/** A times one digit, plus a carried digit. */
type Scale<A extends Digits, D extends Digit, C extends Digit = '0', Out extends Digits = []> = A extends readonly [
  infer X extends Digit,
  ...infer As extends Digits,
]
  ? Products[D][X] extends `${infer Tens extends Digit}${infer Ones extends Digit}`
    ? Sums[Ones][C] extends `${infer C2 extends Carry}${infer Low extends Digit}`
      ? Scale<As, D, C2 extends '1' ? Next[Tens] : Tens, [...Out, Low]>
      : never
    : never
  : C extends '0'
    ? Out
    : [...Out, C]

type Times<A extends Digits, B extends Digits, High extends Digits = [], Out extends Digits = []> = B extends readonly [
  infer D extends Digit,
  ...infer Bs extends Digits,
]
  ? Plus<Scale<A, D>, High> extends readonly [infer Low extends Digit, ...infer Rest extends Digits]
    ? Times<A, Bs, Rest, [...Out, Low]>
    : Times<A, Bs, [], [...Out, '0']>
  : [...Out, ...High]

/** How often B goes into R (at most nine times), and what is left. */
type Fit<R extends Digits, B extends Digits, Count extends Digit = '0'> =
  Minus<R, B> extends infer Left extends Digits ? Fit<Left, B, Next[Count]> : [Count, R]

/** Long division of a decimal string: `[quotient, remainder]`, the quotient a string, most significant digit first. */
type Divide<
  A extends string,
  B extends Digits,
  R extends Digits = [],
  Q extends string = '',
> = A extends `${infer D extends Digit}${infer Rest}`
  ? Fit<[D, ...R], B> extends [infer Count extends Digit, infer Left extends Digits]
    ? Divide<Rest, B, Left, `${Q}${Count}`>
    : never
  : [Q, R]

/**
 * The sum of two sizes.
 * @example Add<60_000, 10_000> // 70000
 */
export type Add<A extends number, B extends number> = number extends A
  ? number
  : number extends B
    ? number
    : A extends 0
      ? B
      : B extends 0
        ? A
        : [Parse<`${A}`>, Parse<`${B}`>] extends [infer X extends Digits, infer Y extends Digits]
          ? ToNumber<Join<Plus<X, Y>>>
          : number

/**
 * The difference of two sizes; negative where B is larger.
 * @example Sub<28, 4> // 24
 * @example Sub<4, 28> // -24
 */
export type Sub<A extends number, B extends number> = number extends A
  ? number
  : number extends B
    ? number
    : A extends number
      ? B extends 0
        ? A
        : [Parse<`${A}`>, Parse<`${B}`>] extends [infer X extends Digits, infer Y extends Digits]
          ? Minus<X, Y> extends infer Z extends Digits
            ? ToNumber<Join<Z>>
            : Minus<Y, X> extends infer Z extends Digits
              ? Negate<Join<Z>>
              : never
          : number
      : never

type Negate<S extends string> = `-${Trim<S>}` extends `${infer N extends number}` ? N : number

/**
 * The product of two sizes.
 * @example Mul<224, 224> // 50176
 */
export type Mul<A extends number, B extends number> = number extends A
  ? number
  : number extends B
    ? number
    : A extends 1
      ? B
      : B extends 1
        ? A
        : [Parse<`${A}`>, Parse<`${B}`>] extends [infer X extends Digits, infer Y extends Digits]
          ? ToNumber<Join<Times<X, Y>>>
          : number

/** Quotient and remainder; `number` for both when the division cannot be done on literals. */
type QuotientAndRest<A extends number, B extends number> = number extends A
  ? [number, number]
  : number extends B
    ? [number, number]
    : A extends number
      ? B extends 0
        ? [number, number]
        : B extends 1
          ? [A, 0]
          : [Parse<`${A}`>, Parse<`${B}`>] extends [Digits, infer Y extends Digits]
            ? Divide<`${A}`, Y> extends [infer Q extends string, infer R extends Digits]
              ? [ToNumber<Q>, ToNumber<Join<R>>]
              : never
            : [number, number]
      : never

/**
 * The quotient rounded down. Dividing by zero gives `number`.
 * @example FloorDiv<23, 2> // 11
 */
export type FloorDiv<A extends number, B extends number> = QuotientAndRest<A, B>[0]

/**
 * The remainder of a division. Dividing by zero gives `number`.
 * @example Mod<23, 2> // 1
 */
export type Mod<A extends number, B extends number> = QuotientAndRest<A, B>[1]

/**
 * The quotient rounded up. Dividing by zero gives `number`.
 * @example CeilDiv<23, 2> // 12
 */
export type CeilDiv<A extends number, B extends number> =
  QuotientAndRest<A, B> extends infer QR extends [number, number]
    ? QR extends [infer Q extends number, infer R extends number]
      ? R extends 0
        ? Q
        : Add<Q, 1>
      : never
    : never

/**
 * Whether A is smaller than B; `boolean` when that is not known.
 * @example LessThan<9, 10> // true
 */
export type LessThan<A extends number, B extends number> = number extends A
  ? boolean
  : number extends B
    ? boolean
    : [Parse<`${A}`>, Parse<`${B}`>] extends [infer X extends Digits, infer Y extends Digits]
      ? Minus<X, Y> extends null
        ? true
        : false
      : boolean

/** The smaller of two sizes; `number` when one is not known. */
export type Min<A extends number, B extends number> =
  LessThan<A, B> extends infer L extends boolean ? (boolean extends L ? number : L extends true ? A : B) : never

/** The larger of two sizes; `number` when one is not known. */
export type Max<A extends number, B extends number> =
  LessThan<A, B> extends infer L extends boolean ? (boolean extends L ? number : L extends true ? B : A) : never
