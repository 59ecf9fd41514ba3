import { type DType, internalError } from '@tessella/ir'
import { storageOf } from './storage.ts'

/** A slot as a text declares it. */
export interface Bound {
  readonly slot: number
  readonly name: string
  written: boolean
  /** Some invocations store parts of a word that others store parts of, too. */
  shared: boolean
  /** Bound as quads of words. */
  quads: boolean
  /** Bound as elements of float16, which need no word of others: nothing else is read or stored. */
  halves: boolean
  /** The pages of the slot that are bound, where it has several; else addresses are indices of the array. */
  readonly window?: { readonly pages: readonly number[]; readonly pageWords: number }
}

/** The names of the arrays, one a binding. */
const arraysOf = ({ name, window }: Bound): string[] => (window ? window.pages.map((_, i) => `${name}_${i}`) : [name])

/** Pages of the slot, in the order of the bindings. */
export const pagesOf = ({ window }: Bound): readonly number[] => window?.pages ?? [0]

/** The declarations, from binding number `first` on. */
export function declarations(bound: Bound, first: number): string[] {
  const { name, written, shared, quads, halves } = bound
  if (quads && written) throw internalError(`${name} is read in quads and written`)
  const element = halves ? 'f16' : shared ? 'atomic<u32>' : quads ? 'vec4<u32>' : 'u32'
  const access = written ? 'read_write' : 'read'
  return arraysOf(bound).map(
    (array, i) => `@group(0) @binding(${first + i}) var<storage, ${access}> ${array}: array<${element}>;`,
  )
}

/**
 * A statement on the word (or quad, or half) number `at`, which is in one page or another. A number outside the window, of an
 * element that counts for nothing, stays inside some page.
 */
function onPage(bound: Bound, at: string, statement: (place: string) => string): string {
  const { window, quads, halves } = bound
  const arrays = arraysOf(bound)
  if (window === undefined) return statement(`${arrays[0]}[${at}]`)
  const units = quads ? window.pageWords / 4 : halves ? window.pageWords * 2 : window.pageWords
  const place = (array: string) => statement(`${array}[at & ${units - 1}]`)
  const head = `let at = ${at};`
  if (arrays.length === 1) return `${head} ${place(arrays[0] as string)}`
  const cases = arrays.map((array, i) => {
    const label = i + 1 === arrays.length ? 'default:' : `case ${window.pages[i]}:`
    return `${label} { ${place(array)} }`
  })
  return `${head} switch (at >> ${Math.log2(units)}u) { ${cases.join(' ')} }`
}

/** A statement on one word. */
function onWord(bound: Bound, at: string, statement: (word: string) => string): string {
  if (bound.quads) return onPage(bound, `(${at}) >> 2u`, (quad) => statement(`${quad}[(${at}) & 3]`))
  return onPage(bound, at, (place) => statement(bound.shared ? `atomicLoad(&${place})` : place))
}

/** Bits of an element and its place in the word at `i`. */
const lanesOf = (dtype: DType) => {
  const { lanes } = storageOf(dtype)
  return { shift: lanes === 4 ? 2 : 1, low: lanes - 1, bits: 32 / lanes, mask: lanes === 4 ? '0xffu' : '0xffffu' }
}

/** Functions that read and write elements, by what they do. */
export const accessors = {
  load: (fn: string, bound: Bound, dtype: DType): string => {
    const { type, lanes, decode } = storageOf(dtype)
    const head = `fn ${fn}(i: i32) -> ${type}`
    if (bound.halves) return `${head} { ${onPage(bound, 'i', (half) => `return bitcast<u32>(vec2h(${half}, 0h));`)} }`
    if (lanes === 1) return `${head} { ${onWord(bound, 'i', (word) => `return ${decode(word)};`)} }`
    const { shift, low, bits, mask } = lanesOf(dtype)
    const part = (word: string) => `((${word} >> ((u32(i) & ${low}u) * ${bits}u)) & ${mask})`
    return `${head} { ${onWord(bound, `i >> ${shift}u`, (word) => `return ${decode(part(word))};`)} }`
  },
  store: (fn: string, bound: Bound, dtype: DType): string => {
    const { type, lanes, encode } = storageOf(dtype)
    const head = `fn ${fn}(i: i32, v: ${type})`
    if (bound.halves) return `${head} { ${onPage(bound, 'i', (half) => `${half} = bitcast<vec2h>(v).x;`)} }`
    const value = encode('v')
    if (lanes === 1) {
      const set = (place: string) => (bound.shared ? `atomicStore(&${place}, ${value});` : `${place} = ${value};`)
      return `${head} { ${onPage(bound, 'i', set)} }`
    }
    const { shift, low, bits, mask } = lanesOf(dtype)
    const set = (place: string) => `atomicAnd(&${place}, ~(${mask} << shift)); atomicOr(&${place}, ${value} << shift);`
    return `${head} {
  let shift = (u32(i) & ${low}u) * ${bits}u;
  ${onPage(bound, `i >> ${shift}u`, set)}
}`
  },
  quad: (fn: string, bound: Bound): string =>
    `fn ${fn}(i: i32) -> vec4f { ${onPage(bound, 'i', (place) => `return bitcast<vec4f>(${place});`)} }`,
  word: (fn: string, bound: Bound): string => {
    const set = (place: string) => (bound.shared ? `atomicStore(&${place}, v);` : `${place} = v;`)
    return `fn ${fn}(i: i32, v: u32) { ${onPage(bound, 'i', set)} }`
  },
}
