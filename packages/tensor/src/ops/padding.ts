import { build, checkOptions, checkWhole, type Node, OpError } from '@tessella/ir'

export type PadWidths = number | readonly (readonly [number, number])[]
/** How the border is filled: with a value, mirrored without the edge, with the edge, or from the other side. */
export type PadMode = 'constant' | 'reflect' | 'replicate' | 'circular'

function resolve(x: Node, widths: PadWidths): readonly (readonly [number, number])[] {
  const list = typeof widths === 'number' ? x.shape.map(() => [widths, widths] as const) : widths
  if (list.length !== x.shape.length)
    throw new OpError('pad', `${list.length} pairs of widths for ${x.shape.length} dimensions`, {
      shapes: [x.shape],
      hint: 'Give one [before, after] for each dimension.',
    })
  checkWhole('pad', 'widths', list, 0, 'Slice to make a tensor smaller.')
  return list
}

/** What the border holds. */
export interface PadOptions {
  /** For mode 'constant'; 0 unless given. */
  readonly value?: number | undefined
  /** 'constant' unless given. */
  readonly mode?: PadMode | undefined
}

type Border = (x: Node, axis: number, n: number, side: 'lo' | 'hi', width: number) => Node

const borders: {
  readonly [M in Exclude<PadMode, 'constant'>]: { readonly room: (n: number) => number; readonly make: Border }
} = {
  reflect: {
    room: (n) => n - 1,
    make: (x, axis, n, side, width) =>
      build.flip(build.narrow(x, axis, side === 'lo' ? 1 : n - 1 - width, width), [axis]),
  },
  replicate: {
    room: (n) => (n > 0 ? Number.POSITIVE_INFINITY : 0),
    make: (x, axis, n, side, width) =>
      build.expand(
        build.narrow(x, axis, side === 'lo' ? 0 : n - 1, 1),
        x.shape.map((s, i) => (i === axis ? width : s)),
      ),
  },
  circular: {
    room: (n) => n,
    make: (x, axis, n, side, width) => build.narrow(x, axis, side === 'lo' ? n - width : 0, width),
  },
}

export function pad(x: Node, widths: PadWidths, options: PadOptions): Node {
  checkOptions('pad', options, ['value', 'mode'])
  const { value = 0, mode = 'constant' } = options
  const list = resolve(x, widths)
  if (mode === 'constant')
    return build.pad(
      x,
      list.map((p) => p[0]),
      list.map((p) => p[1]),
      value,
    )
  const border = borders[mode]
  let out = x
  for (const [axis, [lo, hi]] of list.entries()) {
    const n = out.shape[axis] as number
    const room = border.room(n)
    if (lo > room || hi > room)
      throw new OpError(
        'pad',
        `mode '${mode}' can add at most ${room} to dimension ${axis} of size ${n}, asked for [${lo}, ${hi}]`,
        {
          shapes: [x.shape],
          hint: "Pad less or use mode 'replicate'.",
        },
      )
    const parts = [
      ...(lo > 0 ? [border.make(out, axis, n, 'lo', lo)] : []),
      out,
      ...(hi > 0 ? [border.make(out, axis, n, 'hi', hi)] : []),
    ]
    out = build.concat(parts, axis)
  }
  return out
}
