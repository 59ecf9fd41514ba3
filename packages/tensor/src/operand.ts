import { type Node, OpError } from '@tessella/ir'
import { type Handle, isTensor, nodeOf, operandOf } from './handle.ts'

function describe(x: unknown): string {
  if (x === null || x === undefined) return String(x)
  if (Array.isArray(x)) return 'an array'
  return ArrayBuffer.isView(x) ? `a ${x.constructor.name}` : `a ${typeof x}`
}

function checkTensor(op: string, x: unknown): asserts x is Handle {
  if (isTensor(x)) return
  throw new OpError(op, `expected a tensor, got ${describe(x)}`, {
    hint: Array.isArray(x) ? 'Make one of it: tensor([...]).' : 'Make one with tensor(...).',
  })
}

/** The node of an operation's argument, which must be a tensor; the error names the operation. */
export function nodeIn(op: string, x: unknown): Node {
  checkTensor(op, x)
  return nodeOf(x)
}

/** The node of a tensor, or the number itself. */
export function operandIn(op: string, x: unknown): Node | number {
  if (typeof x !== 'number') checkTensor(op, x)
  return operandOf(x)
}
