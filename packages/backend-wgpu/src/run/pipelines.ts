import type { Device } from '../device/device.ts'
import type { Binding, Dispatch } from '../kernel.ts'
import type { Memory, Page } from '../memory/pool.ts'
import { Recent } from './recent.ts'

// GPUShaderStage.COMPUTE
const compute = 0x4

interface Layout {
  /** One letter a binding. */
  readonly key: string
  readonly group: GPUBindGroupLayout
  readonly pipeline: GPUPipelineLayout
}

/** A dispatch that is ready to be recorded. */
export interface Prepared {
  readonly pipeline: GPUComputePipeline
  readonly layout: Layout
  readonly bindings: readonly Binding[]
  readonly workgroups: readonly [number, number, number]
}

/** Pipelines by their text and bind groups by their buffers, shared by all programs of a device. */
export class Pipelines {
  readonly #device: Device
  readonly #layouts = new Map<string, Layout>()
  readonly #pipelines = new Recent<GPUComputePipeline>(2048)
  readonly #groups = new Recent<GPUBindGroup>(4096)

  constructor(device: Device) {
    this.#device = device
  }

  prepare({ label, wgsl, bindings, workgroups }: Dispatch): Prepared {
    const layout = this.#layout(bindings.map(({ access }) => (access === 'read' ? 'r' : 'w')).join(''))
    const { gpu } = this.#device
    const pipeline = this.#pipelines.get(`${layout.key}\n${wgsl}`, () =>
      gpu.createComputePipeline({
        label,
        layout: layout.pipeline,
        compute: { module: gpu.createShaderModule({ label, code: wgsl }), entryPoint: 'main' },
      }),
    )
    return { pipeline, layout, bindings, workgroups }
  }

  group({ layout, bindings }: Prepared, memories: readonly Memory[]): GPUBindGroup {
    const pageOf = ({ slot, page }: Binding) => (memories[slot] as Memory).pages[page] as Page
    let key = layout.key
    for (const binding of bindings) key += `,${pageOf(binding).id}`
    return this.#groups.get(key, () =>
      this.#device.gpu.createBindGroup({
        layout: layout.group,
        entries: bindings.map((bound, binding) => ({ binding, resource: { buffer: pageOf(bound).buffer } })),
      }),
    )
  }

  #layout(key: string): Layout {
    const found = this.#layouts.get(key)
    if (found) return found
    const { gpu } = this.#device
    const group = gpu.createBindGroupLayout({
      entries: [...key].map((letter, binding) => ({
        binding,
        visibility: compute,
        buffer: { type: letter === 'r' ? 'read-only-storage' : 'storage' },
      })),
    })
    const layout = { key, group, pipeline: gpu.createPipelineLayout({ bindGroupLayouts: [group] }) }
    this.#layouts.set(key, layout)
    return layout
  }
}
