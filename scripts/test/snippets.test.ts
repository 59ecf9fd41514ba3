import { expect, it } from 'vitest'
import { snippets } from '../snippets.ts'

it('finds TypeScript blocks with the line of their first statement, and no other blocks', () => {
  const page = '# Title\n\n```ts\nconst a = 1\n```\n\n```sh\nls\n```\n\n```ts\nconst b = `x`\nconst c = 2\n```\n'
  expect(snippets(page)).toEqual([
    { line: 4, code: 'const a = 1\n' },
    { line: 12, code: 'const b = `x`\nconst c = 2\n' },
  ])
})
