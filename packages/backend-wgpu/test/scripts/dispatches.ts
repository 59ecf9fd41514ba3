// What recording one dispatch costs the process, by how changing numbers would come in: not at all (as now), through a uniform
// buffer with dynamic offsets, as immediates.
// node --conditions=@tessella/source packages/backend-wgpu/test/scripts/dispatches.ts [null|swiftshader]
import { useSwiftshader } from '@tessella/testing/swiftshader'
import { create } from 'webgpu'

const driver = process.argv[2] ?? 'null'
if (driver === 'swiftshader') await useSwiftshader()
const gpu = create(driver === 'null' ? ['backend=null'] : [])
// Dawn's instance must not be collected.
process.on('exit', () => void gpu)
const adapter = await gpu.requestAdapter()
if (!adapter) throw new Error('no adapter')
const device = await adapter.requestDevice({ requiredLimits: { maxImmediateSize: 64 } })

const count = 30
const [storage, uniformUse, copyDst, compute] = [0x80, 0x40, 0x8, 0x4]
const buffers = Array.from({ length: 2 * count }, () => device.createBuffer({ size: 1024, usage: storage | copyDst }))
const numbers = device.createBuffer({ size: 256 * count, usage: uniformUse | copyDst })
const layout = device.createBindGroupLayout({
  entries: [0, 1, 2, 3].map((binding) => ({
    binding,
    visibility: compute,
    buffer: { type: binding < 3 ? 'read-only-storage' : 'storage' },
  })),
})
const numbersLayout = device.createBindGroupLayout({
  entries: [{ binding: 0, visibility: compute, buffer: { type: 'uniform', hasDynamicOffset: true } }],
})
const inputs = ['a', 'b', 'c'].map((x, i) => `@group(0) @binding(${i}) var<storage, read> ${x}: array<f32>;`).join('\n')
const pipelines = (layouts: GPUBindGroupLayout[], head: string, term: string, immediateSize = 0) =>
  Array.from({ length: count }, (_, i) => {
    const code = `${head}\n${inputs}\n@group(0) @binding(3) var<storage, read_write> d: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(local_invocation_index) i: u32) { d[i] = a[i] + b[i] * c[i] + ${i}.0 ${term}; }`
    const module = device.createShaderModule({ code })
    const described = { bindGroupLayouts: layouts, immediateSize } as GPUPipelineLayoutDescriptor
    return device.createComputePipeline({ layout: device.createPipelineLayout(described), compute: { module } })
  })
const groups = Array.from({ length: count }, (_, i) => {
  const bound = [0, 1, 2].map((k) => buffers[(i + k) % count]).concat(buffers[count + i]) as GPUBuffer[]
  return device.createBindGroup({
    layout,
    entries: bound.map((buffer, binding) => ({ binding, resource: { buffer } })),
  })
})
const numbersGroup = device.createBindGroup({
  layout: numbersLayout,
  entries: [{ binding: 0, resource: { buffer: numbers, size: 16 } }],
})
const plain = pipelines([layout], '', '')
const uniform = pipelines([layout, numbersLayout], '@group(1) @binding(0) var<uniform> p: vec4f;', '+ p.x')
const immediate = pipelines([layout], 'requires immediate_address_space; var<immediate> p: vec4f;', '+ p.x', 16)
type Immediates = GPUComputePassEncoder & { setImmediates(offset: number, data: Float32Array): void }
const data = new Float32Array(4)

const record = (pass: GPUComputePassEncoder, pipeline: readonly GPUComputePipeline[], i: number, more: () => void) => {
  pass.setPipeline(pipeline[i] as GPUComputePipeline)
  pass.setBindGroup(0, groups[i] as GPUBindGroup)
  more()
  pass.dispatchWorkgroups(1, 1, 1)
}
const ways: Record<string, (pass: GPUComputePassEncoder, i: number) => void> = {
  'numbers in the text': (pass, i) => record(pass, plain, i, () => {}),
  'a uniform buffer': (pass, i) => record(pass, uniform, i, () => pass.setBindGroup(1, numbersGroup, [256 * i])),
  immediates: (pass, i) => record(pass, immediate, i, () => (pass as Immediates).setImmediates(0, data)),
}
const middle = (all: number[]): string => (all.sort((a, b) => a - b)[all.length >> 1] as number).toFixed(2)
for (const turn of ['warm-up', 'measured'])
  for (const [name, way] of Object.entries(ways)) {
    const recording: number[] = []
    const submitting: number[] = []
    for (let round = 0; round < 300; round++) {
      const encoder = device.createCommandEncoder()
      const pass = encoder.beginComputePass()
      const began = performance.now()
      for (let i = 0; i < count; i++) way(pass, i)
      const recorded = performance.now()
      pass.end()
      device.queue.submit([encoder.finish()])
      recording.push((1000 * (recorded - began)) / count)
      submitting.push(1000 * (performance.now() - recorded))
      if (round % 20 === 0) await device.queue.onSubmittedWorkDone()
    }
    if (turn === 'measured')
      console.log(`${name}: ${middle(recording)} us a dispatch; ${middle(submitting)} us to end, finish and submit`)
  }
device.destroy()
