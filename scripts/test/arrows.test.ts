import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

type Report = { summary: { violations: { from: string; rule: { name: string } }[] } }
type Case = readonly [path: string, text: string, rules: readonly string[]]

const root = resolve(import.meta.dirname, '../..')
const tiles = ['ir', 'tensor', 'autograd', 'compiler', 'backend-cpu', 'layers', 'optimizers', 'training', 'tessella']

const good: readonly Case[] = [
  ['packages/tensor/src/good.ts', `import '@tessella/ir'`, []],
  ['packages/training/src/good.ts', `import '@tessella/autograd'\nimport '@tessella/optimizers'`, []],
  ['packages/tessella/src/good.ts', `import '@tessella/backend-cpu'`, []],
  ['packages/backend-cpu/src/good.ts', `import '@tessella/compiler'\nimport 'node:fs'`, []],
  ['packages/layers/test/good.test.ts', `import '@tessella/compiler'\nimport '@tessella/backend-cpu'`, []],
  ['packages/ir/src/typesA.ts', `import './typesB.ts'`, []],
  ['packages/ir/src/typesB.ts', `import type { x } from './typesA.ts'`, []],
  ['apps/demo/src/good.ts', `import '@tessella/backend-cpu'`, []],
]

const bad: readonly Case[] = [
  ['packages/ir/src/tensor.ts', `import '@tessella/tensor'`, ['arrow-ir']],
  ['packages/tensor/src/types.ts', `import type { here } from '@tessella/autograd'`, ['arrow-tensor']],
  ['packages/layers/src/grad.ts', `import '@tessella/autograd'`, ['arrow-layers']],
  ['packages/layers/src/reexport.ts', `export * from '@tessella/ir'`, ['arrow-layers']],
  ['packages/optimizers/src/lazy.ts', `await import('@tessella/layers')`, ['arrow-optimizers']],
  ['packages/training/src/layers.ts', `import '@tessella/layers'`, ['arrow-training']],
  ['packages/layers/src/cpu.ts', `import '@tessella/backend-cpu'`, ['arrow-layers', 'backends-only-from-apps']],
  ['packages/tessella/src/plan.ts', `import '@tessella/compiler'`, ['arrow-tessella', 'compiler-only-from-backends']],
  ['apps/demo/src/plan.ts', `import '@tessella/compiler'`, ['compiler-only-from-backends']],
  ['packages/ir/src/app.ts', `import '../../../apps/demo/src/good.ts'`, ['nothing-imports-apps']],
  ['packages/tensor/src/missing.ts', `import './nowhere.ts'`, ['unresolvable']],
  ['packages/ir/src/registry.ts', `import 'typescript'`, ['no-runtime-dependencies']],
  ['packages/unheard/src/new.ts', `import '@tessella/ir'`, ['unknown-tile']],
  ['packages/compiler/src/a.ts', `import './b.ts'`, ['no-cycles']],
  ['packages/tensor/src/deep.ts', `import '../../ir/src/tensor.ts'`, ['no-deep-imports']],
]

let dir = ''
const broken = new Map<string, string[]>()

function put(path: string, text: string): void {
  mkdirSync(dirname(join(dir, path)), { recursive: true })
  writeFileSync(join(dir, path), `${text}\n`)
}

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'tessella-arrows-'))
  const configs = ['.dependency-cruiser.mjs', '.dependency-cruiser.cycles.mjs']
  for (const file of [...configs, 'tsconfig.base.json', 'tsconfig.json']) cpSync(join(root, file), join(dir, file))
  mkdirSync(join(dir, 'node_modules/@tessella'), { recursive: true })
  symlinkSync(join(root, 'node_modules/typescript'), join(dir, 'node_modules/typescript'))
  for (const tile of tiles) {
    put(`packages/${tile}/package.json`, '{ "exports": { ".": { "@tessella/source": "./src/index.ts" } } }')
    put(`packages/${tile}/src/index.ts`, 'export const here = 1')
    symlinkSync(join(dir, 'packages', tile), join(dir, 'node_modules/@tessella', tile))
  }
  put('packages/compiler/src/b.ts', `import { x } from './a.ts'\nexport { x }`) // closes the cycle of a.ts, reported once
  for (const [path, text] of [...good, ...bad]) put(path, text)
  for (const config of configs) {
    const args = ['--config', config, '--output-type', 'json', 'packages', 'apps']
    const options = { cwd: dir, encoding: 'utf8', maxBuffer: 1 << 26 } as const
    const { stdout } = spawnSync(join(root, 'node_modules/.bin/depcruise'), args, options)
    for (const { from, rule } of (JSON.parse(stdout) as Report).summary.violations) {
      broken.set(from, [...(broken.get(from) ?? []), rule.name])
    }
  }
})

afterAll(() => rmSync(dir, { recursive: true, force: true }))

describe('the arrows between the tiles', () => {
  it.each(good)('%s may: %s', (path) => {
    expect(broken.get(path)).toBeUndefined()
  })

  it.each(bad)('%s may not: %s', (path, _text, rules) => {
    expect(broken.get(path)?.sort()).toEqual(rules)
  })
})
