/** Just enough of ONNX's protobuf to write a model of one operator. */
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  while (rest > 127) {
    bytes.push((rest % 128) | 128)
    rest = Math.floor(rest / 128)
  }
  bytes.push(rest)
  return bytes
}

type Field = number[]
const number = (field: number, value: number): Field => [...varint(field * 8), ...varint(value)]
const block = (field: number, bytes: ArrayLike<number>): Field => [
  ...varint(field * 8 + 2),
  ...varint(bytes.length),
  ...Array.from(bytes),
]
const text = (field: number, value: string): Field => block(field, bytesOf(value))
const message = (field: number, parts: readonly Field[]): Field => block(field, parts.flat())

/** A value of float32 with its shape, as graphs declare inputs and outputs. */
function value(field: number, name: string, shape: readonly number[]): Field {
  const sizes = message(
    2,
    shape.map((size) => message(1, [number(1, size)])),
  )
  return message(field, [text(1, name), message(2, [message(1, [number(1, 1), sizes])])])
}

/** Attributes of an operator: lists of integers, or an integer. */
export type Attributes = Readonly<Record<string, number | readonly number[]>>

function attribute(name: string, content: number | readonly number[]): Field {
  const data =
    typeof content === 'number'
      ? [number(3, content), number(20, 2)]
      : [...content.map((n) => number(8, n)), number(20, 7)]
  return message(5, [text(1, name), ...data])
}

export interface Operator {
  readonly op: string
  /** '' is ONNX's own set, 'com.microsoft' the runtime's. */
  readonly domain: string
  readonly inputs: Readonly<Record<string, readonly number[]>>
  readonly output: readonly number[]
  readonly attributes: Attributes
}

const opset = (domain: string, version: number): Field => message(8, [text(1, domain), number(2, version)])

/** The model as a file's bytes; its output is named y. */
export function onnxModel(operator: Operator): Uint8Array {
  const { op, domain, inputs, output, attributes } = operator
  const names = Object.keys(inputs)
  const node = message(1, [
    ...names.map((name) => text(1, name)),
    text(2, 'y'),
    text(4, op),
    ...Object.entries(attributes).map(([name, content]) => attribute(name, content)),
    text(7, domain),
  ])
  const declared = Object.entries(inputs).map(([name, shape]) => value(11, name, shape))
  const graph = message(7, [node, text(2, op), ...declared, value(12, 'y', output)])
  return Uint8Array.from([...number(1, 8), ...graph, ...opset('', 17), ...opset('com.microsoft', 1)].flat())
}
