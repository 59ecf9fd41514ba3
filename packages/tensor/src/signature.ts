import { OpError } from '@tessella/ir'
import { isTensor, type Tensor } from './tensor.ts'
import { isVariable } from './variable.ts'

/** A call's arguments taken apart: what changes from call to call, and the text of all that does not. */
export interface Signature {
  /** Tensors and numbers in order. */
  readonly dynamic: readonly unknown[]
  readonly key: string
}

/** Identities of objects that a signature can only compare by reference. */
class References {
  readonly #ids = new WeakMap<object, number>()
  #next = 0
  id(x: object): number {
    let id = this.#ids.get(x)
    if (id === undefined) {
      id = this.#next++
      this.#ids.set(x, id)
    }
    return id
  }
}

export type { References }
export const references = (): References => new References()

/**
 * Tensors count by shape and dtype, numbers are dynamic scalars, strings, booleans, null and undefined by value,
 * Variables, functions and other objects by identity, arrays and plain objects by their parts.
 */
export function signatureOf(args: readonly unknown[], refs: References): Signature {
  const dynamic: unknown[] = []
  let key = ''
  const visit = (x: unknown): void => {
    if (isTensor(x)) {
      dynamic.push(x)
      key += `${x.dtype}[${x.shape.join()}];`
    } else if (typeof x === 'number') {
      dynamic.push(x)
      key += 'number;'
    } else if (Array.isArray(x)) {
      key += `(${x.length}`
      for (const item of x) visit(item)
      key += ')'
    } else if (typeof x === 'object' && x !== null) {
      const proto: unknown = Object.getPrototypeOf(x)
      if (isVariable(x) || (proto !== Object.prototype && proto !== null)) key += `@${refs.id(x)};`
      else {
        key += '{'
        for (const [name, entry] of Object.entries(x)) {
          key += `${JSON.stringify(name)}:`
          visit(entry)
        }
        key += '}'
      }
    } else if (typeof x === 'function') key += `@${refs.id(x)};`
    else if (typeof x === 'symbol') throw new OpError('compile', 'a symbol cannot be an argument')
    else key += `${typeof x}:${JSON.stringify(typeof x === 'bigint' ? String(x) : x)};`
  }
  for (const arg of args) visit(arg)
  return { dynamic, key }
}

/** A call whose arguments are tensors and numbers, without its values. */
export type Form = readonly (Pick<Tensor, 'dtype' | 'shape'> | 'number')[]

/** The form of a call, where it has one. */
export function formOf(args: readonly unknown[]): Form | undefined {
  const form = args.map((x) => (isTensor(x) ? { dtype: x.dtype, shape: x.shape } : typeof x === 'number' && 'number'))
  return form.every((part) => part !== false) ? (form as Form) : undefined
}

/** Whether a call has the signature of the calls of this form. Cheaper than its key: steps are called for each batch. */
export function hasForm(args: readonly unknown[], form: Form): boolean {
  if (args.length !== form.length) return false
  for (let i = 0; i < form.length; i++) {
    const x = args[i]
    const part = form[i] as Form[number]
    if (part === 'number') {
      if (typeof x !== 'number') return false
    } else if (!isTensor(x) || x.dtype !== part.dtype || !sameShape(x.shape, part.shape)) return false
  }
  return true
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  if (a === b) return true
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
