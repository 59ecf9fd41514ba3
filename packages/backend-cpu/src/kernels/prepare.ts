import type { Program } from '@tessella/compiler'
import { splitReductions } from '../threads/partials.ts'
import { splitByImage } from './imageSums.ts'

/** A program with its reductions cut for chains and for threads: the kernels that a module is made of. */
export const prepared = (program: Program): Program => splitReductions(splitByImage(program))
