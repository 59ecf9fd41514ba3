import { tooManyPagesError } from '../device/errors.ts'
import type { Binding, Dispatch } from '../kernel.ts'
import { type KernelContext, pagesBound } from '../kernels/context.ts'
import { pageBytes } from '../memory/pages.ts'
import { accessors, type Bound, declarations, pagesOf } from './accessors.ts'
import { preludeText } from './prelude.ts'
import { type StoredDType, storageOf, stored } from './storage.ts'

/** Memory as a kernel sees it: a slot that holds elements of a dtype. */
export interface Memory {
  readonly slot: number
  readonly dtype: StoredDType
  /** The slot's element that is element 0 here; 0 where it is absent. */
  readonly base?: number
}

/** How a finished body is launched. */
export interface Launch {
  readonly label: string
  /** Invocations of a workgroup. */
  readonly size: number
  readonly groups: number
  /** Statements; `group` and `lane` are the numbers of the workgroup and of the invocation in it, as i32. */
  readonly body: readonly string[]
  /** Where subgroups have a part each: their size; then `subgroup`, the number of one in its workgroup, is known too. */
  readonly subgroup?: number
}

/** Collects the text of one dispatch: bindings in order of first use, accessors, the prelude's functions, declarations. */
export class Shader {
  readonly context: KernelContext
  readonly #bound = new Map<number, Bound>()
  readonly #accessors = new Map<string, (bound: Bound) => string>()
  readonly #prelude = new Set<string>()
  readonly #declarations: string[] = []
  /** Slots of which more than elements of float16 is read or stored. */
  readonly #words = new Set<number>()
  readonly #directives = new Set<string>()
  #names = 0

  constructor(context: KernelContext) {
    this.context = context
  }

  /** A buffer of the program. */
  memory(buffer: number): Memory {
    const { buffers, slots, bases } = this.context
    const base = bases?.get(buffer) ?? 0
    return { slot: slots.slotOf(buffer), dtype: stored(buffers[buffer]?.dtype ?? 'float32'), base }
  }

  /** A name that nothing else in this text has. */
  name(prefix = 'v'): string {
    return `${prefix}_${this.#names++}`
  }

  use(...functions: readonly string[]): void {
    for (const f of functions) this.#prelude.add(f)
  }

  /** Lines at the head of the text, such as the extensions it uses, which the device has. */
  direct(...lines: readonly string[]): void {
    for (const line of lines) this.#directives.add(line)
  }

  /** A line of module scope, such as a workgroup variable. */
  declare(line: string): void {
    this.#declarations.push(line)
  }

  /** The element at an i32 address. */
  load(memory: Memory, address: string): string {
    return `${this.#accessor('load', memory)}(${moved(memory, address)})`
  }

  /** Four float32 elements at once, from element 4 * `quad` on. Only where the buffer holds whole quads and is not written. */
  loadQuad(memory: Memory, quad: string): string {
    this.#bind(memory.slot).quads = true
    return `${this.#accessor('quad', memory)}(${moved(memory, quad, 4)})`
  }

  /** A statement that stores one element. Elements smaller than a word are stored by atomic operations, but for float16 on devices that have it. */
  store(memory: Memory, address: string, value: string): string {
    const bound = this.#bind(memory.slot)
    bound.written = true
    if (storageOf(memory.dtype).lanes > 1) bound.shared = true
    return `${this.#accessor('store', memory)}(${moved(memory, address)}, ${value});`
  }

  /** A statement that stores a whole word of small elements; nobody else may store in that word. */
  storeWord(memory: Memory, word: string, value: string): string {
    this.#bind(memory.slot).written = true
    return `${this.#accessor('word', memory)}(${moved(memory, word, storageOf(memory.dtype).lanes)}, ${value});`
  }

  #bind(slot: number): Bound {
    const known = this.#bound.get(slot)
    if (known) return known
    const pages = pagesBound(slot, this.context)
    const pageWords = pageBytes(this.context.capabilities.maxBindingBytes) / 4
    const fresh = { slot, name: `m${this.#bound.size}`, written: false, shared: false, quads: false, halves: false }
    const bound: Bound = pages ? { ...fresh, window: { pages, pageWords } } : fresh
    this.#bound.set(slot, bound)
    return bound
  }

  #accessor(kind: keyof typeof accessors, { slot, dtype }: Memory): string {
    const { name } = this.#bind(slot)
    const fn = `${kind}_${name}_${dtype}`
    if (kind === 'word' || dtype !== 'float16') this.#words.add(slot)
    this.#accessors.set(fn, (bound) => accessors[kind](fn, bound, dtype))
    return fn
  }

  finish({ label, size, groups, body, subgroup }: Launch): Dispatch {
    const { maxStorageBuffers, maxWorkgroupsPerDimension: limit, f16 } = this.context.capabilities
    const bound = [...this.#bound.values()]
    const bindings = bound.flatMap((b): Binding[] =>
      pagesOf(b).map((page) => ({ slot: b.slot, page, access: b.written ? 'read_write' : 'read' })),
    )
    if (bindings.length > maxStorageBuffers) throw tooManyPagesError(label, bindings.length, maxStorageBuffers)
    for (const b of bound) b.halves = f16 && b.shared && !this.#words.has(b.slot)
    if (bound.some((b) => b.halves)) this.direct('enable f16;')
    const rows = Math.ceil(groups / limit)
    const columns = Math.ceil(groups / rows)
    const accessorText = [...this.#accessors].map(([fn, text]) => text(this.#boundOf(fn)))
    let next = 0
    const declared = bound.flatMap((b) => {
      const lines = declarations(b, next)
      next += lines.length
      return lines
    })
    const isGrouped = subgroup !== undefined
    const mayChoose = this.context.capabilities.subgroups?.mayChoose
    if (isGrouped) this.direct('enable subgroups;', ...(mayChoose ? ['enable subgroup_size_control;'] : []))
    const builtins = [
      '@builtin(workgroup_id) workgroup: vec3<u32>',
      '@builtin(local_invocation_index) invocation: u32',
      ...(isGrouped ? ['@builtin(subgroup_id) number: u32'] : []),
    ]
    const lines = [
      ...this.#directives,
      ...declared,
      ...this.#declarations,
      preludeText(this.#prelude),
      ...accessorText,
      `@compute @workgroup_size(${size})${isGrouped && mayChoose ? ` @subgroup_size(${subgroup})` : ''}`,
      `fn main(${builtins.join(', ')}) {`,
      `let group = i32(workgroup.x${rows > 1 ? ` + workgroup.y * ${columns}u` : ''});`,
      ...(rows * columns > groups ? [`if (group >= ${groups}) { return; }`] : []),
      'let lane = i32(invocation);',
      ...(isGrouped ? ['let subgroup = i32(number);'] : []),
      ...body,
      '}',
    ]
    return {
      label,
      wgsl: lines.filter((line) => line !== '').join('\n'),
      bindings,
      workgroups: [columns, rows, 1],
    }
  }

  #boundOf(accessor: string): Bound {
    const name = accessor.split('_')[1]
    return [...this.#bound.values()].find((b) => b.name === name) as Bound
  }
}

/** An address in the slot, in units of so many elements. */
function moved({ base = 0 }: Memory, address: string, unit = 1): string {
  return base === 0 ? address : `${address} + ${base / unit}`
}
