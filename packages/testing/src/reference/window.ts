import { type ConvAttrs, type Dims, type HostArray, type PoolAttrs, sizeOf, type WindowAttrs } from '@tessella/ir'

/** One spatial dimension of a window. */
interface Axis {
  readonly input: number
  readonly kernel: number
  readonly output: number
  readonly stride: number
  readonly lo: number
  readonly dilation: number
}

const point: Axis = { input: 1, kernel: 1, output: 1, stride: 1, lo: 0, dilation: 1 }

/** Three axes, with sizes of 1 in front of the ones there are. */
function axesOf(input: Dims, kernel: Dims, output: Dims, attrs: WindowAttrs): readonly [Axis, Axis, Axis] {
  const axes = input.map(
    (n, i): Axis => ({
      input: n,
      kernel: kernel[i] as number,
      output: output[i] as number,
      stride: attrs.stride[i] as number,
      lo: attrs.padding[i]?.[0] as number,
      dilation: attrs.dilation[i] as number,
    }),
  )
  const [a = point, b = point, c = point] = [...new Array<Axis>(3 - axes.length).fill(point), ...axes]
  return [a, b, c]
}

/** The outputs [from, to) whose input position at kernel offset `k` lies inside the input. */
function inside(axis: Axis, k: number): readonly [number, number] {
  const shift = k * axis.dilation - axis.lo
  const from = Math.max(0, Math.ceil(-shift / axis.stride))
  const to = Math.min(axis.output, Math.floor((axis.input - 1 - shift) / axis.stride) + 1)
  return [from, to]
}

/** Products of a row: x at `x + i * stride`, one weight, y at `y + i`, for i < count. */
type Row = (x: number, stride: number, weight: number, y: number, count: number) => void

/** Every product of a convolution exactly once, in rows along the last dimension. */
export function convRows(x: Dims, w: Dims, y: Dims, attrs: ConvAttrs, row: Row): void {
  const [d, h, v] = axesOf(x.slice(2), w.slice(2), y.slice(2), attrs)
  const batch = x[0] as number
  const channels = x[1] as number
  const outputs = w[0] as number
  const perGroup = w[1] as number
  const outputsPerGroup = outputs / attrs.groups
  for (let n = 0; n < batch; n++)
    for (let o = 0; o < outputs; o++) {
      const firstChannel = Math.floor(o / outputsPerGroup) * perGroup
      for (let c = 0; c < perGroup; c++)
        for (let kd = 0; kd < d.kernel; kd++) {
          const [fromD, toD] = inside(d, kd)
          for (let kh = 0; kh < h.kernel; kh++) {
            const [fromH, toH] = inside(h, kh)
            for (let kv = 0; kv < v.kernel; kv++) {
              const [fromV, toV] = inside(v, kv)
              const weight = (((o * perGroup + c) * d.kernel + kd) * h.kernel + kh) * v.kernel + kv
              for (let od = fromD; od < toD; od++)
                for (let oh = fromH; oh < toH; oh++) {
                  const id = od * d.stride + kd * d.dilation - d.lo
                  const ih = oh * h.stride + kh * h.dilation - h.lo
                  const iv = fromV * v.stride + kv * v.dilation - v.lo
                  const at = (((n * channels + firstChannel + c) * d.input + id) * h.input + ih) * v.input + iv
                  const to = (((n * outputs + o) * d.output + od) * h.output + oh) * v.output + fromV
                  if (toV > fromV) row(at, v.stride, weight, to, toV - fromV)
                }
            }
          }
        }
    }
}

/** For each output of a pool, the address of its window's first maximum (NaN wins), or -1 when it sees only padding. */
export function poolMaxima(data: HostArray, shape: Dims, pooled: Dims, attrs: PoolAttrs): Int32Array {
  const [d, h, v] = axesOf(shape.slice(2), attrs.kernel, pooled.slice(2), attrs)
  const planes = (shape[0] as number) * (shape[1] as number)
  const out = new Int32Array(sizeOf(pooled))
  let next = 0
  for (let p = 0; p < planes; p++)
    for (let od = 0; od < d.output; od++)
      for (let oh = 0; oh < h.output; oh++)
        for (let ov = 0; ov < v.output; ov++) {
          let best = Number.NEGATIVE_INFINITY
          let where = -1
          for (let kd = 0; kd < d.kernel; kd++) {
            const id = od * d.stride + kd * d.dilation - d.lo
            if (id < 0 || id >= d.input) continue
            for (let kh = 0; kh < h.kernel; kh++) {
              const ih = oh * h.stride + kh * h.dilation - h.lo
              if (ih < 0 || ih >= h.input) continue
              for (let kv = 0; kv < v.kernel; kv++) {
                const iv = ov * v.stride + kv * v.dilation - v.lo
                if (iv < 0 || iv >= v.input) continue
                const at = ((p * d.input + id) * h.input + ih) * v.input + iv
                const value = data[at] as number
                if (where < 0 || value > best || (Number.isNaN(value) && !Number.isNaN(best))) {
                  best = value
                  where = at
                }
              }
            }
          }
          out[next++] = where
        }
  return out
}
