import { build, type ConvAttrs, type DType, make, type Node, sizeOf, type UnaryFn, windowSize } from '@tessella/ir'
import { clampIndex, type Pool } from './pool.ts'
import { either, moved, product, smooth, sum, type Tracked, total, tracked } from './tracked.ts'

/** Adds one value (with what it needs) made from values of the pool. */
export type Action = (pool: Pool) => Tracked

/** Functions with slope at most about one, made total by an inner function where they need it. */
const smoothFns: readonly { fn: UnaryFn; bound: (b: number) => number; inner?: 'positive' | 'small' }[] = [
  { fn: 'tanh', bound: () => 1 },
  { fn: 'sin', bound: () => 1 },
  { fn: 'cos', bound: () => 1 },
  { fn: 'erf', bound: () => 1 },
  { fn: 'atan', bound: () => 1.6 },
  { fn: 'sigmoid', bound: () => 1 },
  { fn: 'asinh', bound: (b) => b },
  { fn: 'sqrt', bound: (b) => b + 1, inner: 'positive' },
  { fn: 'rsqrt', bound: () => 1, inner: 'positive' },
  { fn: 'reciprocal', bound: () => 1, inner: 'positive' },
  { fn: 'log', bound: (b) => b + 1, inner: 'positive' },
  { fn: 'log1p', bound: (b) => b + 1, inner: 'positive' },
  { fn: 'log2', bound: (b) => 2 * b + 2, inner: 'positive' },
  { fn: 'exp', bound: () => 3, inner: 'small' },
  { fn: 'expm1', bound: () => 2, inner: 'small' },
  { fn: 'exp2', bound: () => 2, inner: 'small' },
  { fn: 'tan', bound: () => 2, inner: 'small' },
  { fn: 'sinh', bound: () => 2, inner: 'small' },
  { fn: 'cosh', bound: () => 2, inner: 'small' },
]

const smoothUnary: Action = (pool) => {
  const x = pool.float()
  const { fn, bound, inner } = pool.rng.pick(smoothFns)
  if (inner === 'positive')
    return smooth(x, build.unary(fn, build.shift(build.unary('abs', x.node), 1)), bound(x.bound), 2)
  if (inner === 'small') return smooth(x, build.unary(fn, build.unary('tanh', x.node)), bound(x.bound), 4)
  return smooth(x, build.unary(fn, x.node), bound(x.bound))
}

const exactUnary: Action = (pool) => {
  if (pool.rng.next() < 0.5) {
    const x = pool.float()
    return moved(x, build.unary(pool.rng.pick(['neg', 'abs'] as const), x.node))
  }
  const x = pool.exact()
  return tracked(
    build.unary(pool.rng.pick(['floor', 'ceil', 'round', 'trunc', 'sign'] as const), x.node),
    x.bound + 1,
    0,
    0,
  )
}

const arithmetic: Action = (pool) => {
  const a = pool.float()
  const b = pool.partner(a.node.shape)
  switch (pool.rng.integer(0, 6)) {
    case 0:
      return sum(a, b, build.add(a.node, b.node))
    case 1:
      return sum(a, b, build.sub(a.node, b.node))
    case 2:
      return product(a, b, build.mul(a.node, b.node))
    case 3:
      return either(a, b, build.binary('max', a.node, b.node))
    case 4:
      return either(a, b, build.binary('min', a.node, b.node))
    case 5: {
      const by = pool.rng.pick([0.5, -0.25, 2, 0.125])
      return tracked(build.scale(a.node, by), a.bound * 2, a.grid === undefined ? undefined : a.grid + 3, a.error * 2)
    }
    default: {
      // The divisor is at least one, so errors grow no faster than in a product.
      const divisor = build.shift(build.unary('abs', b.node), 1)
      return tracked(build.div(a.node, divisor), a.bound, undefined, a.error + a.bound * b.error)
    }
  }
}

const compare: Action = (pool) => {
  const dtype = pool.rng.pick(['float32', 'float32', 'int32', 'uint32'] as const)
  const isExact = (v: Tracked) => v.grid !== undefined
  const a = (dtype === 'float32' ? pool.exact() : pool.pick(dtype)) ?? pool.input(pool.shape(), dtype)
  const found = pool.partner(a.node.shape, dtype)
  const b = isExact(found) ? found.node : build.constant(0.25, 'float32')
  const fn = pool.rng.pick(['eq', 'ne', 'lt', 'le', 'gt', 'ge'] as const)
  return tracked(build.binary(fn, a.node, b), 1, 0, 0)
}

const choose: Action = (pool) => {
  const a = pool.float()
  const condition = pool.partner(a.node.shape, 'bool').node
  const b = pool.partner(a.node.shape)
  return either(a, b, build.select(condition, a.node, b.node))
}

const logic: Action = (pool) => {
  const dtype = pool.rng.pick(['bool', 'int32', 'uint32'] as const)
  const a = pool.pick(dtype) ?? pool.input(pool.shape(), dtype)
  if (pool.rng.next() < 0.2) return tracked(build.unary('not', a.node), 1e9, 0, 0)
  const b = pool.partner(a.node.shape, dtype)
  return tracked(build.binary(pool.rng.pick(['and', 'or', 'xor'] as const), a.node, b.node), 1e9, 0, 0)
}

const integer: Action = (pool) => {
  const dtype = pool.rng.pick(['int32', 'uint32'] as const)
  const a = pool.pick(dtype) ?? pool.input(pool.shape(), dtype)
  const b = pool.partner(a.node.shape, dtype)
  const fn = pool.rng.pick(['add', 'sub', 'mul', 'div', 'rem', 'max', 'min', 'shl', 'shr'] as const)
  return tracked(build.binary(fn, a.node, b.node), 1e9, 0, 0)
}

/** Integers of unknown size become small ones before they are floats. */
const convert: Action = (pool) => {
  const from = pool.rng.pick(['float32', 'int32', 'uint32', 'bool', 'uint8'] as const)
  if (from === 'float32')
    return tracked(build.cast(pool.exact().node, pool.rng.pick(['int32', 'uint32', 'bool'] as const)), 1e9, 0, 0)
  const x = (pool.pick(from) ?? pool.input(pool.shape(), from)).node
  const few = x.dtype === 'int32' || x.dtype === 'uint32' ? build.binary('and', x, build.constant(15, x.dtype)) : x
  return tracked(build.cast(few, 'float32'), x.dtype === 'uint8' ? 255 : 15, 0, 0)
}

const rearrange: Action = (pool) => {
  const dtype: DType = pool.rng.pick(['float32', 'float32', 'float32', 'int32', 'bool'] as const)
  const value = pool.pick(dtype, (v) => sizeOf(v.node.shape) > 0) ?? pool.input(pool.shape(3), dtype)
  const x = value.node
  const { shape } = x
  const rank = shape.length
  const to = (node: Node) => moved(value, node)
  switch (pool.rng.integer(0, 6)) {
    case 0:
      return to(build.reshape(x, rank > 1 && pool.rng.next() < 0.5 ? [sizeOf(shape)] : factors(pool, sizeOf(shape))))
    case 1: {
      const perm = shape.map((_, i) => i)
      for (let i = rank - 1; i > 0; i--) {
        const j = pool.rng.integer(0, i)
        ;[perm[i], perm[j]] = [perm[j] as number, perm[i] as number]
      }
      return to(build.permute(x, perm))
    }
    case 2: {
      const grown = shape.map((n) => (n === 1 ? pool.rng.integer(1, 4) : n))
      return to(build.expand(x, sizeOf(grown) > 2000 ? shape : grown))
    }
    case 3: {
      const step = shape.map(() => pool.rng.integer(1, 2))
      const start = shape.map((n) => pool.rng.integer(0, n - 1))
      const size = shape.map((n, i) => {
        const most = Math.floor((n - 1 - (start[i] as number)) / (step[i] as number)) + 1
        return pool.rng.integer(1, most)
      })
      return to(build.slice(x, start, size, step))
    }
    case 4:
      return to(
        build.flip(
          x,
          shape.flatMap((_, i) => (pool.rng.next() < 0.5 ? [i] : [])),
        ),
      )
    case 5: {
      const around = () => shape.map(() => pool.rng.integer(0, 2))
      const inside = shape.map(() => (pool.rng.next() < 0.2 ? 1 : 0))
      const lo = around()
      const hi = around()
      const grown = shape.map((n, i) => n + (lo[i] as number) + (hi[i] as number) + (inside[i] as number) * n)
      if (sizeOf(grown) > 2000) return to(build.alias(x))
      return to(build.pad(x, lo, hi, pool.rng.integer(0, 1), inside))
    }
    default: {
      if (rank === 0 || sizeOf(shape) > 1000) return to(build.alias(x))
      const axis = pool.rng.integer(0, rank - 1)
      const other = pool.pick(
        dtype,
        ({ node }) => node.shape.length === rank && node.shape.every((n, i) => i === axis || n === shape[i]),
      )
      return either(value, other ?? value, build.concat([x, (other ?? value).node], axis))
    }
  }
}

/** A shape of a few sizes with this many elements. */
function factors(pool: Pool, count: number): number[] {
  const shape: number[] = []
  let rest = count
  for (const divisor of [2, 3, 5, 7])
    while (rest % divisor === 0 && rest > 1 && pool.rng.next() < 0.7 && shape.length < 4) {
      shape.push(divisor)
      rest /= divisor
    }
  return [...shape, rest]
}

const someAxes = (pool: Pool, node: Node): number[] => {
  const axes = node.shape.flatMap((_, i) => (pool.rng.next() < 0.5 ? [i] : []))
  return axes.length > 0 || node.shape.length === 0 ? axes : [node.shape.length - 1]
}

const reduce: Action = (pool) => {
  const x = pool.float(({ node }) => node.shape.length > 0)
  const axes = someAxes(pool, x.node)
  const terms = axes.reduce((n, a) => n * (x.node.shape[a] as number), 1)
  const keep = pool.rng.next() < 0.4 ? build.reduceKeep : build.reduce
  const choice = pool.rng.integer(0, 3)
  if (choice === 0) return moved(x, keep('max', x.node, axes))
  if (choice === 1) return moved(x, keep('min', x.node, axes))
  const added = total(x, keep('sum', x.node, axes), terms)
  if (choice === 2) return added
  return tracked(build.scale(added.node, 1 / Math.max(terms, 1)), x.bound, undefined, added.error / Math.max(terms, 1))
}

const integerReduce: Action = (pool) => {
  const x = pool.pick(pool.rng.pick(['int32', 'uint32'] as const), ({ node }) => node.shape.length > 0)
  const node = x?.node ?? pool.input(pool.shape(2), 'int32').node
  return tracked(
    build.reduce(pool.rng.pick(['sum', 'prod', 'max', 'min'] as const), node, someAxes(pool, node)),
    1e9,
    0,
    0,
  )
}

const scan: Action = (pool) => {
  const x = pool.float(({ node }) => node.shape.length > 0)
  const { node } = x
  if (node.shape.length === 0) return x
  const axis = pool.rng.integer(0, node.shape.length - 1)
  const fn = pool.rng.pick(['sum', 'max', 'min'] as const)
  const out = build.cumulative(fn, node, axis, pool.rng.next() < 0.5)
  return fn === 'sum' ? total(x, out, node.shape[axis] as number) : moved(x, out)
}

const order: Action = (pool) => {
  const { node } = pool.exact((v) => v.node.shape.length > 0)
  const x = node.shape.length > 0 ? node : build.reshape(node, [1])
  const axis = pool.rng.integer(0, x.shape.length - 1)
  if (pool.rng.next() < 0.5)
    return tracked(build.argReduce(pool.rng.pick(['max', 'min'] as const), x, axis), 3000, 0, 0)
  return tracked(build.argsort(x, axis, pool.rng.next() < 0.5), 3000, 0, 0)
}

const softmax: Action = (pool) => {
  const x = pool.float(({ node }) => node.shape.length > 0)
  const { node } = x
  if (node.shape.length === 0) return x
  const axis = pool.rng.integer(0, node.shape.length - 1)
  const e = build.unary('exp', build.sub(node, build.reduceKeep('max', node, [axis])))
  return smooth(x, build.div(e, build.reduceKeep('sum', e, [axis])), 1, 4)
}

const matmul: Action = (pool) => {
  const a = pool.ranked(pool.rng.pick([2, 2, 2, 3]))
  const rank = a.node.shape.length
  const batch = a.node.shape.slice(0, -2)
  const k = a.node.shape[rank - 1] as number
  const suits = ({ node }: Tracked) =>
    node.shape.length === rank && node.shape[rank - 2] === k && node.shape.slice(0, -2).every((n, i) => n === batch[i])
  const b = pool.pick('float32', suits) ?? pool.input([...batch, k, pool.rng.integer(1, 9)])
  return product(a, b, build.matmul(a.node, b.node), k)
}

const conv: Action = (pool) => {
  const spatial = pool.rng.integer(1, 2)
  const x = pool.ranked(spatial + 2)
  const channels = x.node.shape[1] as number
  const groups = pool.rng.next() < 0.3 && channels % 2 === 0 ? 2 : 1
  const kernel = Array.from({ length: spatial }, () => pool.rng.integer(1, 3))
  const attrs: ConvAttrs = {
    stride: kernel.map(() => pool.rng.integer(1, 2)),
    padding: kernel.map(() => [pool.rng.integer(1, 3), pool.rng.integer(1, 3)] as const),
    dilation: kernel.map(() => 1),
    groups,
  }
  const inputs = x.node.shape.slice(2)
  const out = inputs.map((n, i) => {
    const [lo, hi] = attrs.padding[i] as readonly [number, number]
    return windowSize(n, kernel[i] as number, attrs.stride[i] as number, lo, hi, 1)
  })
  const outputs = groups * pool.rng.integer(1, 3)
  const inside = (channels / groups) * sizeOf(kernel)
  if (pool.rng.next() < 0.6) {
    const w = pool.input([outputs, channels / groups, ...kernel])
    return product(x, w, build.conv(x.node, w.node, attrs), inside)
  }
  const dy = pool.input([x.node.shape[0] as number, outputs, ...out])
  if (pool.rng.next() < 0.5)
    return product(
      x,
      dy,
      build.convGradWeight(x.node, dy.node, attrs, kernel),
      sizeOf(out) * (x.node.shape[0] as number),
    )
  const w = pool.input([outputs, channels / groups, ...kernel])
  return product(dy, w, build.convGradInput(dy.node, w.node, attrs, inputs), (outputs / groups) * sizeOf(kernel))
}

const maxPool: Action = (pool) => {
  const spatial = pool.rng.integer(1, 2)
  const isExact = (v: Tracked) => v.grid !== undefined
  const found = pool.ranked(spatial + 2)
  const kernel = found.node.shape.slice(2).map((n) => Math.min(n, pool.rng.integer(1, 3)))
  const attrs = {
    kernel,
    stride: kernel.map(() => pool.rng.integer(1, 2)),
    padding: kernel.map((k) => [pool.rng.integer(0, k - 1), pool.rng.integer(0, k - 1)] as const),
    dilation: kernel.map(() => 1),
  }
  const pooled = build.maxPool(found.node, attrs)
  // Where the maximum is may only be asked of exact values.
  if (!isExact(found) || pool.rng.next() < 0.5) return moved(found, pooled)
  if (pool.rng.next() < 0.3) {
    const v = pool.input(found.node.shape)
    return moved(v, build.maxPoolPick(found.node, v.node, attrs))
  }
  const dy = pool.input(pooled.shape)
  return total(dy, build.maxPoolGrad(found.node, dy.node, attrs), sizeOf(kernel))
}

const lookUp: Action = (pool) => {
  const x = pool.float(({ node }) => node.shape.length > 0 && sizeOf(node.shape) > 0)
  if (x.node.shape.length === 0) return x
  const { shape } = x.node
  const axis = pool.rng.integer(0, shape.length - 1)
  const count = pool.rng.integer(1, 6)
  const index = pool.input(
    shape.map((n, i) => (i === axis ? count : n)),
    'int32',
  ).node
  if (pool.rng.next() < 0.5) {
    const size = shape[axis] as number
    const valid = clampIndex(build.binary('max', index, build.constant(0, 'int32')), size - 1)
    return moved(x, build.gather(x.node, valid, axis))
  }
  // Indices run from -3 to 9: some fall outside and are dropped.
  const values = pool.input(index.shape)
  return total(values, build.scatterAdd(index, values.node, axis, pool.rng.integer(1, 8)), count)
}

const randomness: Action = (pool) => {
  const key = pool.input([2], 'uint32').node
  const bits = build.randomBits(key, pool.shape(2))
  const half = build.binary('shr', bits, build.constant(8, 'uint32'))
  return pool.rng.next() < 0.4
    ? tracked(bits, 1e9, 0, 0)
    : tracked(build.scale(build.cast(half, 'float32'), 2 ** -24), 1, 24, 0)
}

const counting: Action = (pool) => {
  const shape = pool.shape(pool.rng.integer(1, 3))
  return tracked(
    build.iota(shape, pool.rng.integer(0, shape.length - 1), pool.rng.pick(['int32', 'float32'] as const)),
    12,
    0,
    0,
  )
}

const wrapping: Action = (pool) => {
  const x = pool.float()
  const choice = pool.rng.integer(0, 3)
  if (choice === 0) return moved(x, build.alias(x.node))
  if (choice === 3) return moved(x, make('custom', [x.node, x.node], { name: 'same', vjp: (_, __, g) => [g] }))
  if (choice === 1) return moved(x, build.stopGradient(x.node))
  return moved(x, build.after(x.node, pool.float().node))
}

/** Actions with how often each is tried. */
export const actions: readonly (readonly [weight: number, action: Action])[] = [
  [6, smoothUnary],
  [4, exactUnary],
  [10, arithmetic],
  [2, compare],
  [3, choose],
  [2, logic],
  [2, integer],
  [3, convert],
  [10, rearrange],
  [6, reduce],
  [1, integerReduce],
  [2, scan],
  [2, order],
  [2, softmax],
  [4, matmul],
  [3, conv],
  [3, maxPool],
  [3, lookUp],
  [1, randomness],
  [1, counting],
  [1, wrapping],
]
