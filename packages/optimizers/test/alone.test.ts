import { execFileSync } from 'node:child_process'
import { cpSync, globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { afterAll, beforeAll, expect, it } from 'vitest'

const packages = new URL('../../', import.meta.url).pathname
/** All that an optimizer needs to run: tensors, the language and a backend. */
const tiles = ['ir', 'tensor', 'compiler', 'backend-cpu', 'optimizers']

const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2024,
  module: ts.ModuleKind.ESNext,
  verbatimModuleSyntax: true,
  rewriteRelativeImportExtensions: true,
}

/** Types are checked elsewhere: here every file is only stripped of them, as `tsc` would. */
function build(source: string, target: string): void {
  for (const path of globSync('**/*.ts', { cwd: source })) {
    const text = readFileSync(join(source, path), 'utf8')
    const { outputText } = ts.transpileModule(text, { compilerOptions: options, fileName: path })
    const file = join(target, path.replace(/\.ts$/, '.js'))
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, outputText)
  }
}

/** Packs a tile as npm would publish it and unpacks it where npm would install it. */
function install(tile: string, root: string): void {
  const staged = join(root, 'staged', tile)
  mkdirSync(staged, { recursive: true })
  cpSync(join(packages, tile, 'package.json'), join(staged, 'package.json'))
  build(join(packages, tile, 'src'), join(staged, 'dist'))
  const tarballs = join(root, 'tarballs', tile)
  mkdirSync(tarballs, { recursive: true })
  execFileSync('npm', ['pack', '--silent', '--offline', '--pack-destination', tarballs], { cwd: staged, stdio: 'pipe' })
  const home = join(root, 'node_modules/@tessella', tile)
  mkdirSync(home, { recursive: true })
  execFileSync('tar', ['-xzf', join(tarballs, readdirSync(tarballs)[0] as string), '--strip-components=1', '-C', home])
}

let root = ''
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'tessella-alone-'))
  for (const tile of tiles) install(tile, root)
}, 60_000)
afterAll(() => rmSync(root, { recursive: true, force: true }))

it('minimises Rosenbrock’s function from packed JavaScript, without layers or autograd', () => {
  const script = join(root, 'rosenbrock.mjs')
  cpSync(new URL('alone/rosenbrock.mjs', import.meta.url), script)
  const output = execFileSync(process.execPath, [script], { cwd: root, encoding: 'utf8' })
  const { loss, at, missing } = JSON.parse(output)
  expect(loss).toBeLessThan(1e-5)
  expect(at[0]).toBeCloseTo(1, 2)
  expect(at[1]).toBeCloseTo(1, 2)
  expect(missing).toEqual(Array(4).fill('ERR_MODULE_NOT_FOUND'))
}, 60_000)
