import type { Kernel } from '@tessella/compiler'
import type { Dispatch } from '../kernel.ts'
import { type Memory, Shader } from '../wgsl/shader.ts'
import { type StoredDType, stored } from '../wgsl/storage.ts'
import type { KernelContext } from './context.ts'
import { pointsPerGroup } from './indices.ts'

type ArgsortKernel = Extract<Kernel, { kind: 'argsort' }>

/** Lines of elements to be sorted, around an axis, and where the order goes. */
export interface Lines {
  readonly dtype: StoredDType
  readonly descending: boolean
  readonly outer: number
  readonly length: number
  readonly inner: number
  readonly keys: number
  readonly order: Memory
}

/** Runs of this length are sorted by counting; longer ones are merged. */
const countedRun = 128

export const emitArgsort = (kernel: ArgsortKernel, context: KernelContext): readonly Dispatch[] => {
  const { dtype, descending, outer, length, inner, x, out } = kernel
  const order: Memory = { slot: context.slots.slotOf(out), dtype: 'int32' }
  return sortLines({ dtype: stored(dtype), descending, outer, length, inner, keys: x, order }, context)
}

/**
 * The stable order of each line: runs sorted by counting who comes before, then merged in rounds, where each element
 * finds its place in the other run by bisection. NaN is the largest.
 */
export function sortLines(lines: Lines, context: KernelContext): readonly Dispatch[] {
  const { outer, length, inner, order } = lines
  const rounds = Math.max(0, Math.ceil(Math.log2(length / countedRun)))
  const bytes = 4 * outer * length * inner
  // The last round must end in `order`; the others alternate between it and one scratch buffer.
  const scratch: Memory | undefined = rounds > 0 ? { slot: context.slots.scratch(bytes), dtype: 'int32' } : undefined
  const target = (round: number): Memory => ((rounds - round) % 2 === 0 || !scratch ? order : scratch)
  const out = [countRuns(lines, target(0), rounds === 0 ? length : countedRun, context)]
  for (let round = 1; round <= rounds; round++)
    out.push(mergeRuns(lines, target(round - 1), target(round), countedRun * 2 ** (round - 1), context))
  return out
}

/** `before(a, p, b, q)`: whether key a at place p comes before key b at place q. */
function beforeText({ dtype, descending }: Lines): string {
  const head = `fn before(a: ${typeOf[dtype]}, p: i32, b: ${typeOf[dtype]}, q: i32) -> bool`
  const [low, high] = descending ? ['b', 'a'] : ['a', 'b']
  if (dtype === 'float32')
    return `${head} {
  let x = is_nan(${low});
  let y = is_nan(${high});
  let less = (!x && y) || ${low} < ${high};
  let more = (x && !y) || ${low} > ${high};
  return less || (!more && p < q);
}`
  const less = dtype === 'bool' ? `(!${low} & ${high})` : `${low} < ${high}`
  return `${head} { return ${less} || (a == b && p < q); }`
}

const typeOf: { readonly [D in StoredDType]: string } = {
  float32: 'f32',
  int32: 'i32',
  uint32: 'u32',
  bool: 'bool',
  uint8: 'u32',
  float16: 'u32',
}

/** A dispatch over all elements; `start` is the address of element 0 of the line, `place` the element's place in it. */
function overElements(
  lines: Lines,
  label: string,
  context: KernelContext,
  body: (shader: Shader) => string[],
): Dispatch {
  const { outer, length, inner } = lines
  const shader = new Shader(context)
  if (lines.dtype === 'float32') shader.use('is_nan')
  shader.declare(beforeText(lines))
  const total = outer * length * inner
  const size = pointsPerGroup(total)
  const text = [
    `let point = group * ${size} + lane;`,
    `if (point < ${total}) {`,
    `let place = (point / ${inner}) % ${length};`,
    `let start = point - place * ${inner};`,
    ...body(shader),
    '}',
  ]
  return shader.finish({
    label: `${label} [${outer}, ${length}, ${inner}]`,
    size,
    groups: Math.ceil(total / size),
    body: text,
  })
}

function countRuns(lines: Lines, to: Memory, run: number, context: KernelContext): Dispatch {
  const { length, inner } = lines
  return overElements(lines, 'argsort', context, (shader) => {
    const key = (place: string) => shader.load(shader.memory(lines.keys), `start + ${place} * ${inner}`)
    return [
      `let first = place - place % ${run};`,
      `let own = ${key('place')};`,
      'var rank = first;',
      `for (var i = first; i < min(first + ${run}, ${length}); i++) {`,
      `if (before(${key('i')}, i, own, place)) { rank++; }`,
      '}',
      shader.store(to, `start + rank * ${inner}`, 'place'),
    ]
  })
}

/** Two neighbouring sorted runs become one. */
function mergeRuns(lines: Lines, from: Memory, to: Memory, run: number, context: KernelContext): Dispatch {
  const { length, inner } = lines
  return overElements(lines, `argsort, runs of ${2 * run}`, context, (shader) => {
    const key = (place: string) => shader.load(shader.memory(lines.keys), `start + ${place} * ${inner}`)
    const item = (at: string) => shader.load(from, `start + ${at} * ${inner}`)
    return [
      `let mine = ${item('place')};`,
      `let own = ${key('mine')};`,
      `let first = place - place % ${2 * run};`,
      `let is_right = place - first >= ${run};`,
      `let other = min(select(first + ${run}, first, is_right), ${length});`,
      `var low = other;`,
      `var high = min(other + ${run}, ${length});`,
      'while (low < high) {',
      'let middle = (low + high) / 2;',
      `let there = ${item('middle')};`,
      `if (before(${key('there')}, there, own, mine)) { low = middle + 1; } else { high = middle; }`,
      '}',
      `let rank = first + (place - first) % ${run} + (low - other);`,
      shader.store(to, `start + rank * ${inner}`, 'mine'),
    ]
  })
}
