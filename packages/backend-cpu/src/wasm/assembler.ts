import { internalError } from '@tessella/ir'
import { Bytes } from './bytes.ts'
import {
  FunctionBuilder,
  type FunctionRef,
  type GlobalRef,
  type Local,
  type ValueType,
  valueTypeCode,
} from './functionBuilder.ts'

export {
  FunctionBuilder,
  type FunctionRef,
  type GlobalRef,
  type Label,
  type Local,
  type ValueType,
} from './functionBuilder.ts'

/** The memory a module imports. Sizes in pages of 64 KiB. */
export interface MemoryImport {
  readonly module: string
  readonly name: string
  readonly minimum: number
  readonly maximum?: number
  /** A shared memory needs a maximum. */
  readonly shared?: boolean
}

/**
 * Builds one WebAssembly module: an imported memory, imported functions, functions and exports.
 * @example
 * const m = new ModuleBuilder()
 * const add = m.function(['i32', 'i32'], ['i32'], (f, a, b) => { f.get(a); f.get(b); f.op('i32.add') })
 * m.export('add', add)
 * new WebAssembly.Instance(new WebAssembly.Module(m.build()))
 */
export class ModuleBuilder {
  readonly #types = new Map<string, number>()
  readonly #typeBytes = new Bytes()
  readonly #functionTypes: number[] = []
  readonly #bodies: (Bytes | undefined)[] = []
  readonly #imports: { readonly module: string; readonly name: string; readonly type: number }[] = []
  readonly #exports: { readonly name: string; readonly index: number }[] = []
  readonly #shared = new Map<string, FunctionRef>()
  #table: readonly FunctionRef[] = []
  #globals = 0
  #memory: MemoryImport | undefined

  /** A mutable i32 variable that starts at 0; every instance has its own. */
  global(): GlobalRef {
    return { index: this.#globals++ }
  }

  /** What `callIndirect` finds, by place. */
  table(functions: readonly FunctionRef[]): void {
    this.#table = functions
  }

  /** The number of a function type, for `callIndirect`. */
  type(params: readonly ValueType[], results: readonly ValueType[]): number {
    const key = `${params.join()}:${results.join()}`
    const known = this.#types.get(key)
    if (known !== undefined) return known
    const index = this.#types.size
    this.#types.set(key, index)
    this.#typeBytes.byte(0x60)
    for (const list of [params, results]) {
      this.#typeBytes.u32(list.length)
      for (const t of list) this.#typeBytes.byte(valueTypeCode[t])
    }
    return index
  }

  importMemory(memory: MemoryImport): void {
    this.#memory = memory
  }

  /** Imports come before any function of the module. */
  importFunction(
    module: string,
    name: string,
    params: readonly ValueType[],
    results: readonly ValueType[],
  ): FunctionRef {
    if (this.#functionTypes.length > 0) throw internalError('a wasm import after the first function')
    const ref: FunctionRef = { index: this.#imports.length, params, results }
    this.#imports.push({ module, name, type: this.type(params, results) })
    return ref
  }

  /** A function whose body is emitted now; the body gets the builder and one local per parameter. */
  function(
    params: readonly ValueType[],
    results: readonly ValueType[],
    body: (f: FunctionBuilder, ...locals: readonly Local[]) => void,
  ): FunctionRef {
    const at = this.#functionTypes.length
    this.#functionTypes.push(this.type(params, results))
    this.#bodies.push(undefined)
    const ref: FunctionRef = { index: this.#imports.length + at, params, results }
    const f = new FunctionBuilder(params)
    body(f, ...f.params)
    this.#bodies[at] = f.finish()
    return ref
  }

  /** One function per key and module: helpers that several kernels call. */
  helper(
    key: string,
    params: readonly ValueType[],
    results: readonly ValueType[],
    body: (f: FunctionBuilder, ...locals: readonly Local[]) => void,
  ): FunctionRef {
    const known = this.#shared.get(key)
    if (known) return known
    const made = this.function(params, results, body)
    this.#shared.set(key, made)
    return made
  }

  export(name: string, f: FunctionRef): void {
    this.#exports.push({ name, index: f.index })
  }

  build(): Uint8Array<ArrayBuffer> {
    const out = new Bytes(4096)
    out.raw([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])
    const section = (id: number, count: number, content: Bytes): void => {
      if (count === 0) return
      const size = new Bytes(8)
      size.u32(count)
      out.byte(id)
      out.u32(size.length + content.length)
      out.append(size)
      out.append(content)
    }
    section(1, this.#types.size, this.#typeBytes)
    section(2, this.#imports.length + (this.#memory ? 1 : 0), this.#importBytes())
    const functions = new Bytes()
    for (const t of this.#functionTypes) functions.u32(t)
    section(3, this.#functionTypes.length, functions)
    section(4, this.#table.length > 0 ? 1 : 0, this.#tableBytes())
    const globals = new Bytes()
    for (let i = 0; i < this.#globals; i++) globals.raw([valueTypeCode.i32, 1, 0x41, 0, 0x0b])
    section(6, this.#globals, globals)
    const exports = new Bytes()
    for (const e of this.#exports) {
      exports.name(e.name)
      exports.byte(0)
      exports.u32(e.index)
    }
    section(7, this.#exports.length, exports)
    section(9, this.#table.length > 0 ? 1 : 0, this.#elementBytes())
    const code = new Bytes(4096)
    for (const body of this.#bodies) {
      if (!body) throw internalError('a wasm function without a body')
      code.u32(body.length)
      code.append(body)
    }
    section(10, this.#bodies.length, code)
    return out.view().slice()
  }

  #tableBytes(): Bytes {
    const table = new Bytes()
    table.raw([0x70, 1])
    for (let i = 0; i < 2; i++) table.u32(this.#table.length)
    return table
  }

  #elementBytes(): Bytes {
    const elements = new Bytes()
    elements.raw([0, 0x41, 0, 0x0b])
    elements.u32(this.#table.length)
    for (const f of this.#table) elements.u32(f.index)
    return elements
  }

  #importBytes(): Bytes {
    const imports = new Bytes()
    for (const i of this.#imports) {
      imports.name(i.module)
      imports.name(i.name)
      imports.byte(0)
      imports.u32(i.type)
    }
    const memory = this.#memory
    if (memory) {
      imports.name(memory.module)
      imports.name(memory.name)
      imports.byte(2)
      imports.byte((memory.maximum === undefined ? 0 : 1) | (memory.shared ? 2 : 0))
      imports.u32(memory.minimum)
      if (memory.maximum !== undefined) imports.u32(memory.maximum)
    }
    return imports
  }
}
