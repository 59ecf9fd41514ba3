import type { Experiment, RunRecord } from '../record.ts'
import type { Picture } from './png.ts'

/** Ink on a transparent ground: 0 is paper, 255 is ink. */
export function inkPicture(pixels: Uint8Array, width: number, height: number): Picture {
  const out = new Uint8Array(2 * pixels.length)
  for (const [i, ink] of pixels.entries()) out[2 * i + 1] = ink
  return { width, height, channels: 2, pixels: out }
}

const positive = [214, 84, 38] as const
const negative = [35, 120, 190] as const

/** Weights by sign and size: warm above zero, cold below, clear at zero. `limit` is what is drawn in full colour. */
export function weightPicture(weights: readonly number[], width: number, height: number, limit: number): Picture {
  const out = new Uint8Array(4 * weights.length)
  for (const [i, w] of weights.entries()) {
    out.set(w < 0 ? negative : positive, 4 * i)
    out[4 * i + 3] = Math.round(255 * Math.min(1, Math.abs(w) / (limit || 1)))
  }
  return { width, height, channels: 4, pixels: out }
}

const tile = [120, 120, 120, 40] as const
const inks: Readonly<Record<RunRecord['model'], readonly number[]>> = {
  mlp: [224, 112, 58, 255],
  cnn: [48, 146, 184, 255],
}

/** The whole test set as a mosaic, one pixel an image in its order, the mistakes in the network's colour. */
export function mosaicPicture(run: RunRecord, { testImages }: Pick<Experiment, 'testImages'>): Picture {
  const width = Math.ceil(Math.sqrt(testImages))
  const height = Math.ceil(testImages / width)
  const out = new Uint8Array(4 * width * height)
  for (let i = 0; i < testImages; i++) out.set(tile, 4 * i)
  for (const { index } of run.mistakes) out.set(inks[run.model], 4 * index)
  return { width, height, channels: 4, pixels: out }
}
