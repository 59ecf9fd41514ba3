import { type DType, internalError } from '@tessella/ir'
import type { Binding, Dispatch } from '../kernel.ts'
import type { KernelContext } from '../kernels/context.ts'
import { preludeText } from './prelude.ts'
import { type StoredDType, storageOf, stored } from './storage.ts'

/** Memory as a kernel sees it: a slot that holds elements of a dtype. */
export interface Memory {
  readonly slot: number
  readonly dtype: StoredDType
}

interface Bound {
  readonly slot: number
  readonly name: string
  written: boolean
  /** Some invocations store parts of a word that others store parts of, too. */
  shared: boolean
  /** Bound as quads of words. */
  quads: boolean
}

/** How a finished body is launched. */
export interface Launch {
  readonly label: string
  /** Invocations of a workgroup. */
  readonly size: number
  readonly groups: number
  /** Statements; `group` and `lane` are the numbers of the workgroup and of the invocation in it, as i32. */
  readonly body: readonly string[]
}

/** Collects the text of one dispatch: bindings in order of first use, accessors, the prelude's functions, declarations. */
export class Shader {
  readonly context: KernelContext
  readonly #bound = new Map<number, Bound>()
  readonly #accessors = new Map<string, (bound: Bound) => string>()
  readonly #prelude = new Set<string>()
  readonly #declarations: string[] = []
  #names = 0

  constructor(context: KernelContext) {
    this.context = context
  }

  /** A buffer of the program. */
  memory(buffer: number): Memory {
    const dtype = this.context.buffers[buffer]?.dtype ?? 'float32'
    return { slot: this.context.slots.slotOf(buffer), dtype: stored(dtype) }
  }

  /** A name that nothing else in this text has. */
  name(prefix = 'v'): string {
    return `${prefix}_${this.#names++}`
  }

  use(...functions: readonly string[]): void {
    for (const f of functions) this.#prelude.add(f)
  }

  /** A line of module scope, such as a workgroup variable. */
  declare(line: string): void {
    this.#declarations.push(line)
  }

  /** The element at an i32 address. */
  load(memory: Memory, address: string): string {
    return `${this.#accessor('load', memory)}(${address})`
  }

  /** Four float32 elements at once, from element 4 * `quad` on. Only where the buffer holds whole quads and is not written. */
  loadQuad(memory: Memory, quad: string): string {
    this.#bind(memory.slot).quads = true
    return `${this.#accessor('quad', memory)}(${quad})`
  }

  /** A statement that stores one element. Elements smaller than a word are stored by atomic operations. */
  store(memory: Memory, address: string, value: string): string {
    const bound = this.#bind(memory.slot)
    bound.written = true
    if (storageOf(memory.dtype).lanes > 1) bound.shared = true
    return `${this.#accessor('store', memory)}(${address}, ${value});`
  }

  /** A statement that stores a whole word of small elements; nobody else may store in that word. */
  storeWord(memory: Memory, word: string, value: string): string {
    this.#bind(memory.slot).written = true
    return `${this.#accessor('word', memory)}(${word}, ${value});`
  }

  #bind(slot: number): Bound {
    const known = this.#bound.get(slot)
    if (known) return known
    const bound = { slot, name: `m${this.#bound.size}`, written: false, shared: false, quads: false }
    this.#bound.set(slot, bound)
    return bound
  }

  #accessor(kind: keyof typeof accessors, { slot, dtype }: Memory): string {
    const { name } = this.#bind(slot)
    const fn = `${kind}_${name}_${dtype}`
    this.#accessors.set(fn, (bound) => accessors[kind](fn, bound, dtype))
    return fn
  }

  finish({ label, size, groups, body }: Launch): Dispatch {
    const { maxStorageBuffers, maxWorkgroupsPerDimension: limit } = this.context.capabilities
    if (this.#bound.size > maxStorageBuffers)
      throw internalError(`${label} binds ${this.#bound.size} buffers of ${maxStorageBuffers}`)
    const rows = Math.ceil(groups / limit)
    const columns = Math.ceil(groups / rows)
    const accessorText = [...this.#accessors].map(([fn, text]) => text(this.#boundOf(fn)))
    const bound = [...this.#bound.values()]
    const lines = [
      ...bound.map(declaration),
      ...this.#declarations,
      preludeText(this.#prelude),
      ...accessorText,
      `@compute @workgroup_size(${size})`,
      'fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {',
      `let group = i32(workgroup.x${rows > 1 ? ` + workgroup.y * ${columns}u` : ''});`,
      ...(rows * columns > groups ? [`if (group >= ${groups}) { return; }`] : []),
      'let lane = i32(invocation);',
      ...body,
      '}',
    ]
    return {
      label,
      wgsl: lines.filter((line) => line !== '').join('\n'),
      bindings: bound.map(({ slot, written }): Binding => ({ slot, access: written ? 'read_write' : 'read' })),
      workgroups: [columns, rows, 1],
    }
  }

  #boundOf(accessor: string): Bound {
    const name = accessor.split('_')[1]
    return [...this.#bound.values()].find((b) => b.name === name) as Bound
  }
}

function declaration({ name, written, shared, quads }: Bound, index: number): string {
  if (quads && written) throw internalError(`${name} is read in quads and written`)
  const element = shared ? 'atomic<u32>' : quads ? 'vec4<u32>' : 'u32'
  return `@group(0) @binding(${index}) var<storage, ${written ? 'read_write' : 'read'}> ${name}: array<${element}>;`
}

function wordText({ name, shared, quads }: Bound, at: string): string {
  if (quads) return `${name}[(${at}) >> 2u][(${at}) & 3]`
  return shared ? `atomicLoad(&${name}[${at}])` : `${name}[${at}]`
}

/** Bits of an element and its place in the word at `i`. */
const lanesOf = (dtype: DType) => {
  const { lanes } = storageOf(dtype)
  return { shift: lanes === 4 ? 2 : 1, low: lanes - 1, bits: 32 / lanes, mask: lanes === 4 ? '0xffu' : '0xffffu' }
}

const accessors = {
  load: (fn: string, bound: Bound, dtype: DType): string => {
    const { type, lanes, decode } = storageOf(dtype)
    const head = `fn ${fn}(i: i32) -> ${type}`
    if (lanes === 1) return `${head} { return ${decode(wordText(bound, 'i'))}; }`
    const { shift, low, bits, mask } = lanesOf(dtype)
    const part = `((${wordText(bound, `i >> ${shift}u`)} >> ((u32(i) & ${low}u) * ${bits}u)) & ${mask})`
    return `${head} { return ${decode(part)}; }`
  },
  store: (fn: string, bound: Bound, dtype: DType): string => {
    const { type, lanes, encode } = storageOf(dtype)
    const head = `fn ${fn}(i: i32, v: ${type})`
    if (lanes === 1 && bound.shared) return `${head} { atomicStore(&${bound.name}[i], ${encode('v')}); }`
    if (lanes === 1) return `${head} { ${bound.name}[i] = ${encode('v')}; }`
    const { shift, low, bits, mask } = lanesOf(dtype)
    return `${head} {
  let shift = (u32(i) & ${low}u) * ${bits}u;
  atomicAnd(&${bound.name}[i >> ${shift}u], ~(${mask} << shift));
  atomicOr(&${bound.name}[i >> ${shift}u], ${encode('v')} << shift);
}`
  },
  quad: (fn: string, { name }: Bound): string => `fn ${fn}(i: i32) -> vec4f { return bitcast<vec4f>(${name}[i]); }`,
  word: (fn: string, bound: Bound): string => {
    const target = `${bound.name}[i]`
    const statement = bound.shared ? `atomicStore(&${target}, v)` : `${target} = v`
    return `fn ${fn}(i: i32, v: u32) { ${statement}; }`
  },
}
