import { nodeOf, type Shape } from '@tessella/tensor'
import { factsOf } from './facts.ts'
import { flopCounter } from './flops.ts'
import { callsOf, countParameters, ownVariables } from './inspect.ts'
import type { AnyLayer } from './types/index.ts'

/** One layer of a model as it is called. */
export interface SummaryRow {
  /** Dotted path: the prefix of its names in the state dictionary. */
  readonly path: string
  readonly name: string
  readonly inputShape: Shape
  readonly outputShape: Shape
  /** Trainable numbers; 0 where the same layer was counted before. */
  readonly parameters: number
  /** Multiply-accumulates with weights: of linear layers, convolutions, recurrent layers, attention; others count 0. */
  readonly macs: number
  /** Floating-point operations of everything in it, as written: activations, pooling and normalisation too. */
  readonly flops: number
}

/** A model for one input shape. */
export interface ModelSummary {
  readonly rows: readonly SummaryRow[]
  readonly inputShape: Shape
  readonly outputShape: Shape
  /** Trainable numbers. */
  readonly parameters: number
  /** Running statistics and other numbers that are saved but not trained. */
  readonly buffers: number
  /** Of one call with the input shape. */
  readonly macs: number
  /** Of one call with the input shape, plain operations between layers included. */
  readonly flops: number
}

const size = (shape: Shape): number => shape.reduce((a, b) => a * b, 1)

/**
 * What each layer of a model does to an input shape (batch included): shapes, parameters, multiply-accumulates
 * and floating-point operations. Nothing is computed. The shape may be left out when the model starts with `input(...)`: one example then.
 */
export function summarize(model: AnyLayer, inputShape?: Shape): ModelSummary {
  const { calls, input: x, output, parameters: values } = callsOf('summary', model, inputShape)
  const seen = new Set<unknown>()
  const count = flopCounter([nodeOf(x), ...values])
  let between = 0
  const rows = calls.map(({ path, name, layer, input, output: made, given, made: y }): SummaryRow => {
    for (const t of given) between += count(nodeOf(t))
    const own = ownVariables(layer).filter((v) => v.trainable && !seen.has(v))
    for (const v of own) seen.add(v)
    return {
      path,
      name,
      inputShape: input,
      outputShape: made,
      parameters: own.reduce((sum, v) => sum + size(v.shape), 0),
      macs: factsOf(layer)?.macs?.(input, made) ?? 0,
      flops: count(nodeOf(y)),
    }
  })
  between += count(nodeOf(output))
  const parameters = countParameters(model)
  return {
    rows,
    inputShape: x.shape,
    outputShape: output.shape,
    parameters,
    buffers: countParameters(model, { all: true }) - parameters,
    macs: rows.reduce((sum, r) => sum + r.macs, 0),
    flops: rows.reduce((sum, r) => sum + r.flops, between),
  }
}

const grouped = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ',')
const shapeText = (shape: Shape): string => `[${shape.join(', ')}]`

/** Columns as wide as their widest cell; numbers to the right. */
function table(rows: readonly (readonly string[])[], right: ReadonlySet<number>): string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((r) => r[i]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, i) => (right.has(i) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
}

/**
 * {@link summarize} as a text table: path, layer, output shape, parameters, multiply-accumulates, floating-point
 * operations (a multiply and an add are two), and totals.
 * @example console.log(summary(leNet, [1, 1, 28, 28]))
 */
export function summary(model: AnyLayer, inputShape?: Shape): string {
  const found = summarize(model, inputShape)
  const cells = found.rows.map((r) => [
    r.path,
    r.name,
    shapeText(r.outputShape),
    grouped(r.parameters),
    grouped(r.macs),
    grouped(r.flops),
  ])
  const total = [
    'total',
    '',
    shapeText(found.outputShape),
    grouped(found.parameters),
    grouped(found.macs),
    grouped(found.flops),
  ]
  const lines = table([['path', 'layer', 'output', 'parameters', 'MACs', 'FLOPs'], ...cells, total], new Set([3, 4, 5]))
  const rule = '-'.repeat(Math.max(...lines.map((l) => l.length)))
  const [head = '', ...rest] = lines
  const last = rest.pop() ?? ''
  const input = `input ${shapeText(found.inputShape)}`
  const buffers = found.buffers > 0 ? `, ${grouped(found.buffers)} more in buffers` : ''
  return [input, head, rule, ...rest, rule, last, `${grouped(found.parameters)} trainable parameters${buffers}`].join(
    '\n',
  )
}
