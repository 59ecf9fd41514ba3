import { readFileSync } from 'node:fs'
import { html, type Markup } from '../report/html.ts'

/** The lines of `source` between `// show: name` and `// end`, with their common indent taken off. */
export function between(source: string, name: string): string {
  const lines = source.split('\n')
  const start = lines.findIndex((l) => l.trim() === `// show: ${name}`)
  const end = lines.findIndex((l, i) => i > start && l.trim() === '// end')
  if (start < 0 || end < 0) throw new Error(`internal: no '// show: ${name}' with its '// end'`)
  const part = lines.slice(start + 1, end)
  const indent = Math.min(...part.filter((l) => l.trim() !== '').map((l) => l.length - l.trimStart().length))
  return part.map((l) => l.slice(indent)).join('\n')
}

/** The code that a page was made with, read from the source that runs, so that the two cannot differ. */
export const snippet = (file: string, name: string): Markup =>
  html`<pre class="code" tabindex="0"><code>${between(readFileSync(new URL(file), 'utf8'), name)}</code></pre>`
