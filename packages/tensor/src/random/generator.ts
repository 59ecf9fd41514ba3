import { Variable } from '../variable.ts'
import { type Key, key, splitKey } from './sampling.ts'

/**
 * A source of keys whose state is a Variable: every `next` is a fresh key, inside `compile` on every call too.
 * @example
 * const generator = new Generator(1)
 * const noise = normal(generator.next(), [64, 10])
 */
export class Generator {
  /** The state; save and restore it as any other Variable. */
  readonly state: Variable<[2], 'uint32'>

  constructor(seed: number) {
    this.state = new Variable(key(seed), { trainable: false, name: 'generator' })
  }

  /** A key that was not given before; the state moves on. */
  next(): Key {
    const keys = splitKey(this.state.value, 2)
    this.state.assign(keys.at(0, 0))
    return keys.at(0, 1)
  }

  /** Starts again from a seed. */
  reseed(seed: number): void {
    this.state.assign(key(seed))
  }
}
