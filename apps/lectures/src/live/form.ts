import type { Gpu, Job } from './protocol.ts'
import { fromQuery, type Settings, usualEpochs } from './settings.ts'
import type { State } from './state.ts'
import { element } from './view.ts'

const form = (): HTMLFormElement => element<HTMLFormElement>('settings')
const field = (name: string): HTMLInputElement => form().elements.namedItem(name) as HTMLInputElement
const radios = (name: string): RadioNodeList => form().elements.namedItem(name) as RadioNodeList
const option = (name: string, value: string): HTMLInputElement =>
  [...radios(name)].find((r) => (r as HTMLInputElement).value === value) as HTMLInputElement

/** Fills the form. */
export function fill({ model, epochs, seed, quick }: Settings): void {
  radios('model').value = model
  field('epochs').value = String(epochs)
  field('seed').value = String(seed)
  field('quick').checked = quick
  // Epochs that nobody chose follow the size of the data.
  field('quick').addEventListener('change', () => {
    const now = field('quick').checked
    if (field('epochs').valueAsNumber === usualEpochs(!now)) field('epochs').value = String(usualEpochs(now))
  })
}

/** What the form holds, once a backend is chosen; `threads` of the address. */
export function read({ threads }: Settings): Job {
  return {
    model: radios('model').value as Job['model'],
    backend: radios('backend').value as Job['backend'],
    epochs: field('epochs').valueAsNumber,
    seed: field('seed').valueAsNumber,
    quick: field('quick').checked,
    ...(threads !== undefined && { threads }),
  }
}

/** Why the backend is not the one that was hoped for, if so. */
function noteOf(gpu: Gpu, { backend }: Settings, isolated: boolean): string {
  const lines: string[] = []
  if (!gpu.there)
    lines.push(
      backend === 'wgpu'
        ? `WebGPU was asked for. ${gpu.reason} Or choose the CPU here.`
        : `${gpu.reason} Training runs on the CPU.`,
    )
  else if (gpu.software && backend === 'auto')
    lines.push(
      'The WebGPU adapter here is a program that runs on the processor, slower than the CPU backend: so the CPU is chosen.',
    )
  if (!isolated) lines.push('The page is not isolated from other origins: the CPU has one thread.')
  return lines.join(' ')
}

/** Shows which backends there are and chooses one, unless WebGPU was asked for and is not there: that is for a person to decide. */
export function offer({ found }: State, settings: Settings): void {
  if (found === undefined) return
  const { gpu, threads, isolated } = found
  const [wgpu, cpu] = [option('backend', 'wgpu'), option('backend', 'cpu')]
  wgpu.disabled = !gpu.there
  cpu.disabled = false
  element('wgpu-name').textContent = gpu.there ? gpu.name : 'not here'
  const most = settings.threads ?? threads
  element('cpu-name').textContent = `${most} ${most === 1 ? 'thread' : 'threads'} of WebAssembly`
  const wanted = settings.backend === 'auto' ? (gpu.there && !gpu.software ? 'wgpu' : 'cpu') : settings.backend
  if (wanted === 'cpu') cpu.checked = true
  else if (gpu.there) wgpu.checked = true
  const text = noteOf(gpu, settings, isolated)
  element('note').hidden = text === ''
  element('note').textContent = text
}

/** The settings of this page's address. */
export const addressed = (): Settings => fromQuery(location.search)
