import { internalError } from '@tessella/ir'
import { bitSnippets } from './bits.ts'
import { boundedSnippets } from './bounded.ts'
import { castSnippets } from './casts.ts'
import { exponentialSnippets } from './exponential.ts'
import { powerSnippets } from './power.ts'
import { randomSnippets } from './random.ts'
import type { Snippets } from './snippet.ts'
import { trigonometricSnippets } from './trigonometric.ts'

const snippets: Snippets = {
  ...bitSnippets,
  ...castSnippets,
  ...exponentialSnippets,
  ...boundedSnippets,
  ...trigonometricSnippets,
  ...powerSnippets,
  ...randomSnippets,
}

/** The functions with these names and those they call, in the table's order whatever order they were asked for. */
export function preludeText(names: Iterable<string>): string {
  const wanted = new Set<string>()
  const add = (name: string): void => {
    if (wanted.has(name)) return
    const snippet = snippets[name]
    if (snippet === undefined) throw internalError(`the WGSL prelude has no ${name}`)
    wanted.add(name)
    for (const used of snippet.uses ?? []) add(used)
  }
  for (const name of names) add(name)
  return Object.entries(snippets)
    .filter(([name]) => wanted.has(name))
    .map(([, { text }]) => text)
    .join('\n')
}
