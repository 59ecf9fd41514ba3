import { spawn } from 'node:child_process'

/** What decides whether a browser may be opened. */
export interface Surroundings {
  readonly platform: NodeJS.Platform
  readonly terminal: boolean
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** Whether a person sits in front of this machine's screen: a terminal, no CI, no remote shell, a display. */
export function mayOpen({ platform, terminal, environment: env }: Surroundings): boolean {
  if (!terminal || env['CI'] || env['SSH_CONNECTION'] || env['SSH_TTY']) return false
  return platform === 'darwin' || platform === 'win32' || Boolean(env['DISPLAY'] || env['WAYLAND_DISPLAY'])
}

const openers: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
}

/** Opens the default browser; where that fails, the address was printed. */
export function openBrowser(url: string, platform: NodeJS.Platform): void {
  const [command = 'xdg-open', ...args] = openers[platform] ?? ['xdg-open']
  const child = spawn(command, [...args, url], { stdio: 'ignore', detached: true })
  child.on('error', () => undefined)
  child.unref()
}
