import { spawn, spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Conversation } from './node.ts'
import { type Host, HostError, type Reply } from './protocol.ts'

const script = fileURLToPath(new URL('../systems/pytorch.py', import.meta.url))

/**
 * OpenBLAS settings of the shell would choose slower kernels; threads that wait must not spin while others are timed.
 */
function environment(): NodeJS.ProcessEnv {
  const { OPENBLAS_CORETYPE: _core, OPENBLAS_L2_SIZE: _size, ...rest } = process.env
  return { ...rest, OMP_WAIT_POLICY: 'passive', PYTHONUNBUFFERED: '1', PYTHONWARNINGS: 'ignore' }
}

/** A python3 that has torch: the one on the path, or the system's. */
function pythonWithTorch(): string | undefined {
  const has = (python: string): boolean =>
    spawnSync(python, ['-c', 'import torch'], { stdio: 'ignore', env: environment(), timeout: 60_000 }).status === 0
  return ['python3', '/usr/bin/python3'].find(has)
}

/** A Python process with the same cases in PyTorch. Throws {@link HostError} where there is no PyTorch. */
export function pythonHost(): Host {
  const python = pythonWithTorch()
  if (python === undefined)
    throw new HostError('python3 has no torch here; on Debian: apt-get install python3-torch libopenblas0-pthread')
  const child = spawn(python, [script], { stdio: ['pipe', 'pipe', 'pipe'], env: environment() })
  const conversation = new Conversation()
  let complaints = ''
  child.stderr.on('data', (chunk: Buffer) => {
    complaints = (complaints + chunk.toString()).slice(-500)
  })
  child.stdin.on('error', () => undefined)
  createInterface({ input: child.stdout }).on('line', (line) => conversation.reply(JSON.parse(line) as Reply))
  child.on('error', (error) => conversation.end(error.message))
  child.on('exit', (code, signal) => {
    const why = complaints.trim().split('\n').at(-1) ?? ''
    conversation.end(`its process ended (${signal ?? `code ${code}`})${why ? `: ${why}` : ''}`)
  })
  return {
    ask: (question) => conversation.ask(() => child.stdin.write(`${JSON.stringify(question)}\n`)),
    close() {
      conversation.end('it was closed')
      child.kill('SIGKILL')
    },
  }
}
