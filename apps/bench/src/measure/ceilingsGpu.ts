import { create } from 'webgpu'

/** What a graphics card can do: GFLOP/s of multiply-adds in float32, and GB/s of reads and writes of a copy. */
export interface GpuCeilings {
  readonly fma: number
  readonly copy: number
}

const mebi = 2 ** 20
const copied = 64 * mebi
/** Independent sums of four lanes in each invocation, and rounds over them. */
const sums = 8
const rounds = 64
const invocations = 64 * 4096
/** Long enough that starting and waiting do not count. */
const leastMs = 50

const names = Array.from({ length: sums }, (_, i) => `s${i}`)
const text = `
@group(0) @binding(0) var<storage, read_write> out: array<vec4f>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let x = vec4f(0.999 + f32(id.x) * 1e-9);
  ${names.map((n, i) => `var ${n} = vec4f(${i}.5);`).join(' ')}
  for (var i = 0u; i < ${rounds}u; i++) { ${names.map((n) => `${n} = fma(${n}, x, x);`).join(' ')} }
  out[id.x] = ${names.join(' + ')};
}`

/** The best rate of `work(times)` in a time box, once it is done often enough at a time. */
async function best(seconds: number, amount: number, work: (times: number) => Promise<void>): Promise<number> {
  let times = 1
  let rate = 0
  const end = performance.now() + seconds * 1000
  for (let run = 0; run < 3 || performance.now() < end; run++) {
    const start = performance.now()
    await work(times)
    const ms = performance.now() - start
    if (ms < leastMs) {
      times *= 2
      run = 0
    } else rate = Math.max(rate, (amount * times) / (ms / 1000))
  }
  return rate / 1e9
}

const gpu = create([])
const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null)
if (adapter !== null) {
  const device = await adapter.requestDevice()
  const storage = 0x80
  const [from, to] = [0x4, 0x8].map((usage) => device.createBuffer({ size: copied, usage })) as [GPUBuffer, GPUBuffer]
  const out = device.createBuffer({ size: invocations * 16, usage: storage })
  const module = device.createShaderModule({ code: text })
  const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute: { module } })
  const group = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer: out } }],
  })
  const submit = (record: (encoder: GPUCommandEncoder) => void): Promise<void> => {
    const encoder = device.createCommandEncoder()
    record(encoder)
    device.queue.submit([encoder.finish()])
    return device.queue.onSubmittedWorkDone().then(() => undefined)
  }
  const seconds = Number(process.argv[2])
  const fma = await best(seconds, invocations * rounds * sums * 4 * 2, (times) =>
    submit((encoder) => {
      const pass = encoder.beginComputePass()
      pass.setPipeline(pipeline)
      pass.setBindGroup(0, group)
      for (let i = 0; i < times; i++) pass.dispatchWorkgroups(invocations / 64)
      pass.end()
    }),
  )
  const copy = await best(seconds, 2 * copied, (times) =>
    submit((encoder) => {
      for (let i = 0; i < times; i++) encoder.copyBufferToBuffer(from, 0, to, 0, copied)
    }),
  )
  process.send?.({ fma, copy } satisfies GpuCeilings)
}
process.exit(0)
