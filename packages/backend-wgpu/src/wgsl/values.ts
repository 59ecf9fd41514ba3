import type { Affine, Expr } from '@tessella/compiler'
import { castText } from './casts.ts'
import { binaryText, unaryText } from './functions.ts'
import { literalText } from './literals.ts'
import type { Shader } from './shader.ts'
import { stored } from './storage.ts'

/** An affine form as an i32 expression over names of indices. */
export function affineText({ offset, strides }: Affine, indices: readonly string[]): string {
  const terms = strides.flatMap((s, d) => {
    const index = indices[d]
    return s === 0 || index === undefined ? [] : [s === 1 ? index : `${index} * ${s < 0 ? `(${s})` : s}`]
  })
  if (offset !== 0 || terms.length === 0) terms.push(offset < 0 ? `(${offset})` : String(offset))
  return terms.join(' + ')
}

/** Where the points of a space are: the names of its indices, and of the results known there. */
export interface Place {
  readonly indices: readonly string[]
  readonly results: readonly string[]
}

const operandsOf = (e: Expr): readonly Expr[] => {
  switch (e.kind) {
    case 'unary':
    case 'cast':
      return [e.x]
    case 'binary':
      return [e.a, e.b]
    case 'select':
      return [e.condition, e.a, e.b]
    case 'gather':
      return [e.index]
    default:
      return []
  }
}

/**
 * Writes expressions as lines of `let`, each shared object once. With an `outer` scope of fewer indices, what does not
 * change along the further ones is written there, before the loop.
 */
export class Values {
  readonly lines: string[] = []
  readonly #shader: Shader
  readonly #place: Place
  readonly #outer: Values | undefined
  readonly #names = new Map<Expr, string>()
  readonly #varies = new Map<Expr, boolean>()

  constructor(shader: Shader, place: Place, outer?: Values) {
    this.#shader = shader
    this.#place = place
    this.#outer = outer
  }

  /** The name of the value. */
  of(e: Expr): string {
    if (this.#outer && !this.#isInner(e, this.#outer.#place.indices.length)) return this.#outer.of(e)
    const known = this.#names.get(e)
    if (known !== undefined) return known
    const text = this.#text(e)
    const isName = e.kind === 'result'
    const name = isName ? text : this.#shader.name()
    if (!isName) this.lines.push(`let ${name} = ${text};`)
    this.#names.set(e, name)
    return name
  }

  /** Whether the value changes along indices from number `rank` on. */
  #isInner(e: Expr, rank: number): boolean {
    const known = this.#varies.get(e)
    if (known !== undefined) return known
    const own = 'at' in e && e.at.strides.some((s, d) => d >= rank && s !== 0)
    const answer = own || operandsOf(e).some((x) => this.#isInner(x, rank))
    this.#varies.set(e, answer)
    return answer
  }

  #address(at: Affine): string {
    return affineText(at, this.#place.indices)
  }

  #text(e: Expr): string {
    const shader = this.#shader
    switch (e.kind) {
      case 'constant': {
        if (e.dtype === 'float32') shader.use('float_of')
        return literalText(stored(e.dtype), e.value)
      }
      case 'load':
        return shader.load(shader.memory(e.buffer), this.#address(e.at))
      case 'index': {
        const { uses, text } = castText('int32', stored(e.dtype))
        shader.use(...uses)
        return text(`(${this.#address(e.at)})`)
      }
      case 'unary': {
        const { uses, text } = unaryText(e.x.dtype, e.fn)
        shader.use(...uses)
        return text(this.of(e.x))
      }
      case 'binary': {
        const right = e.b.kind === 'constant' && !Number.isNaN(e.b.value) ? e.b.value : undefined
        const { uses, text } = binaryText(e.a.dtype, e.fn, right)
        shader.use(...uses)
        return text(this.of(e.a), this.of(e.b))
      }
      case 'select': {
        const condition = this.of(e.condition)
        const a = this.of(e.a)
        return `select(${this.of(e.b)}, ${a}, ${condition})`
      }
      case 'cast': {
        const { uses, text } = castText(stored(e.x.dtype), stored(e.dtype))
        shader.use(...uses)
        return text(this.of(e.x))
      }
      case 'gather':
        return this.#gather(e)
      case 'random': {
        shader.use('threefry')
        const key = shader.memory(e.key)
        const word = (n: number) => shader.load(key, String(e.keyOffset + n))
        return `threefry(${word(0)}, ${word(1)}, u32(${this.#address(e.at)}))`
      }
      case 'result':
        return this.#place.results[e.index] as string
    }
  }

  #gather(e: Extract<Expr, { kind: 'gather' }>): string {
    const shader = this.#shader
    const index = shader.name('g')
    const inside = shader.name('g')
    const dtype = stored(e.dtype)
    if (dtype === 'float32') shader.use('float_of')
    const outside = literalText(dtype, dtype === 'float32' || dtype === 'float16' ? Number.NaN : 0)
    const given = this.of(e.index)
    const { text } = castText(stored(e.index.dtype), 'int32')
    this.lines.push(`let ${index} = ${text(given)};`, `let ${inside} = ${index} >= 0 && ${index} < ${e.size};`)
    const at = `${this.#address(e.at)} + select(0, ${index}, ${inside}) * ${e.stride}`
    return `select(${outside}, ${shader.load(shader.memory(e.buffer), at)}, ${inside})`
  }
}
