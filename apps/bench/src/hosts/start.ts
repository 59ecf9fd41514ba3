import type { StartHost } from '../measure/slot.ts'
import type { Options } from '../options.ts'
import { browserHosts } from './browser.ts'
import { nodeHost } from './node.ts'
import { pythonHost } from './python.ts'

/** Where systems run in this benchmark. */
export interface Hosts {
  /** For the head of the output. */
  readonly title: string
  readonly start: StartHost
  versions(): Readonly<Record<string, string>>
  close(): void
}

/** Node processes, or pages of one headless browser; PyTorch is a Python process in both. */
export async function startHosts(options: Options): Promise<Hosts> {
  if (options.where === 'browser') return browserHosts(options.isolated, outside)
  return { title: `Node ${process.version}`, start: outside, versions: () => ({}), close() {} }
}

const outside: StartHost = async (system) => (system === 'pytorch' ? pythonHost() : nodeHost())
