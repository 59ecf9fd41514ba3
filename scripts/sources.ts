import { globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const maxLines = 400
const forbidden = /\b(?:TODO|FIXME|XXX)\b|@ts-nocheck|@ts-expect-error|\bbiome-ignore-all\b/
const tileImport = /(?:from|import)\s*\(?\s*'((?:@tessella\/[\w-]+)|tessella)'/g

type Manifest = { dependencies?: Record<string, string>; peerDependencies?: Record<string, string> }

/** What is wrong with one source file, as messages; `declared` are the names its package.json depends on. */
export function sourceProblems(text: string, declared: ReadonlySet<string>): string[] {
  const lines = text.split('\n')
  const problems: string[] = []
  const length = lines.at(-1) === '' ? lines.length - 1 : lines.length
  if (length > maxLines) problems.push(`${length} lines, at most ${maxLines}: split the file by idea`)
  lines.forEach((line, index) => {
    const word = forbidden.exec(line)?.[0]
    if (word !== undefined) problems.push(`line ${index + 1}: ${word} does not belong in a committed source`)
  })
  const imported = new Set(Array.from(text.matchAll(tileImport), (match) => match[1] as string))
  for (const name of imported) {
    if (!declared.has(name)) problems.push(`imports ${name}, which its package.json does not depend on`)
  }
  return problems
}

/** Checks every `src` of the workspace under `root`; returns `path: problem` lines. */
export function checkSources(root: string): string[] {
  const found: string[] = []
  for (const path of globSync('{packages,apps}/*/package.json', { cwd: root })) {
    const folder = path.slice(0, -'/package.json'.length)
    const manifest = JSON.parse(readFileSync(join(root, path), 'utf8')) as Manifest
    const declared = new Set(Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }))
    for (const file of globSync(`${folder}/src/**/*.ts`, { cwd: root })) {
      const problems = sourceProblems(readFileSync(join(root, file), 'utf8'), declared)
      for (const problem of problems) found.push(`${file}: ${problem}`)
    }
  }
  return found
}

if (import.meta.main) {
  const found = checkSources(resolve(import.meta.dirname, '..'))
  for (const line of found) console.error(line)
  process.exitCode = found.length > 0 ? 1 : 0
}
