import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { checkPublishing } from './publishing.ts'
import { buildAll, type Outcome, root, run, runAll } from './run.ts'
import { checkSnippets } from './snippets.ts'
import { checkSources } from './sources.ts'

type Counts = { readonly passed: number; readonly failed: number }
type Section = { readonly title: string; readonly run: () => Promise<Outcome & { counts?: Counts }> }

/** All unit tests; a run without a single test, or one that broke outside a test, is a failure. */
async function tests(): Promise<Outcome & { counts: Counts }> {
  const temporary = mkdtempSync(join(tmpdir(), 'tessella-test-'))
  const file = join(temporary, 'report.json')
  const outcome = await run(['vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`], {
    live: true,
  })
  let counts: Counts = { passed: 0, failed: 0 }
  try {
    const report = JSON.parse(readFileSync(file, 'utf8')) as { numPassedTests: number; numFailedTests: number }
    counts = { passed: report.numPassedTests, failed: report.numFailedTests }
  } catch (error) {
    console.error(`no test report: ${String(error)}`)
  }
  rmSync(temporary, { recursive: true, force: true })
  const ok = outcome.ok && counts.passed > 0 && counts.failed === 0
  return { ok, output: '', counts: ok ? counts : { ...counts, failed: Math.max(1, counts.failed) } }
}

function sources(): Promise<Outcome> {
  const problems = checkSources(root)
  return Promise.resolve({ ok: problems.length === 0, output: problems.join('\n') })
}

/** Arrows count type imports; cycles are looked for once types are erased. */
function arrows(): Promise<Outcome> {
  const configs = ['.dependency-cruiser.mjs', '.dependency-cruiser.cycles.mjs']
  return runAll(configs.map((config) => () => run(['depcruise', '--config', config, 'packages', 'apps', 'scripts'])))
}

/** The newest TypeScript, which `tessella` has; builds use the one before, tsd brings an older one. */
const types = (): Promise<Outcome> =>
  run([join(root, 'packages/tessella/node_modules/.bin/tsc'), '-p', 'tsconfig.json', '--pretty'])

/** tsd in every package that has type tests; it reads the package's tsconfig, so it sees the sources. */
function typeTests(): Promise<Outcome> {
  const folders = new Set(
    globSync('packages/*/test-d/*.test-d.ts', { cwd: root }).map((file) => dirname(dirname(file))),
  )
  return runAll(
    [...folders].map((folder) => () => run(['tsd', '--typings', 'src/index.ts'], { cwd: join(root, folder) })),
  )
}

const sections: Record<string, Section> = {
  lint: {
    title: 'format and lint (biome)',
    run: () => run(['biome', 'check', '--error-on-warnings', '--max-diagnostics=200', '.']),
  },
  sources: { title: 'source rules (length, declared imports)', run: sources },
  arrows: { title: 'arrows between tiles and cycles (dependency-cruiser)', run: arrows },
  types: { title: 'types of everything (tsc 7)', run: types },
  tests: { title: 'tests (vitest)', run: tests },
  typetests: { title: 'type tests (tsd)', run: typeTests },
  snippets: { title: 'examples in the READMEs (tsc)', run: checkSnippets },
  unused: {
    title: 'unused files, exports and dependencies (knip)',
    run: () => run(['knip', '--no-progress', '--no-config-hints']),
  },
  build: { title: 'build (turbo, tsc)', run: buildAll },
  publishing: { title: 'published packages (contents, publint, are the types wrong)', run: checkPublishing },
}

const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !(name in sections))
if (unknown.length > 0) {
  console.error(`unknown: ${unknown.join(', ')}; sections are ${Object.keys(sections).join(', ')}`)
  process.exit(2)
}

let passed = 0
let failed = 0
const summary: string[] = []
for (const [name, section] of Object.entries(sections)) {
  if (asked.length > 0 && !asked.includes(name)) continue
  console.log(`\n== ${name}: ${section.title}`)
  const start = performance.now()
  const outcome = await section.run()
  const line = `${outcome.ok ? 'ok  ' : 'FAIL'} ${name.padEnd(10)} ${((performance.now() - start) / 1000).toFixed(1)} s`
  if (!outcome.ok && outcome.output !== '') console.log(outcome.output.trimEnd())
  console.log(line)
  summary.push(line)
  passed += outcome.counts?.passed ?? (outcome.ok ? 1 : 0)
  failed += outcome.counts?.failed ?? (outcome.ok ? 0 : 1)
}

// Every test counts, and every other section counts as one.
console.log(`\n${summary.join('\n')}\n\n${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
