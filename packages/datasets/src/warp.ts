import type { RandomStream } from './random.ts'

/** How far every pixel of the result reaches away from its place, in pixels. */
export interface Displacement {
  readonly x: Float32Array
  readonly y: Float32Array
}

/** Where the pixels of a result come from. */
export interface Warp {
  /** (x, y) of the image to (x, y) of the result, around the middle: [xx, xy, yx, yy]. */
  readonly matrix: readonly [number, number, number, number]
  /** Then this much to the right and down, in pixels. */
  readonly move: readonly [x: number, y: number]
  readonly bend: Displacement | undefined
  readonly fill: number
}

/** The weight of the next grid point at a share of the way, flat at both ends. */
const smooth = (t: number): number => t * t * (3 - 2 * t)

/** Normal displacements at grid points `spacing` pixels apart, and smoothly between. */
export function displacement(
  random: RandomStream,
  height: number,
  width: number,
  strength: number,
  spacing: number,
): Displacement {
  const [rows, columns] = [Math.ceil(height / spacing) + 1, Math.ceil(width / spacing) + 1]
  const field = (): Float32Array => {
    const grid = Float32Array.from({ length: rows * columns }, () => strength * random.normal())
    const out = new Float32Array(height * width)
    for (let y = 0; y < height; y++) {
      const row = Math.floor(y / spacing)
      const v = smooth(y / spacing - row)
      for (let x = 0; x < width; x++) {
        const col = Math.floor(x / spacing)
        const u = smooth(x / spacing - col)
        const at = row * columns + col
        const above = (grid[at] as number) * (1 - u) + (grid[at + 1] as number) * u
        const below = (grid[at + columns] as number) * (1 - u) + (grid[at + columns + 1] as number) * u
        out[y * width + x] = above * (1 - v) + below * v
      }
    }
    return out
  }
  return { x: field(), y: field() }
}

/** One channel, sampled between its four neighbours; what lies outside is `fill`. */
export function warpPlane(
  from: Uint8Array | Float32Array,
  to: Uint8Array | Float32Array,
  height: number,
  width: number,
  { matrix, move, bend, fill }: Warp,
): void {
  const [a, b, c, d] = matrix
  const det = a * d - b * c
  const [ia, ib, ic, id] = [d / det, -b / det, -c / det, a / det]
  const [midX, midY] = [(width - 1) / 2, (height - 1) / 2]
  const bytes = to instanceof Uint8Array
  const at = (x: number, y: number): number =>
    x >= 0 && x < width && y >= 0 && y < height ? (from[y * width + x] as number) : fill
  // One pixel after another without a closure or an array each: this loop decides how fast augmentation is.
  let place = 0
  for (let y = 0; y < height; y++) {
    const dy = y - midY - move[1]
    let sx = ia * (-midX - move[0]) + ib * dy + midX
    let sy = ic * (-midX - move[0]) + id * dy + midY
    for (let x = 0; x < width; x++, place++, sx += ia, sy += ic) {
      const px = bend === undefined ? sx : sx + (bend.x[place] as number)
      const py = bend === undefined ? sy : sy + (bend.y[place] as number)
      const x0 = Math.floor(px)
      const y0 = Math.floor(py)
      const u = px - x0
      const v = py - y0
      let value: number
      if (x0 >= 0 && x0 < width - 1 && y0 >= 0 && y0 < height - 1) {
        const k = y0 * width + x0
        const above = (from[k] as number) * (1 - u) + (from[k + 1] as number) * u
        const below = (from[k + width] as number) * (1 - u) + (from[k + width + 1] as number) * u
        value = above * (1 - v) + below * v
      } else if (x0 < -1 || x0 >= width || y0 < -1 || y0 >= height) value = fill
      else {
        const above = at(x0, y0) * (1 - u) + at(x0 + 1, y0) * u
        const below = at(x0, y0 + 1) * (1 - u) + at(x0 + 1, y0 + 1) * u
        value = above * (1 - v) + below * v
      }
      to[place] = bytes ? Math.min(255, Math.max(0, Math.round(value))) : value
    }
  }
}

/** Adds normal numbers of a deviation, two from each pair of random words (Box and Muller); bytes are rounded and kept in range. */
export function addNoise(to: Uint8Array | Float32Array, deviation: number, random: RandomStream): void {
  const bytes = to instanceof Uint8Array
  const add = (i: number, noise: number): void => {
    const value = (to[i] as number) + noise
    to[i] = bytes ? Math.min(255, Math.max(0, Math.round(value))) : value
  }
  for (let i = 0; i < to.length; i += 2) {
    const radius = deviation * Math.sqrt(-2 * Math.log((random.uint32() + 1) / 2 ** 32))
    const angle = (2 * Math.PI * random.uint32()) / 2 ** 32
    add(i, radius * Math.cos(angle))
    if (i + 1 < to.length) add(i + 1, radius * Math.sin(angle))
  }
}
