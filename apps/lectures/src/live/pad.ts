import { type Drawing, toMnist } from './digit.ts'

/** Side of the drawing area in its own pixels, and the width of its pen. */
const side = 280
const pen = 22
const small = 28

export interface Pad {
  clear(): void
  /** Shows an image of 28x28 pixels in the place of the drawing. */
  show(pixels: Uint8Array): void
}

/** The ink of a canvas: what is not transparent. */
function inkOf(context: CanvasRenderingContext2D): Drawing {
  const { data } = context.getImageData(0, 0, side, side)
  return {
    width: side,
    height: side,
    ink: Uint8Array.from({ length: side * side }, (_, i) => data[4 * i + 3] as number),
  }
}

/** Turns a canvas into a place to draw in; `drawn` gets what the networks are to read after every stroke, `undefined` for nothing. */
export function pad(canvas: HTMLCanvasElement, drawn: (pixels: Uint8Array | undefined) => void): Pad {
  canvas.width = canvas.height = side
  const context = canvas.getContext('2d', { willReadFrequently: true }) as CanvasRenderingContext2D
  let last: readonly [number, number] | undefined
  /** Whether what is there was shown, not drawn: a new stroke begins on clean paper. */
  let shown = false
  let waiting = false

  const clear = (): void => {
    context.clearRect(0, 0, side, side)
    shown = false
  }
  const tell = (): void => {
    if (waiting) return
    waiting = true
    // Once a picture of the screen, however many movements there were.
    requestAnimationFrame(() => {
      waiting = false
      drawn(toMnist(inkOf(context)))
    })
  }
  const place = (event: PointerEvent): readonly [number, number] => {
    const { left, top, width, height } = canvas.getBoundingClientRect()
    return [((event.clientX - left) / width) * side, ((event.clientY - top) / height) * side]
  }
  const draw = (event: PointerEvent): void => {
    const [x, y] = place(event)
    const [fromX, fromY] = last ?? [x, y]
    context.lineWidth = pen
    context.lineCap = 'round'
    context.lineJoin = 'round'
    context.beginPath()
    context.moveTo(fromX, fromY)
    context.lineTo(x, y)
    context.stroke()
    last = [x, y]
    tell()
  }
  canvas.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return
    if (shown) clear()
    canvas.setPointerCapture(event.pointerId)
    last = undefined
    draw(event)
  })
  canvas.addEventListener('pointermove', (event) => {
    if (last !== undefined) draw(event)
  })
  for (const end of ['pointerup', 'pointercancel'] as const) canvas.addEventListener(end, () => (last = undefined))

  return {
    clear() {
      clear()
      drawn(undefined)
    },
    show(pixels) {
      clear()
      const image = new ImageData(small, small)
      for (const [i, ink] of pixels.entries()) image.data[4 * i + 3] = ink
      const stamp = new OffscreenCanvas(small, small)
      stamp.getContext('2d')?.putImageData(image, 0, 0)
      context.imageSmoothingEnabled = false
      context.drawImage(stamp, 0, 0, side, side)
      shown = true
    },
  }
}
