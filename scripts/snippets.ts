import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Outcome, root, run } from './run.ts'

/** The TypeScript blocks of a page, each with the line it starts on. */
export function snippets(markdown: string): { line: number; code: string }[] {
  return Array.from(markdown.matchAll(/^```ts\n([\s\S]*?)^```$/gm), (match) => ({
    line: markdown.slice(0, match.index).split('\n').length + 1,
    code: match[1] as string,
  }))
}

/** Compiles every TypeScript block of the READMEs and the docs as a module of its own. */
export function checkSnippets(): Promise<Outcome> {
  const folder = join(root, 'node_modules/.cache/snippets')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const page of globSync(['*.md', 'docs/**/*.md', 'packages/*/*.md', 'apps/*/*.md'], { cwd: root })) {
    for (const { line, code } of snippets(readFileSync(join(root, page), 'utf8'))) {
      writeFileSync(join(folder, `${page.replaceAll(/[/\\]/g, '.')}.line${line}.ts`), `${code}\nexport {}\n`)
    }
  }
  const compilerOptions = { noEmit: true, rootDir: '/', typeRoots: [join(root, 'node_modules/@types')] }
  const config = { extends: join(root, 'tsconfig.base.json'), compilerOptions, include: ['*.ts'] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  return run(['tsc', '-p', folder])
}
