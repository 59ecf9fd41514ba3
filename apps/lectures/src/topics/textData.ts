import { readdirSync, readFileSync } from 'node:fs'

/** A text as numbers of its characters, in two parts. */
export interface Text {
  readonly alphabet: readonly string[]
  readonly train: Int32Array
  readonly validation: Int32Array
}

const root = new URL('../../../../', import.meta.url)

/** Paths below a folder that end so, in order. */
const below = (folder: string, end: string): readonly string[] =>
  readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
    .filter((f) => f.endsWith(end) && !f.includes('node_modules'))
    .map((f) => `${folder}${f.replaceAll('\\', '/')}`)

/** What stands in a source's comments, without examples. */
const comments = (source: string): string =>
  [...source.matchAll(/\/\*\*([\s\S]*?)\*\//g)]
    .map(([, text = '']) => text.replace(/^\s*\*/gm, ' ').replace(/@(example|throws|param)[\s\S]*/, ''))
    .join('\n')

/** The project's own documentation, which is English, free and here: guides, READMEs and the comments of every package. */
export function documentation(most: number): Text {
  const files = [...below('docs/', '.md'), ...below('packages/', 'README.md'), ...below('packages/', '.ts')]
  const read = files
    .filter((f) => f.endsWith('.md') || f.includes('/src/'))
    .toSorted()
    .map((f) => ({ file: f, text: readFileSync(new URL(f, root), 'utf8') }))
    .map(({ file, text }) => (file.endsWith('.md') ? text : comments(text)))
  // Prose only: no tables, code or links, and one space between words.
  const prose = read
    .map((text) =>
      text
        .replace(/```[\s\S]*?```/g, ' ')
        .replace(/^[|#>].*$/gm, ' ')
        .replace(/\]\([^)]*\)/g, '')
        .replace(/[^a-zA-Z0-9 .,;:'()\n-]/g, '')
        .replace(/\s+/g, ' ')
        .toLowerCase(),
    )
    .join(' ')
    .slice(0, most)
  const alphabet = [...new Set(prose)].toSorted()
  const numbers = Int32Array.from(prose, (c) => alphabet.indexOf(c))
  const cut = Math.floor(0.9 * numbers.length)
  return { alphabet, train: numbers.subarray(0, cut), validation: numbers.subarray(cut) }
}

/** The probability of each next character after a history. */
export type Next = (history: ArrayLike<number>, at: number) => Float64Array

/**
 * A model that counts which characters follow the last order - 1, and leans on shorter histories where it has seen little
 * (Witten and Bell, 1991).
 */
export function ngram({ train, alphabet }: Text, order: number): Next {
  const counts = Array.from({ length: order }, () => new Map<string, Map<number, number>>())
  const keyOf = (text: ArrayLike<number>, at: number, length: number): string => {
    let key = ''
    for (let i = at - length; i < at; i++) key += String.fromCharCode((text[i] as number) + 32)
    return key
  }
  for (let at = 0; at < train.length; at++)
    for (let length = 0; length < order && length <= at; length++) {
      const key = keyOf(train, at, length)
      const table = counts[length] as Map<string, Map<number, number>>
      const seen = table.get(key) ?? new Map<number, number>()
      table.set(key, seen)
      seen.set(train[at] as number, (seen.get(train[at] as number) ?? 0) + 1)
    }
  return (history, at) => {
    let p = new Float64Array(alphabet.length).fill(1 / alphabet.length)
    for (let length = 0; length < order && length <= at; length++) {
      const seen = counts[length]?.get(keyOf(history, at, length))
      if (seen === undefined) break
      const total = [...seen.values()].reduce((a, b) => a + b, 0)
      const shorter = p
      p = Float64Array.from(shorter, (q, c) => ((seen.get(c) ?? 0) + seen.size * q) / (total + seen.size))
    }
    return p
  }
}

/** Mean bits that a model needs for a character of the text. */
export function bits(next: Next, text: ArrayLike<number>, from: number): number {
  let sum = 0
  for (let at = from; at < text.length; at++) sum -= Math.log2(next(text, at)[text[at] as number] as number)
  return sum / (text.length - from)
}
