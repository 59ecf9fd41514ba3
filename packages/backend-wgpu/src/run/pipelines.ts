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

/** Groups that a dispatch finds without the look-up that all share: steps alternate between a few buffers. */
const mostLately = 8

/** A bind group with the ids of the buffers in it, in the order of the bindings. */
interface Group {
  readonly ids: readonly number[]
  readonly group: GPUBindGroup
}

/** A dispatch that is ready to be recorded. */
export interface Prepared {
  readonly pipeline: GPUComputePipeline
  readonly layout: Layout
  readonly bindings: readonly Binding[]
  readonly workgroups: readonly [number, number, number]
  /** Groups it was recorded with, newest last. */
  readonly lately: Group[]
}

const pageOf = ({ slot, page }: Binding, memories: readonly Memory[]) => (memories[slot] as Memory).pages[page] as Page

function holds({ ids }: Group, bindings: readonly Binding[], memories: readonly Memory[]): boolean {
  for (let i = 0; i < ids.length; i++) if (pageOf(bindings[i] as Binding, memories).id !== ids[i]) return false
  return true
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
    return { pipeline, layout, bindings, workgroups, lately: [] }
  }

  group({ layout, bindings, lately }: Prepared, memories: readonly Memory[]): GPUBindGroup {
    for (let i = lately.length - 1; i >= 0; i--) {
      const known = lately[i] as Group
      if (holds(known, bindings, memories)) return known.group
    }
    const pages = bindings.map((binding) => pageOf(binding, memories))
    const ids = pages.map(({ id }) => id)
    const group = this.#groups.get(`${layout.key},${ids}`, () =>
      this.#device.gpu.createBindGroup({
        layout: layout.group,
        entries: pages.map(({ buffer }, binding) => ({ binding, resource: { buffer } })),
      }),
    )
    if (lately.length >= mostLately) lately.shift()
    lately.push({ ids, group })
    return group
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
