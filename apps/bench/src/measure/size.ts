import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import type { SystemName } from '../contract.ts'

const training = `
import { valueAndGrad } from '@tessella/autograd'
import { cpu } from '@tessella/backend-cpu'
import { conv2d, flatten, linear, maxPool2d, relu, sequential } from '@tessella/layers'
import { crossEntropy } from '@tessella/losses'
import { adam, optimizer, sgd } from '@tessella/optimizers'
import { compile, tensor, useBackend } from '@tessella/tensor'
globalThis.kept = { valueAndGrad, cpu, conv2d, flatten, linear, maxPool2d, relu, sequential, crossEntropy, adam, optimizer, sgd, compile, tensor, useBackend }`

const all = (name: string): string => `import * as kept from '${name}'\nglobalThis.kept = kept`

/** What is bundled, as source: a whole tile, or what a program that trains networks imports. */
const sources: Partial<Record<SystemName, Readonly<Record<string, string>>>> = {
  cpu: {
    tensor: all('@tessella/tensor'),
    autograd: all('@tessella/autograd'),
    optimizers: all('@tessella/optimizers'),
    'all-cpu': training,
  },
  'tfjs-cpu': {
    'all-cpu':
      "import * as kept from '@tensorflow/tfjs-core'\nimport '@tensorflow/tfjs-core/dist/register_all_gradients.js'\nimport '@tensorflow/tfjs-backend-cpu'\nglobalThis.kept = kept",
  },
  'jax-js': { 'all-cpu': all('@jax-js/jax') },
}

/** Gzipped bytes of everything a page would load for it, minified. Throws for what a system does not have. */
export async function bundleSize(bundle: string, system: SystemName): Promise<number> {
  const source = sources[system]?.[bundle]
  if (source === undefined) throw new Error('no such bundle: sizes are given for cpu, and for peers as all-cpu')
  const { build } = await import('vite')
  const root = dirname(fileURLToPath(new URL('../package.json', import.meta.url)))
  const entry = `${root}/bundle-entry.js`
  const result = await build({
    root,
    configFile: false,
    logLevel: 'silent',
    resolve: { conditions: ['@tessella/source', 'module', 'browser', 'production'] },
    plugins: [
      {
        name: 'entry',
        enforce: 'pre',
        resolveId: (id) => (id === entry ? id : null),
        load: (id) => (id === entry ? source : null),
      },
    ],
    build: { write: false, minify: true, modulePreload: false, target: 'es2024', rollupOptions: { input: entry } },
  })
  const outputs = [result].flat().flatMap((r) => ('output' in r ? r.output : []))
  const code = outputs.flatMap((file) => (file.type === 'chunk' ? [file.code] : []))
  return code.reduce((sum, text) => sum + gzipSync(text, { level: 9 }).length, 0)
}
