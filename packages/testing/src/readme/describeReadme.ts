import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { disposeBackend } from '@tessella/tensor'
import { afterEach, describe, expect, it, vi } from 'vitest'

/**
 * Tests of the README beside a test folder: it shows the files `./examples/<name>.ts` word for word and no other
 * TypeScript, and each of them prints what its `//=>` comments say (several results of one line between ` | `).
 *
 * @param test - `import.meta.url` of the test file
 * @param examples - name of each example, in the README's order, with a function that imports it
 */
export function describeReadme(test: string, examples: Readonly<Record<string, () => Promise<unknown>>>): void {
  const textOf = (path: string): string => readFileSync(new URL(path, test), 'utf8')
  const sourceOf = (name: string): string => textOf(`./examples/${name}.ts`)

  afterEach(() => {
    vi.restoreAllMocks()
    disposeBackend()
  })

  describe('README', () => {
    it('shows the examples and no other code', () => {
      const blocks = [...textOf('../README.md').matchAll(/```ts\n(.*?)```/gs)].map((m) => m[1])
      expect(blocks).toEqual(Object.keys(examples).map(sourceOf))
    })

    it.each(Object.entries(examples))('example %s prints what it says', async (name, run) => {
      const promised = [...sourceOf(name).matchAll(/\/\/=> (.*)/g)].flatMap((m) => (m[1] as string).split(' | '))
      const printed: string[] = []
      vi.spyOn(console, 'log').mockImplementation((...values: unknown[]) => {
        printed.push(values.map((v) => (typeof v === 'string' ? v : inspect(v))).join(' '))
      })
      await run()
      expect(promised.length).toBeGreaterThan(0)
      expect(printed).toEqual(promised)
    })
  })
}
