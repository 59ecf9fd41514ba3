import type { ModelName } from '../models.ts'
import { lectureRun, quickRun } from '../record.ts'

/** What computes in a page; `auto` is WebGPU on a graphics card where there is one, else the CPU. */
export const pageBackends = ['auto', 'wgpu', 'cpu'] as const
export type PageBackend = (typeof pageBackends)[number]

export type Which = ModelName | 'both'

/** What the page's form holds. */
export interface Settings {
  readonly model: Which
  readonly backend: PageBackend
  readonly epochs: number
  readonly seed: number
  readonly quick: boolean
  /** Threads of the CPU; one per core, at most 8, when it is left out. */
  readonly threads?: number
}

/** The epochs that nobody asked for. */
export const usualEpochs = (quick: boolean): number => (quick ? quickRun : lectureRun).epochs

export const modelsOf = (which: Which): readonly ModelName[] => (which === 'both' ? ['mlp', 'cnn'] : [which])

/** Settings as the search part of the page's address, without what is usual. */
export function toQuery({ model, backend, epochs, seed, quick, threads }: Settings): string {
  const query = new URLSearchParams()
  if (model !== 'both') query.set('model', model)
  if (backend !== 'auto') query.set('backend', backend)
  if (quick) query.set('quick', '1')
  if (epochs !== usualEpochs(quick)) query.set('epochs', String(epochs))
  if (seed !== 1) query.set('seed', String(seed))
  if (threads !== undefined) query.set('threads', String(threads))
  return query.size === 0 ? '' : `?${query}`
}

/** The settings in an address; what is missing or makes no sense is as usual. */
export function fromQuery(search: string): Settings {
  const query = new URLSearchParams(search)
  const word = <T extends string>(name: string, allowed: readonly T[], usual: T): T =>
    allowed.find((a) => a === query.get(name)) ?? usual
  const whole = (name: string, least: number): number | undefined => {
    const text = query.get(name) ?? ''
    const value = Number(text)
    return /^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least ? value : undefined
  }
  const quick = query.get('quick') === '1'
  const threads = whole('threads', 1)
  return {
    model: word('model', ['mlp', 'cnn', 'both'], 'both'),
    backend: word('backend', pageBackends, 'auto'),
    epochs: whole('epochs', 1) ?? usualEpochs(quick),
    seed: whole('seed', 0) ?? 1,
    quick,
    ...(threads !== undefined && { threads }),
  }
}

/** The command that opens the page with these settings. */
export function commandOf({ model, backend, epochs, seed, quick, threads }: Settings): string {
  const words = ['npx pnpm@12 start --browser']
  if (model !== 'both') words.push(`--model ${model}`)
  if (backend !== 'auto') words.push(`--backend ${backend}`)
  if (quick) words.push('--quick')
  if (epochs !== usualEpochs(quick)) words.push(`--epochs ${epochs}`)
  if (seed !== 1) words.push(`--seed ${seed}`)
  if (threads !== undefined) words.push(`--threads ${threads}`)
  return words.join(' ')
}
