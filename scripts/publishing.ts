import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { buildAll, type Outcome, pnpm, root, run, runAll } from './run.ts'

type Manifest = { name: string; private?: boolean }

const needed = ['package/dist/index.js', 'package/dist/index.d.ts', 'package/src/index.ts', 'package/LICENSE']
const unwanted = /^package\/(?:test|test-d|node_modules|\.turbo)\/|\.tsbuildinfo$/

async function checkPackage(folder: string, name: string, temporary: string): Promise<Outcome> {
  const tarball = join(temporary, `${name.replaceAll(/[^\w]/g, '-')}.tgz`)
  const packed = await run([...pnpm(), 'pack', '--out', tarball], { cwd: folder })
  if (!packed.ok) return { ok: false, output: `${name}: ${packed.output}` }
  const listing = await run(['tar', '-tzf', tarball])
  const files = listing.output.split('\n')
  const wrong = [
    ...needed.filter((file) => !files.includes(file)).map((file) => `missing ${file}`),
    ...files.filter((file) => unwanted.test(file)).map((file) => `should not be published: ${file}`),
  ]
  const checks = [
    { ok: listing.ok && wrong.length === 0, output: wrong.join('\n') },
    await run(['publint', 'run', tarball, '--strict']),
    await run(['attw', tarball, '--profile', 'esm-only', '--format', 'table-flipped']),
  ]
  const failed = checks.filter((check) => !check.ok)
  return { ok: failed.length === 0, output: `${name}\n${failed.map((check) => check.output).join('\n')}` }
}

/** Builds, packs every public package as it would be published, and checks the tarball: contents, publint, attw. */
export async function checkPublishing(): Promise<Outcome> {
  // A tarball of a clone that is not built holds no declarations, and attw says so in a riddle.
  const built = await buildAll()
  if (!built.ok) return built
  const temporary = mkdtempSync(join(tmpdir(), 'tessella-pack-'))
  const jobs = globSync('packages/*/package.json', { cwd: root }).flatMap((path) => {
    const manifest = JSON.parse(readFileSync(join(root, path), 'utf8')) as Manifest
    if (manifest.private) return []
    return [() => checkPackage(dirname(join(root, path)), manifest.name, temporary)]
  })
  try {
    return await runAll(jobs)
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
}
