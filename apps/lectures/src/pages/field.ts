import type { Picture } from '../report/png.ts'

/** Values on a grid of `size` by `size` places over a square, the first row at the top. */
export interface Field {
  readonly size: number
  readonly values: ArrayLike<number>
}

/** The places of a grid as [x, y] rows, the centres of its pixels, in the order of a {@link Field}. */
export function gridPoints(size: number, x: readonly [number, number], y: readonly [number, number]): Float32Array {
  const out = new Float32Array(2 * size * size)
  for (let r = 0; r < size; r++)
    for (let c = 0; c < size; c++) {
      out[2 * (r * size + c)] = x[0] + ((c + 0.5) / size) * (x[1] - x[0])
      out[2 * (r * size + c) + 1] = y[1] - ((r + 0.5) / size) * (y[1] - y[0])
    }
  return out
}

const warm = [196, 98, 42] as const
const cold = [38, 122, 160] as const

/** A field by sign and size, warm above zero and cold below; `limit` is what is drawn in full colour. */
export function signPicture({ size, values }: Field, limit: number, strength = 150): Picture {
  const pixels = new Uint8Array(4 * size * size)
  for (let i = 0; i < size * size; i++) {
    const v = values[i] as number
    pixels.set(v < 0 ? cold : warm, 4 * i)
    pixels[4 * i + 3] = Math.round(strength * Math.min(1, Math.abs(v) / limit))
  }
  return { width: size, height: size, channels: 4, pixels }
}

/** A surface as a map with height lines: bands by level, darker the higher. `level` maps a value to a real level. */
export function bandPicture({ size, values }: Field, level: (value: number) => number, levels: number): Picture {
  const pixels = new Uint8Array(4 * size * size)
  const at = (i: number): number => Math.floor(level(values[i] as number))
  for (let r = 0; r < size; r++)
    for (let c = 0; c < size; c++) {
      const i = r * size + c
      const band = at(i)
      const edge = (c + 1 < size && at(i + 1) !== band) || (r + 1 < size && at(i + size) !== band)
      pixels.set(cold, 4 * i)
      const share = Math.min(1, Math.max(0, band / levels))
      pixels[4 * i + 3] = Math.round(14 + 120 * share + (edge ? 55 : 0))
    }
  return { width: size, height: size, channels: 4, pixels }
}

/** The sign of a function of the plane as a picture: warm where it is above 0. */
export function field2(
  x: readonly [number, number],
  y: readonly [number, number],
  f: (x: number, y: number) => number,
  size = 160,
): Picture {
  const at = gridPoints(size, x, y)
  const values = Float64Array.from({ length: size * size }, (_, i) =>
    Math.sign(f(at[2 * i] as number, at[2 * i + 1] as number)),
  )
  return signPicture({ size, values }, 1, 70)
}
