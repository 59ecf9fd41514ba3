import type { Program } from '@tessella/compiler'
import { splitReductions } from '../threads/partials.ts'
import { splitByImage } from './imageSums.ts'
import { keepPlaces } from './keepPlaces.ts'

/** A program as this backend runs it: pools keep what their gradients need, reductions are cut for chains and threads. */
export const prepared = (program: Program): Program => splitReductions(splitByImage(keepPlaces(program)))
