import { build, type DeviceBuffer, parameter } from '@tessella/ir'
import { useSwiftshader } from '@tessella/testing/swiftshader'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { WgpuBackend } from '../src/backend.ts'
import { Device } from '../src/device/device.ts'
import { openDevice } from '../src/device/open.ts'
import type { Pump } from '../src/device/pump.ts'
import { InFlight } from '../src/run/inFlight.ts'

let device: Device
let pump: Pump | undefined
beforeAll(async () => {
  await useSwiftshader()
  const opened = await openDevice({})
  device = new Device(opened.device, opened.info)
  pump = opened.pump
})
afterEach(() => vi.restoreAllMocks())
afterAll(() => device.dispose())

/** What a run of a program does to the queue. */
function submit(inFlight: InFlight): void {
  inFlight.block()
  device.queue.submit([])
  inFlight.submitted(0)
}

it('there is a fence for 16 empty submissions, for 480 dispatches in one and for 16 MiB of uploads, and room below 4', async () => {
  const inFlight = new InFlight(device, undefined)
  const counts = Array.from({ length: 32 }, () => {
    submit(inFlight)
    return inFlight.fences
  })
  expect(counts).toEqual(Array.from({ length: 32 }, (_, i) => Math.floor((i + 1) / 16)))
  inFlight.submitted(480)
  expect(inFlight.fences).toBe(3)
  inFlight.submitted(479)
  expect(inFlight.pace()).toBe(undefined)
  inFlight.staged(2 ** 24 - 1)
  expect(inFlight.fences).toBe(3)
  inFlight.staged(1)
  expect(inFlight.fences).toBe(4)
  await inFlight.pace()
  expect(inFlight.pace()).toBe(undefined)
})

it('in Node a call waits until the oldest fence is passed, without a turn of the event loop', () => {
  const inFlight = new InFlight(device, pump)
  const fences = Array.from({ length: 1000 }, () => {
    submit(inFlight)
    return inFlight.fences
  })
  expect(Math.max(...fences)).toBe(4)
  inFlight.block()
  expect(inFlight.fences).toBeLessThan(4)
})

it('waiting drops no task that somebody else wants to be done later', async () => {
  const done: number[] = []
  setImmediate(() => done.push(1))
  const inFlight = new InFlight(device, pump)
  for (let i = 0; i < 200; i++) submit(inFlight)
  const finished = device.queue.onSubmittedWorkDone()
  for (let i = 0; i < 200; i++) submit(inFlight)
  await finished
  await new Promise((resolve) => setImmediate(resolve))
  expect(done).toEqual([1])
})

it('runs that nobody reads make no more buffers, groups and pipelines, and keep none', async () => {
  const backend = new WgpuBackend(device, undefined, pump)
  const x = parameter([64], 'float32')
  const program = backend.prepare({ inputs: [x], outputs: [build.neg(x)], updates: [{ input: 0, output: 0 }] })
  let value = backend.upload(new Float32Array(64), 'float32')
  const run = () => {
    value = program.run([value], [true])[0] as DeviceBuffer
  }
  for (let i = 0; i < 100; i++) run()
  const before = backend.memory()
  const made = (['createBindGroup', 'createComputePipeline', 'createBuffer'] as const).map((f) =>
    vi.spyOn(device.gpu, f),
  )
  for (let i = 0; i < 500; i++) run()
  expect(made.map((f) => f.mock.calls.length)).toEqual([0, 0, 0])
  expect(backend.memory()).toEqual(before)
  for (let i = 0; i < 500; i++) {
    run()
    await backend.pace()
  }
  expect(made.map((f) => f.mock.calls.length)).toEqual([0, 0, 0])
  backend.release(value)
  expect(backend.memory().buffers).toBe(0)
})
