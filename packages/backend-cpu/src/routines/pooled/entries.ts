import type { KernelContext } from '../../kernels/context.ts'
import type { FunctionRef, Local } from '../../wasm/assembler.ts'
import { none } from '../poolPlaces.ts'
import { loadVector } from '../tile.ts'

/** The 2x2 windows of an image, and what addresses are apart by them, in bytes. */
export interface Windows {
  readonly planes: number
  readonly rows: number
  readonly columns: number
  readonly planeStep: number
  readonly rowStep: number
  readonly columnStep: number
  /** From the left column of a window to the right one, and from its upper row to the lower one. */
  readonly right: number
  readonly down: number
}

/** Entries of a plane: rows are filled up to a multiple of four with zeros. */
export const entriesOf = ({ rows, columns }: Pick<Windows, 'rows' | 'columns'>): number =>
  rows * Math.ceil(columns / 4) * 4

/** Bytes of the entries of a plane: first all addresses, then all numbers. */
export const entryBytes = (windows: Pick<Windows, 'rows' | 'columns'>): number => 8 * entriesOf(windows)

/**
 * A function (places, gradients, base, entries): for each window of each plane the address that belongs to the element
 * where the maximum is, and the gradient, 0 where none passes.
 */
export function emitEntries(context: KernelContext, windows: Windows): FunctionRef {
  const { planes, rows, columns, planeStep, rowStep, columnStep, right, down } = windows
  return context.module.function(['i32', 'i32', 'i32', 'i32'], [], (f, ...params) => {
    const [places, values, base, entries] = params as [Local, Local, Local, Local]
    const splat = (value: number): Local => {
      const local = f.local('v128')
      f.push(value, 'i32x4.splat')
      f.set(local)
      return local
    }
    const [one, nowhere, step] = [splat(1), splat(none), splat(4 * columnStep)] as [Local, Local, Local]
    const [toRight, below] = [splat(right), splat(down)] as [Local, Local]
    const lanes = f.local('v128')
    f.v128(new Uint8Array(Int32Array.from([0, 1, 2, 3], (i) => i * columnStep).buffer))
    f.set(lanes)
    const [at, place, address] = [0, 1, 2].map(() => f.local('v128')) as [Local, Local, Local]
    const numbers = 4 * entriesOf(windows)
    const four = (count: number): void => {
      f.get(places)
      f.load('v128.load32_zero', 0)
      f.push('i16x8.extend_low_i8x16_u', 'i32x4.extend_low_i16x8_u')
      f.set(place)
      f.push(at, place, one, 'v128.and', toRight, 'i32x4.mul', 'i32x4.add')
      f.push(place, 1, 'i32x4.shr_u', one, 'v128.and', below, 'i32x4.mul', 'i32x4.add')
      f.set(address)
      if (count < 4) {
        // What is behind the row is multiplied by zero, and must be a number.
        f.get(address)
        f.v128(new Uint8Array(Int32Array.from([0, 1, 2, 3], (i) => (i < count ? -1 : 0)).buffer))
        f.push('v128.and', base, 'i32x4.splat')
        f.v128(new Uint8Array(Int32Array.from([0, 1, 2, 3], (i) => (i < count ? 0 : -1)).buffer))
        f.push('v128.and', 'v128.or')
        f.set(address)
      }
      f.push(entries, address)
      f.store('v128.store', 0)
      f.get(entries)
      loadVector(f, values, 0, count)
      f.push(place, nowhere, 'i32x4.ne', 'v128.and')
      f.store('v128.store', numbers)
      f.bump(places, 4)
      f.bump(values, 4 * count)
      f.bump(entries, 16)
    }
    f.times(planes, () => {
      f.times(rows, () => {
        f.push(base, 'i32x4.splat', lanes, 'i32x4.add')
        f.set(at)
        f.times(Math.floor(columns / 4), () => {
          four(4)
          f.push(at, step, 'i32x4.add')
          f.set(at)
        })
        if (columns % 4 > 0) four(columns % 4)
        f.bump(base, rowStep)
      })
      f.bump(base, planeStep - rows * rowStep)
      f.bump(entries, numbers)
    })
  })
}
