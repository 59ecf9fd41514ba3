import { valueAndGrad } from '@tessella/autograd'
import type { Program } from '@tessella/compiler'
import { byteWidth } from '@tessella/ir'
import { conv2d, flatten, input, linear, maxPool2d, relu, sequential } from '@tessella/layers'
import { crossEntropy } from '@tessella/losses'
import { optimizer, sgd } from '@tessella/optimizers'
import { compile, disposeBackend, type Tensor, tensor, useBackend } from '@tessella/tensor'
import { afterEach, describe, expect, it } from 'vitest'
import { Heap } from '../src/heap.ts'
import { chainsOf } from '../src/kernels/chains.ts'
import { prepared } from '../src/kernels/prepare.ts'
import { buildModule } from '../src/module.ts'
import { probeFeatures } from '../src/wasm/features.ts'
import { training } from './support/lectures.ts'
import { Recorder } from './support/recorder.ts'

/** The largest program that training or evaluating a convolutional network prepares. */
async function programOf(batch: number, padding: number, train: boolean): Promise<Program> {
  const backend = new Recorder()
  await useBackend(backend)
  const model = sequential(
    input(2, 12, 8),
    conv2d(2, 3, 3, { padding }),
    relu(),
    maxPool2d(2),
    conv2d(3, 5, 2),
    relu(),
    flatten(),
    linear(padding === 0 ? 40 : 75, 4),
  )
  const opt = optimizer(sgd(0.1, { momentum: 0.9 }), model)
  const step = compile((x: Tensor<[number, 2, 12, 8], 'uint8'>, y: Tensor<[number], 'uint8'>) => {
    const predict = () => model(x.cast('float32').div(255))
    if (!train) return predict()
    const [loss, grads] = valueAndGrad(() => crossEntropy(predict(), y), model)
    opt.update(grads)
    return loss
  })
  const x = tensor(new Uint8Array(batch * 192), [batch, 2, 12, 8])
  await step(x, tensor(new Uint8Array(batch), [batch])).data()
  return backend.largest.program
}

/**
 * The results of a program whose kernels ran in these groups, each a module of its own; with one group, in memory that is
 * planned for it.
 */
function resultsOf(program: Program, groups: readonly Program['kernels'][]): Uint8Array[] {
  const heap = new Heap()
  const words = program.buffers.length + 1
  const table = heap.allocate(4 * words).block.address
  const size = 2 * program.temporaryBytes + 65536
  const arena = heap.allocate(size).block.address
  const scratch = heap.allocate(1 << 22).block.address
  const homes = program.buffers.map(({ dtype, length, place }) => {
    if (place.kind === 'temporary') return arena + place.offset
    const bytes = length * byteWidth(dtype)
    const { address } = heap.allocate(bytes).block
    const floats = new Float32Array(heap.memory.bytes.buffer, address, dtype === 'float32' ? length : 0)
    for (let i = 0; i < floats.length; i++) floats[i] = Math.sin(i * 12.9898) * 0.3
    if (dtype !== 'float32') for (let i = 0; i < bytes; i++) heap.memory.bytes[address + i] = bytes < 100 ? i % 4 : i
    return address
  })
  for (const [i, home] of [...homes, scratch].entries()) heap.memory.words[table / 4 + i] = home
  for (const kernels of groups) {
    const surroundings = { features: probeFeatures(), constants: heap.constants, pointers: table }
    const built = buildModule({ ...program, kernels }, surroundings)
    expect(built.scratchBytes).toBeLessThanOrEqual(1 << 22)
    if (groups.length === 1) {
      expect(built.temporaries.bytes).toBeLessThanOrEqual(size)
      for (const [buffer, offset] of built.temporaries.offsets) heap.memory.words[table / 4 + buffer] = arena + offset
    }
    const module = new WebAssembly.Module(built.bytes)
    const instance = new WebAssembly.Instance(module, { env: { memory: heap.memory.memory } })
    const run = instance.exports['run'] as () => void
    run()
  }
  return program.outputs.map((buffer) => {
    const { dtype, length } = program.buffers[buffer] as Program['buffers'][number]
    const start = homes[buffer] as number
    return heap.memory.bytes.slice(start, start + length * byteWidth(dtype))
  })
}

describe('chains of kernels', () => {
  afterEach(disposeBackend)

  it.each([
    [1, 0, true],
    [7, 0, true],
    [7, 1, true],
    [100, 1, true],
    [33, 0, false],
    [64, 1, false],
  ])('of %i images with padding %i, training %s, give the bits of one kernel after the other', async (...options) => {
    const program = prepared(await programOf(...options))
    const together = resultsOf(program, [program.kernels])
    const apart = resultsOf(
      program,
      program.kernels.map((kernel) => [kernel]),
    )
    expect(together).toEqual(apart)
  })

  it.each([5, 64])(
    'of LeNet with %i images, gradients by the elements of pools among them, give the same bits',
    async (batch) => {
      const backend = new Recorder()
      const { step } = await training(backend, 'lenet', sgd(0.1), batch)
      await step().item()
      const program = prepared(backend.largest.program)
      expect(program.kernels.filter((k) => 'pooled' in k && k.pooled).length).toBe(3)
      expect(chainsOf(program).some((c) => 'members' in c && c.members.some((m) => 'pooled' in m))).toBe(true)
      const together = resultsOf(program, [program.kernels])
      const apart = resultsOf(
        program,
        program.kernels.map((kernel) => [kernel]),
      )
      expect(together).toEqual(apart)
    },
  )

  it.each([7, 96])('sum over %i images in two steps, close to the sums in one', async (batch) => {
    const whole = await programOf(batch, 1, true)
    const steps = prepared(whole)
    const byImage = ({ kernels }: Program) => kernels.filter((k) => k.kind === 'reduce' && k.domain[0] === batch).length
    expect(byImage(steps)).toBeGreaterThan(byImage(whole))
    const [one, two] = [whole, steps].map((p) => resultsOf(p, [p.kernels])) as [Uint8Array[], Uint8Array[]]
    for (const [i, buffer] of whole.outputs.entries()) {
      if (whole.buffers[buffer]?.dtype !== 'float32') continue
      const [a, b] = [one, two].map((all) => new Float32Array((all[i] as Uint8Array).buffer)) as [
        Float32Array,
        Float32Array,
      ]
      for (const [j, x] of a.entries()) expect(Math.abs(x - (b[j] as number))).toBeLessThan(1e-5 * (1 + Math.abs(x)))
    }
  })

  it('hand images on through convolutions and pools, forward and backward', async () => {
    const chains = chainsOf(prepared(await programOf(16, 1, true))).flatMap((item) => ('members' in item ? [item] : []))
    expect(chains.map(({ members }) => members.map((m) => m.kind).join(' '))).toEqual([
      'map conv maxPool conv',
      'convGradInput reduce convGradWeight',
    ])
    expect(chains.every(({ images }) => images === 16)).toBe(true)
  })
})
