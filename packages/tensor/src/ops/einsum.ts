import { build, type Dims, type DType, type Node, OpError, promote, sizeOf } from '@tessella/ir'
import { diagonal } from './movement.ts'
import { arithDType, floatDType } from './promotion.ts'

/** An operand and the label of each of its dimensions. */
interface Term {
  readonly node: Node
  readonly labels: readonly string[]
}

const fail = (equation: string, message: string, hint: string, shapes: readonly Dims[] = []): never => {
  throw new OpError('einsum', `'${equation}': ${message}`, { hint, shapes })
}

/** Single letters, and `...` as one element. */
function letters(equation: string, text: string): string[] {
  const labels = text.match(/\.\.\.|[A-Za-z]|\S/g) ?? []
  for (const l of labels)
    if (l !== '...' && !/^[A-Za-z]$/.test(l))
      fail(equation, `'${l}' is not a label`, 'Labels are single letters; ... stands for leading dimensions.')
  if (labels.filter((l) => l === '...').length > 1) fail(equation, '... appears twice in one operand', 'Use it once.')
  return labels
}

/** The labels of each operand and of the result; `...` becomes one label for each dimension, aligned at the last. */
function parse(equation: string, operands: readonly Node[]): { readonly terms: Term[]; readonly output: string[] } {
  const [left = '', right, ...more] = equation.replaceAll(' ', '').split('->')
  if (more.length > 0) fail(equation, '-> appears twice', 'Write inputs->output.')
  const inputs = left.split(',').map((t) => letters(equation, t))
  if (inputs.length !== operands.length)
    fail(equation, `names ${inputs.length} operands, got ${operands.length}`, 'Separate the operands by commas.')
  const hidden = inputs.map(
    (labels, i) => (operands[i] as Node).shape.length - labels.filter((l) => l !== '...').length,
  )
  const widest = Math.max(0, ...inputs.map((labels, i) => (labels.includes('...') ? (hidden[i] as number) : 0)))
  const spread = (n: number): string[] => Array.from({ length: n }, (_, i) => `.${widest - n + i}`)
  const terms = inputs.map((labels, i): Term => {
    const node = operands[i] as Node
    const rest = hidden[i] as number
    if (labels.includes('...') ? rest < 0 : rest !== 0)
      fail(
        equation,
        `operand ${i} has ${node.shape.length} dimensions, its labels name ${node.shape.length - rest}`,
        'Name every dimension.',
        [node.shape],
      )
    return { node, labels: labels.flatMap((l) => (l === '...' ? spread(rest) : [l])) }
  })
  return { terms, output: outputLabels(equation, inputs, right, spread(widest)) }
}

function outputLabels(
  equation: string,
  inputs: readonly string[][],
  right: string | undefined,
  spread: string[],
): string[] {
  const all = inputs.flat().filter((l) => l !== '...')
  // Without an arrow: labels that appear once, in alphabetical order.
  if (right === undefined) return [...spread, ...all.filter((l) => all.indexOf(l) === all.lastIndexOf(l)).sort()]
  const output = letters(equation, right)
  for (const l of output)
    if (l !== '...' && !all.includes(l))
      fail(equation, `the result names '${l}', which no operand has`, 'Take it from an operand.')
  const expanded = output.flatMap((l) => (l === '...' ? spread : [l]))
  if (new Set(expanded).size !== expanded.length)
    fail(equation, 'the result repeats a label', 'Name each dimension of the result once.')
  return expanded
}

const permuteTo = (term: Term, labels: readonly string[]): Term => ({
  node: build.permute(
    term.node,
    labels.map((l) => term.labels.indexOf(l)),
  ),
  labels,
})

/** Equal labels in one operand mean its diagonal. */
function takeDiagonals(equation: string, term: Term): Term {
  let { node, labels } = term
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] as string
    const again = labels.indexOf(label, i + 1)
    if (again < 0) continue
    if (node.shape[i] !== node.shape[again])
      fail(
        equation,
        `the sizes ${node.shape[i]} and ${node.shape[again]} of the repeated '${label}' differ`,
        'A diagonal needs a square.',
        [node.shape],
      )
    const rest = labels.map((_, k) => k).filter((k) => k !== i && k !== again)
    node = diagonal('einsum', build.permute(node, [...rest, i, again]), 0)
    labels = [...rest.map((k) => labels[k] as string), label]
    i = -1
  }
  return { node, labels }
}

/** The size of each label; sizes of 1 broadcast. */
function sizesOf(equation: string, terms: readonly Term[]): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>()
  for (const { node, labels } of terms)
    for (const [i, label] of labels.entries()) {
      const n = node.shape[i] as number
      const known = sizes.get(label)
      if (known !== undefined && known !== n && known !== 1 && n !== 1)
        fail(
          equation,
          `'${label.startsWith('.') ? '...' : label}' is ${known} and ${n}`,
          'Equal labels need equal sizes.',
          terms.map((t) => t.node.shape),
        )
      if (known === undefined || known === 1) sizes.set(label, n)
    }
  return sizes
}

/** Leaves out dimensions of 1 that others broadcast over, and sums those that nobody else needs. */
function tidy(term: Term, sizes: ReadonlyMap<string, number>, needed: ReadonlySet<string>): Term {
  const kept = term.labels.filter((l, i) => term.node.shape[i] === sizes.get(l))
  const node = build.reshape(
    term.node,
    term.labels.flatMap((l, i) => (kept.includes(l) ? [term.node.shape[i] as number] : [])),
  )
  const lone = kept.flatMap((l, i) => (needed.has(l) ? [] : [i]))
  return { node: build.reduce('sum', node, lone), labels: kept.filter((l) => needed.has(l)) }
}

/** Two operands as one batched matrix product: shared and needed, left only, contracted, right only. */
function contract(a: Term, b: Term, needed: ReadonlySet<string>): Term {
  const shared = a.labels.filter((l) => b.labels.includes(l))
  const batch = shared.filter((l) => needed.has(l))
  const inner = shared.filter((l) => !needed.has(l))
  const rows = a.labels.filter((l) => !shared.includes(l))
  const columns = b.labels.filter((l) => !shared.includes(l))
  const x = permuteTo(a, [...batch, ...rows, ...inner]).node
  const y = permuteTo(b, [...batch, ...inner, ...columns]).node
  const dims = (node: Node, from: number, count: number): Dims => node.shape.slice(from, from + count)
  const lead = dims(x, 0, batch.length)
  const m = dims(x, batch.length, rows.length)
  const n = dims(y, batch.length + inner.length, columns.length)
  const labels = [...batch, ...rows, ...columns]
  if (inner.length === 0) {
    const left = build.reshape(x, [...lead, ...m, ...n.map(() => 1)])
    const right = build.reshape(y, [...lead, ...m.map(() => 1), ...n])
    return { node: build.mul(left, right), labels }
  }
  const k = sizeOf(dims(y, batch.length, inner.length))
  const product = build.matmul(
    build.reshape(x, [sizeOf(lead), sizeOf(m), k]),
    build.reshape(y, [sizeOf(lead), k, sizeOf(n)]),
  )
  return { node: build.reshape(product, [...lead, ...m, ...n]), labels }
}

/**
 * Einstein's summation, contracted from left to right. Repeated labels in one operand take its diagonal, labels
 * absent from the result are summed, sizes of 1 broadcast.
 */
export function einsum(equation: string, operands: readonly Node[]): Node {
  if (operands.length === 0) fail(equation, 'no operands', 'Give one tensor for each term.')
  const common = operands.reduce<DType>((d, x) => promote(d, x.dtype), (operands[0] as Node).dtype)
  // Matrix products are float; one operand alone only adds.
  const dtype = operands.length === 1 ? arithDType(common) : floatDType(common)
  const { terms: parsed, output } = parse(
    equation,
    operands.map((x) => build.cast(x, dtype)),
  )
  const terms = parsed.map((t) => takeDiagonals(equation, t))
  const sizes = sizesOf(equation, terms)
  const neededAfter = (i: number, ...others: Term[]): ReadonlySet<string> =>
    new Set([...output, ...terms.slice(i + 1).flatMap((t) => t.labels), ...others.flatMap((t) => t.labels)])
  let result = tidy(terms[0] as Term, sizes, neededAfter(0))
  for (const [i, term] of terms.entries()) {
    if (i === 0) continue
    const next = tidy(term, sizes, neededAfter(i, result))
    // What neither the result nor a later operand needs and only the left side has is summed here.
    const left = tidy(result, sizes, neededAfter(i, next))
    result = contract(left, next, neededAfter(i))
  }
  return permuteTo(result, output).node
}
