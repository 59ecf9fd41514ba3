import type { FunctionBuilder } from '../../wasm/assembler.ts'
import { addScaled } from '../epilogue.ts'
import { aligned, type Push } from '../workspace.ts'

/** A part of a memory area. */
export interface Part {
  readonly offset: number
  readonly bytes: number
}

/** Memory cut into parts that start at whole lines of the cache. */
export class Area {
  bytes = 0

  take(bytes: number): Part {
    const offset = this.bytes
    this.bytes += aligned(bytes)
    return { offset, bytes }
  }
}

/** Pushes the address of a part. */
export function pushPart(f: FunctionBuilder, start: Push, part: Part): void {
  start(f)
  addScaled(f, 1, part.offset)
}

/** Bytes of lines of the cache; planes an even number of them apart would share few of its sets. */
export const oddLines = (bytes: number): number => {
  const lines = Math.ceil(bytes / 64)
  return 64 * (lines % 2 === 0 ? lines + 1 : lines)
}
