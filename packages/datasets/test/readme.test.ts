import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { afterEach, describe, expect, it, vi } from 'vitest'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const blocks = [...readme.matchAll(/```ts\n(.*?)```/gs)].map((m) => m[1])

// The README shows these files word for word; each prints what its //=> comments say.
const examples: Record<string, () => Promise<unknown>> = {
  mnist: () => import('./examples/mnist.ts'),
  columns: () => import('./examples/columns.ts'),
  tables: () => import('./examples/tables.ts'),
  idx: () => import('./examples/idx.ts'),
}

afterEach(() => void vi.restoreAllMocks())

describe('README', () => {
  it('shows the examples and no other code', () => {
    const files = Object.keys(examples).map((n) => readFileSync(new URL(`./examples/${n}.ts`, import.meta.url), 'utf8'))
    expect(blocks).toEqual(files)
  })

  it.each(Object.entries(examples))('example %s prints what it says', async (name, run) => {
    const source = readFileSync(new URL(`./examples/${name}.ts`, import.meta.url), 'utf8')
    const promised = [...source.matchAll(/\/\/=> (.*)/g)].flatMap((m) => (m[1] as string).split(' | '))
    const printed: string[] = []
    vi.spyOn(console, 'log').mockImplementation((...values: unknown[]) => {
      printed.push(values.map((v) => (typeof v === 'string' ? v : inspect(v))).join(' '))
    })
    await run()
    expect(printed).toEqual(promised)
  })
})
