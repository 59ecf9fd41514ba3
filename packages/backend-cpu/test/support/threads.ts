import type { Backend, DeviceBuffer, DType, Executable, Graph, HostArray, HostArrays } from '@tessella/ir'
import { CpuBackend } from '../../src/backend.ts'

/** A backend that shares every kernel of more than one unit, with its workers running. */
export async function eagerBackend(threads: number): Promise<CpuBackend> {
  const backend = new CpuBackend({ threads }, { shared: 1, always: true })
  await backend.startThreads()
  return backend
}

/** Two backends as one; whatever is read from it must have the same bits in both. */
export class Twins implements Backend {
  readonly name = 'twins'
  readonly irVersion
  readonly dtypes
  readonly #all: readonly [CpuBackend, CpuBackend]

  constructor(...all: readonly [CpuBackend, CpuBackend]) {
    this.#all = all
    this.irVersion = all[0].irVersion
    this.dtypes = all[0].dtypes
  }

  prepare(graph: Graph): Executable {
    const both = this.#all.map((b) => b.prepare(graph))
    return {
      kernels: both[0]!.kernels,
      run: (inputs, donated) => {
        const [first, second] = both.map((e, i) =>
          e.run(
            inputs.map((b) => (b as Pair).all[i]!),
            donated,
          ),
        )
        return first!.map((b, k) => new Pair([b, second![k]!]))
      },
      print: () => both[0]!.print!(),
      dispose: () => {
        for (const e of both) e.dispose()
      },
    }
  }

  upload(data: HostArray, dtype: DType): DeviceBuffer {
    return new Pair(this.#all.map((b) => b.upload(data, dtype)))
  }

  async read<D extends DType>(buffer: DeviceBuffer, dtype: D): Promise<HostArrays[D]> {
    const [a, b] = await Promise.all(this.#all.map((backend, i) => backend.read((buffer as Pair).all[i]!, dtype)))
    const bytes = (x: HostArray): Buffer => Buffer.from(x.buffer, x.byteOffset, x.byteLength)
    if (bytes(a!).compare(bytes(b!)) !== 0) throw new Error(`the bits depend on the number of threads: ${a} and ${b}`)
    return a!
  }

  release(buffer: DeviceBuffer): void {
    for (const [i, b] of this.#all.entries()) b.release((buffer as Pair).all[i]!)
  }

  async synchronize(): Promise<void> {
    for (const b of this.#all) await b.synchronize()
  }

  memory() {
    return this.#all[0].memory()
  }

  dispose(): void {
    for (const b of this.#all) b.dispose()
  }
}

class Pair implements DeviceBuffer {
  readonly all: readonly DeviceBuffer[]

  constructor(all: readonly DeviceBuffer[]) {
    this.all = all
  }

  get byteLength(): number {
    return this.all[0]!.byteLength
  }
}

/** One thread beside `threads`. */
export async function threadTwins(threads: number): Promise<{ twins: Twins; many: CpuBackend }> {
  const many = await eagerBackend(threads)
  return { twins: new Twins(new CpuBackend({ threads: 1 }), many), many }
}
