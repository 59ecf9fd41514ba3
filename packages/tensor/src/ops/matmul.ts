import { broadcastShapes, build, type Dims, type Node, OpError, promote, sizeOf } from '@tessella/ir'
import { add, mul } from './elementwise.ts'
import { floatDType } from './promotion.ts'

/** Both in the float dtype they share; integers compute in float32. */
function floats(a: Node, b: Node): readonly [Node, Node] {
  const dtype = floatDType(promote(a.dtype, b.dtype))
  return [build.cast(a, dtype), build.cast(b, dtype)]
}

/** torch.matmul: vectors gain a dimension that is dropped again, leading dimensions broadcast. */
export function matmul(op: string, a: Node, b: Node): Node {
  const [p, q] = floats(a, b)
  if (p.shape.length === 0 || q.shape.length === 0)
    throw new OpError(op, 'a scalar has no inner size', { shapes: [p.shape, q.shape], hint: 'Use mul to scale.' })
  const x = p.shape.length === 1 ? build.reshape(p, [1, ...p.shape]) : p
  const y = q.shape.length === 1 ? build.reshape(q, [...q.shape, 1]) : q
  const k = x.shape.at(-1) as number
  if (k !== y.shape.at(-2))
    throw new OpError(op, `inner sizes ${k} and ${y.shape.at(-2)} differ`, {
      shapes: [a.shape, b.shape],
      hint: 'The last size of the first must equal the second-last of the second; transpose one of them.',
    })
  const out = matrices(op, x, y)
  const shape: Dims = [
    ...out.shape.slice(0, -2),
    ...(p.shape.length === 1 ? [] : [out.shape.at(-2) as number]),
    ...(q.shape.length === 1 ? [] : [out.shape.at(-1) as number]),
  ]
  return build.reshape(out, shape)
}

function matrices(op: string, x: Node, y: Node): Node {
  const m = x.shape.at(-2) as number
  const k = x.shape.at(-1) as number
  const n = y.shape.at(-1) as number
  // One matrix on the right serves all rows of a stack at once.
  if (y.shape.length === 2) {
    const lead = x.shape.slice(0, -1)
    return build.reshape(build.matmul(build.reshape(x, [sizeOf(lead), k]), y), [...lead, n])
  }
  const batch = broadcastShapes(op, x.shape.slice(0, -2), y.shape.slice(0, -2))
  return build.matmul(build.broadcastTo(x, [...batch, m, k]), build.broadcastTo(y, [...batch, k, n]))
}

export function dot(a: Node, b: Node): Node {
  if (a.shape.length !== 1 || b.shape.length !== 1)
    throw new OpError('dot', 'needs two vectors', { shapes: [a.shape, b.shape], hint: 'Use matmul for matrices.' })
  return matmul('dot', a, b)
}

export function outer(a: Node, b: Node): Node {
  if (a.shape.length !== 1 || b.shape.length !== 1)
    throw new OpError('outer', 'needs two vectors', { shapes: [a.shape, b.shape], hint: 'Flatten them first.' })
  return mul(build.reshape(a, [...a.shape, 1]), build.reshape(b, [1, ...b.shape]))
}

/** x w^T + b with w [out, in], as torch.nn.functional.linear. */
export function linear(x: Node, weight: Node, bias: Node | undefined): Node {
  if (weight.shape.length !== 2)
    throw new OpError('linear', 'the weight must be [out, in]', { shapes: [weight.shape], hint: 'Reshape it.' })
  const features = x.shape.at(-1)
  if (features !== weight.shape[1])
    throw new OpError('linear', `the weight takes ${weight.shape[1]} features, the input has ${features ?? 'none'}`, {
      shapes: [x.shape, weight.shape],
      hint: 'The last size of the input must equal the second size of the weight.',
    })
  if (bias !== undefined && (bias.shape.length !== 1 || bias.shape[0] !== weight.shape[0]))
    throw new OpError('linear', `the bias must be [${weight.shape[0]}]`, { shapes: [bias.shape, weight.shape] })
  const y = matmul('linear', x, build.transpose(weight))
  return bias === undefined ? y : add(y, bias)
}
