const side = 28
/** MNIST's digits fit into a box of this size, with their centre of mass in the middle of the picture. */
const box = 20

/** A drawing's ink, 0 to 255, row by row. */
export interface Drawing {
  readonly width: number
  readonly height: number
  readonly ink: ArrayLike<number>
}

/** Where there is ink: left, top, right and bottom, the last two exclusive. */
function bounds({ width, height, ink }: Drawing) {
  let [left, top, right, bottom] = [width, height, 0, 0]
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      if ((ink[y * width + x] as number) > 0) {
        left = Math.min(left, x)
        right = Math.max(right, x + 1)
        top = Math.min(top, y)
        bottom = y + 1
      }
  return { left, top, right, bottom }
}

/**
 * A drawing as MNIST was made: scaled so that its longer side is 20 pixels, every pixel the mean of the ink under it, then
 * moved so that the centre of mass is in the middle of 28x28 (Y. LeCun, C. Cortes, C. Burges). `undefined` without ink.
 */
export function toMnist(drawing: Drawing): Uint8Array | undefined {
  const { left, top, right, bottom } = bounds(drawing)
  if (right <= left) return undefined
  const scale = box / Math.max(right - left, bottom - top)
  const sums = new Float64Array(side * side)
  let [mass, massX, massY] = [0, 0, 0]
  for (let y = top; y < bottom; y++)
    for (let x = left; x < right; x++) {
      const value = drawing.ink[y * drawing.width + x] as number
      mass += value
      massX += value * (x + 0.5)
      massY += value * (y + 0.5)
    }
  // Whole pixels, so that the box stays sharp.
  const shiftX = Math.round(side / 2 - scale * (massX / mass - left))
  const shiftY = Math.round(side / 2 - scale * (massY / mass - top))
  for (let y = top; y < bottom; y++)
    for (let x = left; x < right; x++) {
      const value = drawing.ink[y * drawing.width + x] as number
      spread(sums, value, (x - left) * scale + shiftX, (y - top) * scale + shiftY, scale)
    }
  return Uint8Array.from(sums, (v) => Math.round(Math.min(255, v)))
}

/** Adds a square of ink with its upper left corner at (x, y): to every pixel by the area that it covers of it. */
function spread(sums: Float64Array, value: number, x: number, y: number, size: number): void {
  if (value === 0) return
  for (let row = Math.floor(y); row < y + size; row++)
    for (let column = Math.floor(x); column < x + size; column++) {
      if (row < 0 || row >= side || column < 0 || column >= side) continue
      const high = Math.min(row + 1, y + size) - Math.max(row, y)
      const wide = Math.min(column + 1, x + size) - Math.max(column, x)
      const at = row * side + column
      sums[at] = (sums[at] as number) + value * Math.max(0, high) * Math.max(0, wide)
    }
}
