import type { Program } from '@tessella/compiler'
import { splitReductions } from '../threads/partials.ts'
import { apart } from './arena.ts'
import { splitByImage } from './imageSums.ts'
import { keepPlaces } from './keepPlaces.ts'
import { pooledGradients } from './pooledGradients.ts'

/**
 * A program as this backend runs it: pools keep what their gradients need, reductions are cut for chains and threads.
 * Its temporaries have memory of their own each, until `planArena` places them.
 */
export const prepared = (program: Program): Program =>
  splitReductions(splitByImage(pooledGradients(keepPlaces(apart(program)))))
