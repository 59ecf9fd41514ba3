import { fromData, nodeOf, OpError, type Shape, sameShape, Variable } from '@tessella/tensor'
import { factsOf, type Initializer, isHolder, joinPath, type Key, type Recipe } from './facts.ts'

const multiply = Math.imul

/** MurmurHash3 (32 bits, public domain, https://github.com/aappleby/smhasher) over UTF-16 units. */
function murmur(text: string, seed: number): number {
  let h = seed | 0
  for (let i = 0; i < text.length; i++) {
    let k = multiply(text.charCodeAt(i), 0xcc9e2d51)
    k = multiply((k << 15) | (k >>> 17), 0x1b873593)
    h ^= k
    h = (multiply((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0
  }
  h ^= text.length * 4
  h = multiply(h ^ (h >>> 16), 0x85ebca6b)
  h = multiply(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** The key for a seed and a name: names do not share numbers, and the same pair gives the same numbers anywhere. */
export function keyOf(seed: number, name: string): Key {
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new OpError('seed', `must be a whole number of at least 0, got ${String(seed)}`)
  const text = `${seed}/${name}`
  return fromData(Uint32Array.of(murmur(text, 0x9e3779b9), murmur(text, 0x7f4a7c15)), [2], 'uint32')
}

const word = (): number => Math.floor(Math.random() * 2 ** 32)

/** A key that nobody has seen: for layers outside of any model. (Node takes 8 ms to load `crypto`.) */
export const freshKey = (): Key => fromData(Uint32Array.of(word(), word()), [2], 'uint32')

/** The initialiser's tensor, checked. */
export function drawn(draw: Initializer, key: Key, shape: Shape, name: string) {
  const value = draw(key, shape)
  if (!sameShape(value.shape, shape))
    throw new OpError('init', `the initialiser of '${name}' made another shape`, {
      shapes: [shape, value.shape],
      hint: 'It gets (key, shape) and returns a tensor of that shape.',
    })
  return value.cast('float32')
}

interface ParameterOptions {
  readonly role: Recipe['role']
  /** The layer's own seed, if it has one. */
  readonly seed?: number | undefined
  readonly trainable?: boolean
}

/** A Variable and how it came to its value. */
export interface Parameter<S extends Shape> {
  readonly variable: Variable<[...S], 'float32'>
  readonly recipe: Recipe
}

/** Makes a Variable by an initialiser. Without a seed its place in a model will decide its numbers. */
export function parameter<const S extends Shape>(
  name: string,
  shape: S,
  init: Initializer,
  { role, seed, trainable = true }: ParameterOptions,
): Parameter<S> {
  const draw = (key: Key) => drawn(init, key, shape, name)
  const value = draw(seed === undefined ? freshKey() : keyOf(seed, name))
  const variable = new Variable(value, { trainable, name }) as unknown as Variable<[...S], 'float32'>
  const birth = seed === undefined ? new WeakRef(nodeOf(value)) : undefined
  return { variable, recipe: { name, role, target: variable as unknown as Variable, draw, birth } }
}

/** The recipes in a model with the dotted names of their Variables, each once. */
export function namedRecipes(root: unknown): readonly (readonly [name: string, recipe: Recipe])[] {
  const found: (readonly [string, Recipe])[] = []
  const seen = new Set<unknown>()
  const visit = (x: unknown, path: string): void => {
    if ((typeof x !== 'function' && !isHolder(x)) || seen.has(x)) return
    seen.add(x)
    for (const recipe of factsOf(x)?.recipes ?? [])
      if (!seen.has(recipe.target)) {
        seen.add(recipe.target)
        found.push([joinPath(path, recipe.name), recipe])
      }
    for (const [key, entry] of Object.entries(x)) visit(entry, joinPath(path, key))
  }
  visit(root, '')
  return found
}

/**
 * Gives the parts of a new model the numbers of their place in it, as seed 0 has them: building a model twice gives
 * the same weights, and siblings differ. Parts with a seed of their own, and those that were trained or loaded
 * before, keep what they have. The outermost model decides.
 */
export function adopt(model: unknown): void {
  for (const [name, recipe] of namedRecipes(model)) {
    if (recipe.birth === undefined) continue
    if (recipe.birth.deref() !== nodeOf(recipe.target.value)) recipe.birth = undefined
    else redraw(recipe, keyOf(0, name), true)
  }
}

/** Draws a Variable's first value again; `open` leaves it to be redrawn by a larger model. */
export function redraw(recipe: Recipe, key: Key, open: boolean, draw = recipe.draw): void {
  const value = draw(key)
  recipe.target.assign(value)
  recipe.birth = open ? new WeakRef(nodeOf(value)) : undefined
}
