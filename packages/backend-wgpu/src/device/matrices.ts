import type { MatrixShape } from './capabilities.ts'

export const matrixFeature = 'chromium-experimental-subgroup-matrix'
export const sizeFeature = 'subgroup-size-control'

/** What a GPUAdapterInfo says of subgroups; TypeScript's library does not know the shapes of matrices yet. */
interface SubgroupInfo {
  readonly subgroupMinSize?: number
  readonly subgroupMaxSize?: number
  readonly subgroupMatrixConfigs?: Iterable<{
    readonly componentType: string
    readonly resultComponentType: string
    readonly M: number
    readonly N: number
    readonly K: number
  }>
}

/**
 * The shapes in which the device's subgroups multiply matrices of float16 and add in float32. Those that it lists are
 * tried once: with the largest subgroups, then with smaller ones; a shape with which no size gives the right product (an
 * older WGSL, a size that the driver refuses) is left out.
 */
export async function matricesOf(device: GPUDevice, info: SubgroupInfo): Promise<readonly MatrixShape[]> {
  const features: ReadonlySet<string> = device.features
  if (![matrixFeature, 'subgroups', 'shader-f16'].every((feature) => features.has(feature))) return []
  const mayChoose = features.has(sizeFeature)
  const { subgroupMinSize: min = 1, subgroupMaxSize: max = 0 } = info
  const sizes: number[] = []
  // The lanes of a matrix are those of a subgroup of known size.
  for (let size = max; size >= min && (mayChoose || min === max); size /= 2) sizes.push(size)
  const found: MatrixShape[] = []
  for (const { M: m, N: n, K: k, componentType, resultComponentType } of info.subgroupMatrixConfigs ?? [])
    if (componentType === 'f16' && resultComponentType === 'f32')
      for (const lanes of sizes)
        if (await isRight(device, { m, n, k, lanes }, mayChoose)) {
          found.push({ m, n, k, lanes })
          break
        }
  return found
}

/** Elements of the operands, which lie side by side along m and n. */
const left = (at: number): number => ((at * 7) % 5) - 2
const right = (at: number): number => ((at * 3) % 7) - 3

const trial = ({ m, n, k, lanes }: MatrixShape, mayChoose: boolean): string => `enable f16;
enable subgroups;
enable chromium_experimental_subgroup_matrix;
${mayChoose ? 'enable subgroup_size_control;' : ''}
diagnostic(off, chromium.subgroup_matrix_uniformity);
@group(0) @binding(0) var<storage, read_write> result: array<f32>;
var<workgroup> a: array<vec4h, ${(m * k) / 4}>;
var<workgroup> b: array<vec4h, ${(n * k) / 4}>;
var<workgroup> c: array<f32, ${m * n}>;
alias Left = subgroup_matrix_left<f16, ${k}, ${m}>;
alias Right = subgroup_matrix_right<f16, ${n}, ${k}>;
alias Sums = subgroup_matrix_result<f32, ${n}, ${m}>;
@compute @workgroup_size(${lanes})${mayChoose ? ` @subgroup_size(${lanes})` : ''}
fn main(@builtin(local_invocation_index) lane: u32, @builtin(subgroup_id) subgroup: u32) {
  for (var i = i32(lane); i < ${(m * k) / 4}; i += ${lanes}) {
    let at = 4 * vec4i(i) + vec4i(0, 1, 2, 3);
    a[i] = vec4h((at * 7) % vec4i(5) - vec4i(2));
  }
  for (var i = i32(lane); i < ${(n * k) / 4}; i += ${lanes}) {
    let at = 4 * vec4i(i) + vec4i(0, 1, 2, 3);
    b[i] = vec4h((at * 3) % vec4i(7) - vec4i(3));
  }
  workgroupBarrier();
  let l = subgroupMatrixLoad<Left, col_major>(&a, subgroup, ${m / 4});
  let r = subgroupMatrixLoad<Right, row_major>(&b, subgroup, ${n / 4});
  subgroupMatrixStore<row_major>(&c, subgroup, subgroupMatrixMultiplyAccumulate(l, r, Sums()), ${n});
  workgroupBarrier();
  for (var i = i32(lane); i < ${m * n}; i += ${lanes}) { result[i] = c[i]; }
}`

/** Whether one subgroup of this size makes a product of this shape, every element of it right. */
async function isRight(device: GPUDevice, shape: MatrixShape, mayChoose: boolean): Promise<boolean> {
  const { m, n, k } = shape
  const size = 4 * m * n
  // GPUBufferUsage: STORAGE | COPY_SRC, and COPY_DST | MAP_READ.
  const result = device.createBuffer({ size, usage: 0x80 | 0x4 })
  const read = device.createBuffer({ size, usage: 0x8 | 0x1 })
  device.pushErrorScope('validation')
  try {
    const module = device.createShaderModule({ code: trial(shape, mayChoose) })
    const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute: { module } })
    const layout = pipeline.getBindGroupLayout(0)
    const encoder = device.createCommandEncoder()
    const pass = encoder.beginComputePass()
    pass.setPipeline(pipeline)
    pass.setBindGroup(0, device.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer: result } }] }))
    pass.dispatchWorkgroups(1)
    pass.end()
    encoder.copyBufferToBuffer(result, 0, read, 0, size)
    device.queue.submit([encoder.finish()])
    // GPUMapMode.READ
    await read.mapAsync(0x1)
    const got = new Float32Array(read.getMappedRange())
    return got.every((value, at) => {
      let sum = 0
      for (let d = 0; d < k; d++) sum += left(d * m + Math.floor(at / n)) * right(d * n + (at % n))
      return value === sum
    })
  } catch {
    return false
  } finally {
    void device.popErrorScope()
    result.destroy()
    read.destroy()
  }
}
