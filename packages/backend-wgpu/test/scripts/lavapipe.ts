import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/*
 * Runs the package's tests, or those that are named, or another script, on lavapipe of Mesa 26, Vulkan on the processor with
 * float16 and subgroup matrices:
 * npx pnpm@12 exec node --conditions=@tessella/source packages/backend-wgpu/test/scripts/lavapipe.ts [vitest's arguments | script]
 *
 * Needs apt and dpkg on x64 (Debian 12 or later), the network the first time (61 MB), and no root: the driver and all
 * libraries under it, glibc too, are unpacked into a folder, and Node is started with that folder's loader.
 */

const suite = 'trixie-backports'
const wanted = 'mesa-vulkan-drivers'
const mirror = 'http://deb.debian.org/debian'
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'
const folder = join(tmpdir(), `tessella-lavapipe-${suite}-${userInfo().uid}`)
const library = 'usr/lib/x86_64-linux-gnu'

const root = fileURLToPath(new URL('../../../../', import.meta.url))

/** apt with a state of its own, in which nothing is installed: what it wants for the driver is all that is under it. */
function download(into: string): string {
  const at = (name: string) => join(into, 'apt', name)
  for (const name of ['lists/partial', 'cache/archives/partial']) mkdirSync(at(name), { recursive: true })
  const sources = [suite.replace('-backports', ''), suite].map(
    (s) => `deb [signed-by=${keyring}] ${mirror} ${s} main\n`,
  )
  writeFileSync(at('sources.list'), sources.join(''))
  writeFileSync(at('status'), '')
  const options = {
    'Dir::Etc::sourcelist': at('sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::State': at('.'),
    'Dir::State::status': at('status'),
    'Dir::State::lists': at('lists'),
    'Dir::Cache': at('cache'),
    'APT::Architecture': 'amd64',
    'APT::Sandbox::User': userInfo().username,
  }
  const flags = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`])
  const apt = (...args: string[]) => execFileSync('apt-get', [...flags, '-q', ...args], { stdio: 'inherit' })
  apt('update')
  apt('install', '--yes', '--download-only', '--no-install-recommends', '-t', suite, wanted)
  return at('cache/archives')
}

/** Unpacks the packages, and writes the driver's description, a `node` that runs on them, and what its children need to know. */
function install(): void {
  const fresh = mkdtempSync(`${folder}-`)
  const archives = download(fresh)
  for (const file of readdirSync(archives).filter((name) => name.endsWith('.deb')))
    execFileSync('dpkg-deb', ['--extract', join(archives, file), fresh])
  rmSync(join(fresh, 'apt'), { recursive: true })
  const icd = { library_path: join(folder, library, 'libvulkan_lvp.so'), api_version: '1.4.0' }
  writeFileSync(join(fresh, 'icd.json'), JSON.stringify({ file_format_version: '1.0.0', ICD: icd }))
  const loader = `${join(folder, library, 'ld-linux-x86-64.so.2')} --argv0 node --library-path ${join(folder, library)}`
  writeFileSync(join(fresh, 'node'), `#!/bin/sh\nexec ${loader} ${process.execPath} "$@"\n`)
  chmodSync(join(fresh, 'node'), 0o755)
  // The loader is the executable, as far as Node can see.
  writeFileSync(join(fresh, 'execPath.mjs'), `process.execPath = ${JSON.stringify(join(folder, 'node'))}\n`)
  renameSync(fresh, folder)
}

if (!existsSync(folder)) install()
const vitest = join(dirname(createRequire(join(root, 'package.json')).resolve('vitest/package.json')), 'vitest.mjs')
const given = process.argv.slice(2)
// Chromium has a driver of its own.
const tests = given.length > 0 ? given : ['packages/backend-wgpu', '--exclude', '**/browser.test.ts']
const isScript = given[0]?.endsWith('.ts') && !given[0].endsWith('.test.ts')
const args = isScript ? ['--conditions=@tessella/source', ...given] : [vitest, 'run', ...tests]
const child = spawn(join(folder, 'node'), args, {
  cwd: root,
  stdio: 'inherit',
  env: {
    ...process.env,
    NODE_OPTIONS: `--import=${join(folder, 'execPath.mjs')}`,
    VK_ICD_FILENAMES: join(folder, 'icd.json'),
    MESA_SHADER_CACHE_DIR: join(folder, 'cache'),
  },
})
child.on('exit', (code) => {
  process.exitCode = code ?? 1
})
